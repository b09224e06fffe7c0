"""Odd and hostile uploads, and where each sentence of the contract about them is tested.

Contract §5, sentence by sentence; R is `test_receive.py`, L `test_library_cells.py`, the rest is here:

1. archive of 64 MiB, 256 MiB, 2,000 members   R past_the_limits · exactly_at_the_limits · tarball_past_a_limit
   notebook of 32 MiB, module of 1 MiB         notebook · exactly_at_the_limits, R anything_but_plain_utf8
   past a limit: 0, and why                    what_cannot_be_read_is_graded
   limits of CPU and memory                    tests/laws, tests/sandbox
2. absolute, climbing, links, devices          R climbing, R links_and_devices
   left out and named; the rest is graded      bad_names_do_not_hide_the_wrapping_folder
   of two members the last counts              R of_two_members · last_of_two_in_a_tarball
3. regular files only, links not followed      R links_and_pipes · sockets, links to folders
   `cells.py` wins over `cells/`; helpers      R wins_over, R helper_modules, R files_named_like_libraries
   nothing is written into the submission      grading_leaves_the_submission_as_it_was
4. notebooks                                   test_notebooks.py
5. UTF-8, BOM, line endings, NUL               R any_line_ending, R anything_but_plain_utf8 · declared encodings
6. library cells                               L
8. names                                       R names_are_printable_ascii · names_one_character_at_a_time
"""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from grader.course import ROOT, SOLUTIONS, select
from grader.intake import Submission, receive, submission_name
from grader.intake.inside import limits, reading
from grader.intake.receive import job_for
from tests.intake.test_receive import tarred, zipped
from tests.support import grade_folder, rows_of, write_files

CELLS = select(["cells"])
SOLUTION = (SOLUTIONS / "cells.py").read_bytes()
MIB = 2**20


def received(path: Path) -> Submission:
    return receive(path, CELLS)


def read_here(path: Path, scratch: Path) -> dict[str, object]:
    """What the child does, in this process, so that the system's answers can be replaced."""
    scratch.mkdir()
    return reading.read({**job_for(path, CELLS), "folder": str(scratch), "skip": []})


# --- 5.1 limits -------------------------------------------------------------------------------


def test_what_is_exactly_at_the_limits_is_read(tmp_path):
    module = SOLUTION + b"#" * (MIB - len(SOLUTION))
    members = [("cells.py", module), *((f"f{i}.txt", b"") for i in range(1998))]
    path = tmp_path / "ada.zip"
    zipped(path, [*members, ("zeros.bin", b"\0" * (255 * MIB))])
    submission = received(path)
    assert submission.whole == "" and submission.unreadable == {}
    assert submission.files["cells.py"] == module and len(submission.files) == 1999


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([(tarfile.TarInfo(f"f{i}.txt"), b"") for i in range(2001)], "2,000 members"),
        ([(tarfile.TarInfo("zeros.bin"), b"\0" * (257 * MIB))], "256 MiB"),
    ],
)
def test_a_tarball_past_a_limit_is_unreadable(tmp_path, members, why):
    path = tarred(tmp_path / "ada.tar.gz", [(tarfile.TarInfo("cells.py"), SOLUTION), *members])
    submission = received(path)
    assert why in submission.whole and submission.files == {}


def test_a_tarball_that_goes_on_behind_its_end_is_counted_too(tmp_path):
    path = tmp_path / "ada.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(280):
            file.write(b"\0" * MIB)
    assert "256 MiB" in received(path).whole


def test_a_notebook_is_said_to_be_one(tmp_path):
    path = tmp_path / "ada.ipynb"
    path.write_text("{}")
    assert "notebook" in received(path).whole
    with path.open("wb") as file:
        file.truncate(32 * MIB + 1)
    assert "32 MiB" in received(path).whole
    folder = write_files(tmp_path / "both", {"cells.py": SOLUTION, "work.ipynb": "{}"})
    assert received(folder).files["cells.py"] == SOLUTION


