"""Downloads built on disk exactly as the platforms' own code and documentation lay them out, name by name.

The examples are those that were quoted from there when the formats were looked up, not made up to suit the readers,
with something to stand where a quotation leaves out; what is expected beside each is what the platform says of it.
"""

from __future__ import annotations

import csv
import io
import re

import pytest
import yaml

from grader.downloads import collect, moment
from grader.export.formats import FORMATS
from tests.downloads.samples import RIGHT, STUB, write_folder, write_zip


def read(path, tmp_path, roster="", **options):
    if roster:
        options["listed"] = tmp_path / "roster.csv"
        options["listed"].write_text(roster, encoding="utf-8", newline="")
    known = collect(path, tmp_path / "out" / "unpacked", **options)
    return known, {entry.name: entry for entry in known.submissions}


def graded(entry, score):
    return entry.signed({"submission": "", "score": score, "max_score": 18.0, "complete": True, "notes": []})


# Canvas: one flat zip called <course>-<assignment>_submissions.zip.


@pytest.mark.parametrize(
    ("name", "student", "late", "file"),
    [
        ("doejane_123_456_hw1.py", ("doejane", ["canvas:123"]), False, "hw1.py"),
        ("doejane_LATE_123_456_hw1.py", ("doejane", ["canvas:123"]), True, "hw1.py"),
        ("LATE_anon_aB3xZ_456_hw1.py", (None, None), True, "hw1.py"),
        ("doejane_123_text.html", ("doejane", ["canvas:123"]), False, "text.html"),
        ("doejane_123_link.html", ("doejane", ["canvas:123"]), False, "link.html"),
        ("doejane_123_456_hw1-1.py", ("doejane", ["canvas:123"]), False, "hw1-1.py"),
    ],
)
def test_a_name_in_canvas_download(tmp_path, name, student, late, file):
    known, found = read(write_zip(tmp_path / "cs101-hw1_submissions.zip", {name: RIGHT}), tmp_path)
    assert (known.form, known.ignored) == ("canvas", [])
    (entry,) = found.values()
    (told,) = entry.told["students"]
    assert (told.get("name"), told.get("ids")) == student and entry.told["late"] is late
    assert [path.name for path in entry.path.iterdir()] == [file]


def test_answers_to_the_questions_of_a_canvas_quiz_are_one_submission(tmp_path):
    files = {"doe_jane123_question_7_456_cells.py": RIGHT, "doe_jane123_question_12_457_batching.py": "x = 1"}
    files |= {"lee_bo12_question_7_458_cells.py": RIGHT, "mock12_question_123_459_cells.py": RIGHT}
    gradebook = "Student,ID,SIS User ID,SIS Login ID,Section,HW1 (1)\nPoints Possible,,,,,18\n"
    gradebook += '"Doe, Jane",123,,,A,\n"Lee, Bo",12,,,A,\n'
    known, found = read(write_zip(tmp_path / "q.zip", files), tmp_path)
    assert known.form == "canvas" and list(found) == ["doe_jane_123", "lee_bo_12", "mock_12"]
    assert sorted(path.name for path in found["doe_jane_123"].path.iterdir()) == ["batching.py", "cells.py"]
    assert found["doe_jane_123"].told["students"] == [
        {"name": "doe_jane", "ids": ["canvas:123", "canvas:23", "canvas:3"]},
    ]
    filled = FORMATS["canvas"].fill([graded(entry, 7.5) for entry in found.values()], gradebook, None)
    assert [row[5] for row in csv.reader(io.StringIO(filled.text))][2:] == ["7.50", "7.50"]
    assert filled.left_out == ["mock_12: 2 in the gradebook are called that"]  # user 123, who has a name like a quiz's


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "sortable", ["Doe, Jane", "O'Neill-Smith, Renée", "李, 小龙", "van der Berg 3rd, Ada", "Late, Ann"]
)
def test_canvas_names_are_made_as_its_zipper_makes_them(tmp_path, sortable, late):
    """Joined with `_`, then whatever is no letter, digit or `_` is removed; and a gradebook finds them again."""
    joined = "_".join([sortable.lower(), *(["LATE"] if late else []), "123"])
    name = re.sub(r"\W", "", joined) + "_456_cells (2).py"
    last, first = sortable.split(", ")
    gradebook = (
        "Student,ID,SIS User ID,SIS Login ID,Section,HW1 (4711)\r\n    Points Possible,,,,,18.00\r\n"
        f'"Other, One",12,s-12,other,A,\r\n"{sortable}",123,s-123,login,A,\r\n'
    )
    _, found = read(write_zip(tmp_path / "c.zip", {name: RIGHT}), tmp_path, gradebook)
    entry = next(entry for entry in found.values() if not entry.told["nothing"])
    assert entry.told["late"] is late and entry.told["students"][0]["name"] == f"{first} {last}"
    assert (entry.path / "cells.py").read_text() == RIGHT
    filled = FORMATS["canvas"].fill([graded(entry, 7.5)], gradebook, None)
    assert [row[5] for row in csv.reader(io.StringIO(filled.text))][2:] == ["7.50"]


