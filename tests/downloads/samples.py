"""Makes downloads as platforms lay them out, for a small class of whom it is known who did what.

The layouts are those of the platforms' own code and documentation; no real student is in them.
"""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from pathlib import Path

from grader.course import SOLUTIONS, STARTER

RIGHT = (SOLUTIONS / "cells.py").read_text()
STUB = (STARTER / "cells.py").read_text()
FULL = 18.0


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A zip of these files, as bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def write_zip(path: Path, files: dict[str, str | bytes]) -> Path:
    """Write a download that comes as a zip."""
    path.write_bytes(zipped(files))
    return path


def write_folder(path: Path, files: dict[str, str | bytes]) -> Path:
    """Write the same download unpacked."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


CANVAS: dict[str, str | bytes] = {
    "doejane_11_456_cells.py": STUB,
    "doejane_11_460_cells-1.py": RIGHT,  # handed in again: the later upload counts
    "leebo_LATE_12_470_hw1.zip": zipped({"hw1/cells.py": RIGHT}),
    "oneillrenée_13_480_cells.py": "def (",
    "onlytext_14_text.html": "<p>see you</p>",
}
CANVAS_GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,HW1 (4711)\r\n"
    ",,,,,Manual Posting\r\n"
    "    Points Possible,,,,,18.00\r\n"
    '"Doe, Jane",11,s-11,jane,A,\r\n"Lee, Bo",12,s-12,bo,A,\r\n"O\'Neill, Renée",13,s-13,renee,A,\r\n'
    '"Text, Only",14,s-14,only,A,\r\n"Gone, Gil",15,s-15,gil,A,\r\n"Student, Test",16,,x,A,\r\n'
)

MOODLE: dict[str, str | bytes] = {
    "Jane Doe_501_assignsubmission_file_/cells.py": RIGHT,
    "Bo Lee_502_assignsubmission_file/homework.zip": zipped({"cells.py": RIGHT}),
    "Bo Lee_502_assignsubmission_onlinetext/onlinetext.html": "<p>late, sorry</p>",
    "Renée O'Neill_503_assignsubmission_file_cells.py": STUB,
}
MOODLE_WORKSHEET = (
    "\ufeffIdentifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 501,Jane Doe,,jane@x.edu,Submitted for grading,,18.00,Yes,"Monday, 1 June 2026, 1:00 PM",-,\r\n'
    "Participant 502,Bo Lee,,bo@x.edu,Submitted for grading - 2 hours 5 mins late,,18.00,Yes,-,-,\r\n"
    "Participant 503,Renée O'Neill,77,r@x.edu,Submitted for grading,,18.00,Yes,-,-,\r\n"
    "Participant 504,Gil Gone,78,gil@x.edu,No submission,,18.00,Yes,-,-,\r\n"
)

METADATA = """---
submission_901:
  :submitters:
  - :name: Jane Doe
    :sid: '200'
    :email: jane@x.edu
  - :name: Bo Lee
    :email: bo@x.edu
  :created_at: 2023-09-21 18:02:11.123456000 Z
  :score: 8.0
  :status: processed
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: []
  :history:
  - :id: 1
    :created_at: 2023-09-20 18:02:11.123456000 Z
submission_902:
  :submitters:
  - :name: Renée O'Neill
    :email: &1 r@x.edu
  :created_at: 2023-09-23 09:00:00.000000000 Z
  :status: processed
submission_903:
  :submitters:
  - :name: Renée O'Neill
    :email: *1
  :created_at: 2023-09-22 09:00:00.000000000 Z
  :status: processed
submission_904:
  :submitters:
  - :name: Gil Gone
    :email: gil@x.edu
  :created_at: 2023-09-21 09:00:00.000000000 Z
  :status: unprocessed
"""
GRADESCOPE: dict[str, str | bytes] = {
    "assignment_77_export/submission_metadata.yml": METADATA,
    "assignment_77_export/submission_901/cells.py": RIGHT,
    "assignment_77_export/submission_902/cells.py": RIGHT,
    "assignment_77_export/submission_903/cells.py": STUB,
    "assignment_77_export/.DS_Store": "x",
    "__MACOSX/assignment_77_export/._submission_901": "x",
}


def make_clones(folder: Path, students: dict[str, tuple[str, str]]) -> Path:
    """A clone for each student: name of the folder, source, time of the commit."""
    for name, (source, when) in students.items():
        clone = write_folder(folder / name, {"cells.py": source})
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": when,
        }
        for line in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "work"]):
            subprocess.run(["git", *line], cwd=clone, env=environment, check=True)
    return folder