@pytest.mark.parametrize("ending", ["tar", "tar.bz2", "tar.xz", "7z", "rar", "txt", "pdf", ""])
def test_formats_that_are_not_read_are_refused_politely(tmp_path, ending, trusted_sandbox):
    path = tmp_path / f"ada.{ending}".rstrip(".")
    path.write_bytes(b"\x00\x01 whatever")
    document = grade_folder(path, ["cells"], trusted_sandbox).document
    assert (document["score"], document["complete"]) == (0, True)
    for test in rows_of(document).values():
        assert test["status"] == "error"
        if test["visibility"] == "public":
            assert "it is no folder, .zip, .tar.gz, notebook or Python module" in test["message"]


def test_a_tgz_is_a_tarball(tmp_path):
    path = tarred(tmp_path / "ada.tgz", [(tarfile.TarInfo("cells.py"), SOLUTION)])
    assert received(path).files == {"cells.py": SOLUTION}


def empty_folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cells.py", SOLUTION)
        archive.writestr("zeros.bin", b"\0" * (257 * MIB))


def renamed(path: Path) -> None:
    write_files(path, {"notes.txt": "", "my_cells.py": SOLUTION})


def encrypted(path: Path) -> None:
    zipped(path.with_suffix(".zip"), [("cells.py", SOLUTION)])
    raw = bytearray(path.with_suffix(".zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + offset] |= 1
    path.with_suffix(".zip").write_bytes(raw)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (empty_folder, "cells.py is not in the submission. There is nothing in it that an assignment asks for."),
        (renamed, "cells.py is not in the submission. There are: my_cells.py, notes.txt. A file counts only under"),
        (fifo, "it is neither a file nor a folder Next: hand in the .py files themselves"),
        (bomb, "the archive unpacks to more than 256 MiB Next: hand in the .py files themselves"),
        (encrypted, "cells.py can't be read: it is encrypted Next: save cells.py anew"),
    ],
)
def test_what_cannot_be_read_is_graded_zero_and_said(tmp_path, make, says):
    make(tmp_path / "ada")
    (path,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "grader", "grade", str(path), "-a", "cells", "--require-isolation", "split"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 of 18 points" in done.stdout and says in " ".join(done.stdout.split())


# --- 5.2 archives -----------------------------------------------------------------------------

BAD_NAMES = ("/abs.py", "../up.py", "hw/../../up.py", "C:\\up.py", "..", "/")


@pytest.mark.parametrize("bad", BAD_NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bad_names_do_not_hide_the_wrapping_folder(tmp_path, bad, kind):
    path = tmp_path / "deep" / "down" / f"ada.{kind}"  # whatever climbs out of there is found below
    path.parent.mkdir(parents=True)
    if kind == "zip":
        zipped(path, [(bad, b"x = 1"), ("hw/cells.py", SOLUTION)])
    else:
        tarred(path, [(tarfile.TarInfo(bad), b"x = 1"), (tarfile.TarInfo("hw/cells.py"), SOLUTION)])
    submission = received(path)
    assert submission.files == {"cells.py": SOLUTION}
    if bad.strip("/"):
        assert bad.strip("/").split("\\")[-1].split("/")[-1] in " ".join(submission.notes)
    assert not list(tmp_path.rglob("up.py"))


def test_a_member_without_a_name_costs_nothing_else(tmp_path):
    path = zipped(tmp_path / "ada.zip", [("x", b"content"), ("cells.py", SOLUTION)])
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 30), (b"PK\x01\x02", 46)):
        raw[raw.index(signature) + offset] = 0  # the name ends before it begins
    path.write_bytes(raw)
    submission = received(path)
    assert submission.files == {"cells.py": SOLUTION}
    assert submission.notes == ["left out, not a name inside the submission:"]


def test_the_last_of_two_in_a_tarball_counts(tmp_path):
    members = [(tarfile.TarInfo("cells.py"), b"first"), (tarfile.TarInfo("./cells.py"), b"last")]
    assert received(tarred(tmp_path / "ada.tar.gz", members)).files == {"cells.py": b"last"}