# Moodle: a folder a participant, with a `_` at the end or without; flat files; blind; teams.


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Jane Doe_1234_assignsubmission_file_/cells.py", ("Jane Doe", ["moodle:1234"])),
        ("Jane Doe_1234_assignsubmission_file/cells.py", ("Jane Doe", ["moodle:1234"])),
        ("Jane Doe_1234_assignsubmission_file_cells.py", ("Jane Doe", ["moodle:1234"])),
        ("Participant_1234_assignsubmission_file_/cells.py", (None, ["moodle:1234"])),
        ("Team A_77_assignsubmission_file/cells.py", ("Team A", ["moodle:77"])),
        ("Team A-Jane Doe_1234_assignsubmission_file_/cells.py", ("Team A-Jane Doe", ["moodle:1234"])),
    ],
)
@pytest.mark.parametrize("write", [write_zip, write_folder], ids=["zip", "folder"])
def test_a_name_in_moodles_download(tmp_path, write, name, student):
    known, found = read(write(tmp_path / "cs101-hw1-4711.zip", {name: RIGHT}), tmp_path)
    assert (known.form, known.ignored) == ("moodle", [])
    (entry,) = found.values()
    (told,) = entry.told["students"]
    assert (told.get("name"), told.get("ids")) == student
    assert entry.told["late"] is entry.told["at"] is None  # neither is in the download
    assert (entry.path / "cells.py" if entry.path.is_dir() else entry.path).read_text() == RIGHT


def test_text_typed_into_moodle_is_no_program(tmp_path):
    files = {"Jane Doe_1234_assignsubmission_onlinetext_/onlinetext.html": "<p>x</p>"}
    known, found = read(write_zip(tmp_path / "m.zip", files), tmp_path)
    (entry,) = found.values()
    assert known.form == "moodle" and entry.told["nothing"] and "is not graded" in entry.notes[0]


WORKSHEET_HEADS = {
    "all": (
        "Identifier,Full name,ID number,Email address,Status,Group,Marker,Grade,Maximum Grade,Marking workflow state,"
        "Grade can be changed,Last modified (submission),Online text,Last modified (grade),Feedback comments"
    ),
    "fewest": (
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments"
    ),
    "older capitals": (
        "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments"
    ),
}