def test_a_zip_made_on_windows(tmp_path):
    folder = zipfile.ZipInfo("hw\\")
    folder.external_attr = 0x10
    submission = received(zipped(tmp_path / "ada.zip", [(folder, b""), ("hw\\cells.py", SOLUTION)]))
    assert submission.files == {"cells.py": SOLUTION} and submission.notes == []


@pytest.mark.parametrize(
    "beside",
    ["__MACOSX/hw/._cells.py", ".git/config", "venv/lib/x.py", "__pycache__/cells.cpython-311.pyc", ".DS_Store"],
)
def test_debris_beside_the_wrapping_folder_is_overlooked(tmp_path, beside):
    assert received(zipped(tmp_path / "ada.zip", [(beside, b"x"), ("hw/cells.py", SOLUTION)])).files == {
        "cells.py": SOLUTION
    }


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([("hw1/cells.py", SOLUTION), ("hw2/notes.txt", b"")], "hw1/cells.py does not count"),
        ([("cells.PY", SOLUTION)], "cells.PY does not count: it has to be cells.py, spelled so, at the top"),
        ([("a/b/Cells.py", SOLUTION)], "b/Cells.py does not count"),
        ([("inner.zip", b"PK")], "not opened, an archive inside the submission: inner.zip"),
    ],
)
def test_where_a_missing_module_may_be_meant_to_be_is_said(tmp_path, members, says):
    submission = received(zipped(tmp_path / "ada.zip", members))
    assert "cells.py" not in submission.files
    assert says in " ".join(submission.notes)


def test_names_that_differ_in_case_are_different_files(tmp_path):
    submission = received(zipped(tmp_path / "ada.zip", [("Cells.py", b"wrong"), ("cells.py", SOLUTION)]))
    assert submission.files["cells.py"] == SOLUTION and submission.notes == []


def test_names_in_another_encoding(tmp_path, trusted_sandbox):
    path = zipped(tmp_path / "ada.zip", [("\xdcbung/cells.py", SOLUTION), ("\xdcbung/\u6570\u636e.txt", b"")])
    raw = path.read_bytes()
    assert "\xdc".encode() in raw
    old = tmp_path / "old.zip"  # the same letter as one byte, without the flag that says UTF-8
    old.write_bytes(
        zipped(tmp_path / "plain.zip", [("Xbung/cells.py", SOLUTION)]).read_bytes().replace(b"Xbung", b"\x9abung")
    )
    for archive in (path, old):
        assert received(archive).files["cells.py"] == SOLUTION
    latin = tarfile.TarInfo("h\udce9lpers.py")  # a byte that is no UTF-8
    path = tmp_path / "bytes.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        for info, content in ((latin, b"x = 1"), (tarfile.TarInfo("cells.py"), SOLUTION)):
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert grade_folder(path, ["cells"], trusted_sandbox).document["score"] == 18


def test_a_tarball_is_decompressed_once(tmp_path, monkeypatch):
    names = [f"f{i}.py" for i in range(30)]  # the reader takes them in another order
    path = tarred(tmp_path / "ada.tar.gz", [(tarfile.TarInfo(name), b"x = 1") for name in reversed(names)])
    opened = []
    honest = gzip.open
    monkeypatch.setattr(gzip, "open", lambda *given: opened.append(given) or honest(*given))
    monkeypatch.setattr(gzip.GzipFile, "seek", None)
    assert sorted(read_here(path, tmp_path / "out")["files"]) == sorted(names)
    assert len(opened) == 1


def test_what_lies_behind_a_tarballs_end_is_nobodys_concern(tmp_path):
    path = tarred(tmp_path / "ada.tar.gz", [(tarfile.TarInfo("cells.py"), SOLUTION)])
    whole = path.read_bytes()
    path.write_bytes(whole + b"a signature")  # gzip's own program overlooks it too
    assert received(path).files == {"cells.py": SOLUTION}
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in received(path).whole