def worksheet(kind, rows, bom="\ufeff"):
    """A grading worksheet with such columns; `rows` by the columns' names, blank elsewhere."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, WORKSHEET_HEADS[kind].split(","), restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return bom + text.getvalue()


def participant(number, name, **more):
    row = {"Identifier": f"Participant {number}", "Full name": name, "Maximum Grade": "18.00", "Maximum grade": "18.00"}
    return row | {"Status": "Submitted for grading", "Grade can be changed": "Yes", "Last modified (grade)": "-"} | more


@pytest.mark.parametrize("bom", ["\ufeff", ""], ids=["BOM", "no BOM"])
@pytest.mark.parametrize("kind", WORKSHEET_HEADS)
def test_a_worksheet_tells_who_and_late_and_comes_back_with_grades_only(tmp_path, kind, bom):
    jane = participant(501, "Jane Doe", **{"Feedback comments": 'a "b", c\nd'})
    rene = participant(502, "Renée O'Neill", Status="Submitted for grading - 1 day 3 hours late")
    text = worksheet(kind, [jane, rene], bom)
    files = {
        "Jane Doe_501_assignsubmission_file_/cells.py": RIGHT,
        "Renée ONeill_502_assignsubmission_file_/cells.py": STUB,  # what no file may be called is left out of it
    }
    _, found = read(write_zip(tmp_path / "m.zip", files), tmp_path, text)
    assert {entry.told["students"][0]["name"]: entry.told["late"] for entry in found.values()} == {
        "Jane Doe": False,
        "Renée O'Neill": True,
    }
    filled = FORMATS["moodle"].fill([graded(entry, 9.25) for entry in found.values()], text, None)
    assert filled.text == worksheet(kind, [jane | {"Grade": "9.25"}, rene | {"Grade": "9.25"}], bom)
    assert (filled.grades, filled.left_out) == (2, [])
    as_php = io.StringIO(newline="")  # puts whatever holds a space into quotation marks, and ends lines so
    csv.writer(as_php, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(csv.reader(io.StringIO(text, newline="")))
    documents = [graded(entry, 9.25) for entry in found.values()]
    assert FORMATS["moodle"].fill(documents, as_php.getvalue().replace(f'"{bom}', f'{bom}"'), None).text == filled.text


def test_a_teams_number_is_no_participants(tmp_path):
    """Moodle writes a team's own number where a participant's stands otherwise, and the two may be equal."""
    files = {"Team A_501_assignsubmission_file/cells.py": RIGHT}
    rows = [
        participant(501, "Bo Lee"),  # of no team
        participant(502, "Jane Doe", Group="Team A"),
        participant(503, "Gil Gone", Group="Team A"),
    ]
    text = worksheet("all", rows)
    _, found = read(write_zip(tmp_path / "m.zip", files), tmp_path, text)
    (team,) = (entry for entry in found.values() if not entry.told["nothing"])
    assert [one["name"] for one in team.told["students"]] == ["Jane Doe", "Gil Gone"]
    filled = FORMATS["moodle"].fill([graded(team, 9.25)], text, None)
    table = list(csv.DictReader(io.StringIO(filled.text.removeprefix("\ufeff"), newline="")))
    assert [row["Grade"] for row in table] == ["", "9.25", "9.25"]
    # Without the worksheet as the roster nobody is known, and nobody is given what is not theirs.
    _, found = read(tmp_path / "m.zip", tmp_path)
    filled = FORMATS["moodle"].fill([graded(entry, 9.25) for entry in found.values()], text, None)
    assert filled.grades == 0 and "nobody in the gradebook is called that" in filled.left_out[0]
    folders = [{"submission": "Team A_501_assignsubmission_file", "score": 1.0, "max_score": 18.0, "complete": True}]
    assert FORMATS["moodle"].fill(folders, text, None).grades == 0
    # An older Moodle puts the team before the member's name.
    folders[0]["submission"] = "Team A-Bo Lee_501_assignsubmission_file_"
    assert FORMATS["moodle"].fill(folders, text, None).grades == 1


def test_a_folder_may_be_a_groups_and_a_name_makes_nobody_a_group(tmp_path):
    roster = "name,email,group\nJane Doe,jane@x.edu,Team A\nGil Gone,gil@x.edu,Team A\nBo Lee,bo@x.edu,\n"
    files = {"Team A/cells.py": RIGHT, "Bo Lee/cells.py": STUB}
    _, found = read(write_folder(tmp_path / "in", files), tmp_path, roster)
    assert [one["email"] for one in found["Team A"].told["students"]] == ["jane@x.edu", "gil@x.edu"]
    metadata = "submission_1:\n  :submitters:\n  - :name: Team A\n    :email: eve@x.edu\n"
    files = {
        "gradescope": {"submission_metadata.yml": metadata, "submission_1/cells.py": STUB},
        "moodle": {"Team A_9_assignsubmission_file_/cells.py": STUB},  # the roster has no numbers of Moodle's
        "canvas": {"team a_9_8_cells.py": STUB},
    }
    for form, download in files.items():
        known, found = read(write_zip(tmp_path / "d.zip", download), tmp_path, roster)
        assert known.form == form
        (entry,) = (entry for entry in found.values() if not entry.told["nothing"])
        assert "jane@x.edu" not in str(entry.told) and any("not in the roster" in said for said in known.remarks)


def test_a_blind_worksheet_has_no_names_and_takes_grades_by_number(tmp_path):
    text = worksheet("fewest", [participant(501, ""), participant(502, "")])
    files = {f"Participant_{number}_assignsubmission_file_/cells.py": RIGHT for number in (501, 502)}
    _, found = read(write_zip(tmp_path / "m.zip", files), tmp_path, text)
    filled = FORMATS["moodle"].fill([graded(entry, 9.25) for entry in found.values()], text, None)
    assert (filled.grades, filled.left_out) == (2, [])


# Gradescope: assignment_<id>_export/ with submission_metadata.yml, Ruby's YAML.

METADATA = """submission_86175589:
  :submitters:
  - :name: Pair One
    :sid: '200'            # may be absent
    :email: one@x.edu      # may be absent
  :created_at: 2023-09-21 18:02:11.123456000 Z
  :score: 8.0
  :status: processed
  :results: { tests: [{ name: one, score: 8.0 }] }          # note: plain string keys inside
  :history:
  - :id: 1
    :created_at: 2023-09-20 18:02:11.123456000 Z
    :score: 3.0
    :results: { tests: [] }
"""
FEWEST = """submission_86175590:
  :submitters:
  - :name: Pair Two
  - :name: Pair Three
  :created_at: 2023-09-22 18:02:11.000000000 Z