def test_notes_are_few_and_short_however_many_there_are(tmp_path):
    members = [(f"../{'x' * 5000}{i}", b"") for i in range(1500)]
    submission = received(zipped(tmp_path / "ada.zip", [*members, ("cells.py", SOLUTION)]))
    assert submission.files == {"cells.py": SOLUTION}
    assert len(submission.notes) == limits.NOTES_LIMIT + 1
    assert submission.notes[-1] == "and 1,450 more such notes"
    assert max(map(len, submission.notes)) <= 250


# --- 5.3 folders ------------------------------------------------------------------------------


def test_sockets_and_links_to_folders_are_left_out_and_named(tmp_path):
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION})
    (folder / "everything").symlink_to("/")
    (folder / "dangling.py").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket.py"))
        submission = received(folder)
    assert submission.files == {"cells.py": SOLUTION}
    assert sorted(note.split(": ")[-1] for note in submission.notes) == ["dangling.py", "everything", "socket.py"]


def test_the_upload_itself_may_be_a_link(tmp_path):
    folder = write_files(tmp_path / "real", {"cells.py": SOLUTION})
    (tmp_path / "ada").symlink_to(folder)
    (tmp_path / "cells.py").symlink_to(folder / "cells.py")
    assert received(tmp_path / "ada").files == received(tmp_path / "cells.py").files == {"cells.py": SOLUTION}


def test_a_folder_that_changes_while_it_is_read(tmp_path, monkeypatch):
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION, "gone.py": "", "replaced.py": "", "shut/x.py": ""})
    lstat, scandir = os.lstat, os.scandir

    def changing(path, **options):
        if str(path).endswith("gone.py"):
            raise FileNotFoundError(2, "No such file", path)
        status = lstat(path, **options)
        if str(path).endswith("replaced.py"):  # seen as a file, opened as a link
            os.unlink(path)
            os.symlink("/etc/passwd", path)
        return status

    def shut(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "lstat", changing)
    monkeypatch.setattr(os, "scandir", shut)
    summary = read_here(folder, tmp_path / "out")
    assert summary["files"] == ["cells.py"]
    notes = " ".join(summary["notes"])
    assert "gone before it was read: gone.py" in notes
    assert "can't be opened: shut" in notes and "can't be opened" in summary["unreadable"]["replaced.py"]


@pytest.mark.parametrize("which", ["cells.py", "."])
def test_what_may_not_be_opened_is_said(tmp_path, monkeypatch, which):
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION})
    honest = os.open, os.scandir

    def refuse(number):
        def call(path, *rest, **options):
            if os.path.relpath(str(path), folder) == which:
                raise PermissionError(13, "Permission denied", path)
            return honest[number](path, *rest, **options)

        return call

    monkeypatch.setattr(os, "open", refuse(0))
    monkeypatch.setattr(os, "scandir", refuse(1))
    summary = read_here(folder, tmp_path / "out")
    said = summary["whole"] if which == "." else summary["unreadable"]["cells.py"]
    assert said == "it can't be opened (Permission denied)"


def test_names_as_long_and_as_odd_as_a_file_system_takes(tmp_path, trusted_sandbox):
    odd = [
        b"x" * 252 + b".py",
        "é".encode() * 126 + b".py",
        b"h\xe9lper.py",
        b"a\nb.py",
        b"\x1b[2J.py",
        b"-rf",
        b" ",
        b"c:d",
    ]
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION})
    for name in odd:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x = 1")
    graded = grade_folder(folder, ["cells"], trusted_sandbox)
    assert graded.document["score"] == 18 and graded.document["complete"]
    assert all(len(note) <= 200 and note.isprintable() for note in graded.document["notes"])
    assert "too long a name" in " ".join(graded.document["notes"])


def test_a_folder_of_thousands_of_modules_is_graded(tmp_path, trusted_sandbox):
    files = {f"a{i:04}.py": "" for i in range(5000)}
    folder = write_files(tmp_path / "ada", {**files, "cells.py": SOLUTION})
    assert grade_folder(folder, ["cells"], trusted_sandbox).document["score"] == 18


def test_a_deep_folder(tmp_path):
    deep = "/".join("d" * 40) + "/x.py"
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION, deep: "x = 1"})
    assert received(folder).files == {"cells.py": SOLUTION}


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.parametrize(
    "command", [["grade", "--require-isolation", "split"], ["check"], ["check", "--pdb"]], ids=" ".join
)
def test_grading_leaves_the_submission_as_it_was(tmp_path, command):
    writes = b"\nopen(__file__ + '.mark', 'w').close()\n" if command != ["check", "--pdb"] else b""
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION + writes, "helper.py": "x = 1"})
    before = snapshot(folder)
    name, *options = command
    done = subprocess.run(
        [sys.executable, "-m", "grader", name, str(folder), "-a", "cells", *options],
        capture_output=True,
        text=True,
        input="",
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert snapshot(folder) == before


# --- 5.5 text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        "# -*- coding: utf-8 -*-",
        "# vim: set fileencoding=UTF_8 :",
        "# coding: utf-8-unix",
        "# coding: ascii",
        "import torch\n# coding: latin-1 means nothing on the second line, below code",
        "\n\n# coding: latin-1 means nothing on the third",
    ],
)
def test_declarations_of_utf8_and_comments_that_declare_nothing(tmp_path, first):
    folder = write_files(
        tmp_path / "ada", {"cells.py": f"{first}\n".encode() + SOLUTION.decode().encode("ascii", "replace")}
    )
    submission = received(folder)
    assert submission.unreadable == {}


@pytest.mark.parametrize("line", ["# coding: utf-7", "\n# coding: rot13", "\f#coding=cp1252", "# é coding: ascii"])
def test_a_module_that_declares_another_encoding_is_unreadable(tmp_path, line):
    folder = write_files(tmp_path / "ada", {"cells.py": f"{line}\nx = 1"})
    assert "only UTF-8" in received(folder).unreadable["cells.py"]


def test_a_finding_shows_its_own_line_after_odd_line_endings(tmp_path):
    source = "from torch import nn\ns = '\x0c \u2028 \x1c'\nclass LSTMCellFromScratch:\n    cell = nn.LSTM(1, 2)\n"
    folder = write_files(tmp_path / "ada", {"cells.py": source})
    (finding,) = received(folder).findings["LSTMCellFromScratch"]
    assert (finding.place, finding.code) == ("line 4", "cell = nn.LSTM(1, 2)")


def test_findings_stay_small_however_long_the_lines(tmp_path):
    uses = "".join(f"    c{i} = nn.LSTM({i}, '{'é' * 400}')\n" for i in range(1000))
    source = f"import torch.nn as nn\nclass LSTMCellFromScratch(nn.Module):\n{uses}"
    found = received(write_files(tmp_path / "ada", {"cells.py": source})).findings["LSTMCellFromScratch"]
    assert len(found) == limits.FINDINGS_LIMIT and max(len(finding.code) for finding in found) <= 160


def test_a_parser_that_dies_costs_that_module_only(tmp_path):
    files = {"cells.py": b"1 is 1\nx = " + b"-" * 200_000 + b"1", "batching.py": "x = 1"}
    submission = receive(write_files(tmp_path / "ada", files), select(["cells", "batching"]))
    assert list(submission.unreadable) == ["cells.py"] and set(submission.files) == {"cells.py", "batching.py"}


# --- 5.8 names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\\b", "a\\b"),
        ("a'b\"c.zip", "a'b\"c"),
        ("\u6570\u636e", "\\u6570\\u636e"),
        ("\U0001f600.zip", "\\U0001f600"),
        ("caf\udce9", "caf\\udce9"),
        ("\x1b[2J\x7f", "\\x1b[2J\\x7f"),
        ("..zip", "_"),
        (".zip", "_"),
        ("a.zip.zip", "a.zip"),
        ("ada.tgz", "ada.tgz"),
        ("ada.TAR.GZ", "ada"),
        ("é" * 60, ("\\xe9" * 60)[:100]),
    ],
)
def test_names_one_character_at_a_time(name, shown):
    assert submission_name(Path("in", name)) == shown