86175591.pdf:
  :submitters:
  - :name: A Scan
  :created_at: 2023-09-22 18:02:11.000000000 Z
"""


@pytest.mark.parametrize("write", [write_zip, write_folder], ids=["zip", "folder"])
def test_gradescopes_export(tmp_path, write):
    files = {
        "assignment_77_export/submission_metadata.yml": METADATA + FEWEST,
        "assignment_77_export/submission_86175589/src/cells.py": RIGHT,
        "assignment_77_export/submission_86175590/cells.py": STUB,
        "assignment_77_export/86175591.pdf": b"%PDF-1.7",
        "assignment_77_export/.DS_Store": b"x",
        "__MACOSX/assignment_77_export/._x": b"x",
    }
    known, found = read(write(tmp_path / "assignment_77_export.zip", files), tmp_path, due=moment("2023-09-22 00:00 Z"))
    assert known.form == "gradescope"
    assert {name: entry.told["late"] for name, entry in found.items()} == {
        "Pair One_86175589": False,
        "Pair Two and Pair Three_86175590": True,
        "A Scan_86175591.pdf": True,
    }
    told = {entry.name: entry.told["students"] for entry in found.values()}
    assert told["Pair One_86175589"] == [{"name": "Pair One", "email": "one@x.edu", "sid": "200"}]
    assert told["Pair Two and Pair Three_86175590"] == [{"name": "Pair Two"}, {"name": "Pair Three"}]
    assert found["Pair One_86175589"].told["at"] == "2023-09-21T18:02:11+00:00"
    assert (found["Pair One_86175589"].path / "src" / "cells.py").exists()
    # Another reader of YAML says the same of who they are.
    for key, one in yaml.safe_load(METADATA + FEWEST).items():
        (entry,) = (entry for entry in found.values() if entry.name.endswith(key.removeprefix("submission_")))
        submitters = [{name[1:]: value for name, value in each.items()} for each in one[":submitters"]]
        assert entry.told["students"] == submitters
        assert entry.told["at"] == one[":created_at"].isoformat(timespec="seconds")


# Lists of a class: the heads of what platforms give out, and one student under each.

ROSTERS = {
    "Gradescope, scores": (
        "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
        "Lateness (H:M:S),View Count,Submission Count,1: Cells (18.0 pts)",
        "Jane,Doe,007,jane@x.edu,A,3,18,Graded,901,2023-09-21 18:02:11 -0700,26:00:01,1,2,3",
        {"name": "Jane Doe", "email": "jane@x.edu", "sid": "007"},
        (True, "2023-09-21T18:02:11-07:00"),
    ),
    "Gradescope, course": (
        "First Name,Last Name,SID,Email,Sections,HW1,HW1 - Max Points,HW1 - Submission Time,HW1 - Lateness (H:M:S),"
        "Total Lateness (H:M:S)",
        "Jane,Doe,007,jane@x.edu,A,3,18,2023-09-21 18:02:11 -0700,00:00:00,00:00:00",
        {"name": "Jane Doe", "email": "jane@x.edu", "sid": "007"},
        (None, None),  # of many assignments; which this is, nobody says
    ),
    "GitHub Classroom, grades": (
        "assignment_name,assignment_url,starter_code_url,github_username,roster_identifier,student_repository_name,"
        "student_repository_url,submission_timestamp,points_awarded,points_available,group_name",
        "hw1,u,u,jane,007,hw1-jane,u,2023-09-21 18:02:11 UTC,3,18,",
        {"login": "jane", "sid": "007"},
        (None, "2023-09-21T18:02:11+00:00"),
    ),
    "Classroom 50": (
        "username,first_name,last_name,email,section,github_id",
        "jane,Jane,Doe,jane@x.edu,A,1",
        {"name": "Jane Doe", "email": "jane@x.edu", "login": "jane"},
        (None, None),
    ),
    "Canvas, two columns of names": (
        "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section,HW1 (4711)",
        "Doe,Jane,123,007,jane,A,",
        {"name": "Jane Doe", "login": "jane", "sid": "007", "ids": ["canvas:123"]},
        (None, None),
    ),
}


@pytest.mark.parametrize("kind", ROSTERS)
def test_a_list_of_the_class_with_its_own_head(tmp_path, kind):
    head, line, student, coming = ROSTERS[kind]
    listed = student.get("login") or student.get("name")
    path = write_folder(tmp_path / "in", {f"{listed}/cells.py": RIGHT})
    _, found = read(path, tmp_path, f"{head}\r\n{line}\r\n")
    (entry,) = found.values()
    told = {key: value for key, value in entry.told["students"][0].items() if key != "login" or "login" in student}
    assert told == student and (entry.told["late"], entry.told["at"]) == coming
