"""From a platform's download to the file that goes back: ingested, graded in `cells`, reported, exported."""

from __future__ import annotations

import csv
import io

import pytest

from grader import cli
from tests.classroom.support import documents
from tests.downloads import samples
from tests.downloads.samples import FULL, RIGHT, make_clones, write_folder, write_zip

GRADE = ("-a", "cells", "--jobs", "1", "--require-isolation", "split")


@pytest.fixture
def command(capfd):
    """Run a command here and now; what it printed, and what it complained about."""

    def run(*arguments, expect=0):
        capfd.readouterr()
        status = cli.main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        assert status == expect, said.err
        return said

    return run


def table(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def scores(folder):
    return {row["submission"]: float(row["score"]) for row in table((folder / "summary.csv").read_text())}


def test_canvas(tmp_path, command):
    (tmp_path / "gradebook.csv").write_text(samples.CANVAS_GRADEBOOK, newline="")
    download, out = write_zip(tmp_path / "c.zip", samples.CANVAS), tmp_path / "out"
    said = command("batch", download, "--out", out, "--roster", tmp_path / "gradebook.csv", *GRADE)
    assert "read as canvas: 4 handed in, 1 of them late; 1 handed in nothing." in said.err
    assert "handed in nothing: Gil Gone" in said.err
    expected = {"doejane_11": FULL, "leebo_12": FULL, "oneillren\\xe9e_13": 0, "onlytext_14": 0, "gil": 0}
    assert scores(out) == expected
    rows = {row["submission"]: row for row in table((out / "roll.csv").read_text())}
    assert rows["leebo_12"]["late"] == "yes" and rows["gil"]["handed_in"] == "no"

    command("export", out, "--format", "canvas", "--gradebook", tmp_path / "gradebook.csv", "--out", tmp_path / "i.csv")
    found = {row["ID"]: row["HW1 (4711)"] for row in table((tmp_path / "i.csv").read_text())}
    assert found == {"": "18.00", "11": "18.00", "12": "18.00", "13": "0.00", "14": "0.00", "15": "0.00"}
    plain = {row["submission"]: row for row in table(command("export", out, "--format", "csv").out)}
    assert (plain["leebo_12"]["name"], plain["leebo_12"]["late"]) == ("Bo Lee", "yes")

    command("report", out)
    index = (out / "report" / "index.html").read_text()
    assert "1 handed in late. 1 handed in nothing" in index and "Jane Doe" in index
    assert "Handed in late." in (out / "report" / "students" / "leebo_12.html").read_text()

    # Nothing is graded again because of who somebody is, and nothing but the coming differs.
    before = documents(out)
    said = command("batch", download, "--out", out, *GRADE)
    assert "4 of them before" in said.out and "nobody in this class, from an earlier run: gil" in said.err
    assert (out / "earlier" / "gil.json").is_file() and "gil.json" not in documents(out)
    for name, document in documents(out).items():
        grade = {key: value for key, value in document.items() if key not in ("handed_in", "notes")}
        assert grade == {key: value for key, value in before[name].items() if key not in ("handed_in", "notes")}


def test_moodle(tmp_path, command):
    (tmp_path / "worksheet.csv").write_text(samples.MOODLE_WORKSHEET, newline="", encoding="utf-8")
    out = tmp_path / "out"
    download = write_folder(tmp_path / "m", samples.MOODLE)
    command("batch", download, "--out", out, "--roster", tmp_path / "worksheet.csv", *GRADE)
    assert sorted(scores(out).values()) == [0, 0, FULL, FULL]
    to_import = ["--format", "moodle", "--gradebook", tmp_path / "worksheet.csv", "--out", tmp_path / "import.csv"]
    assert "4 grades are in the file." in command("export", out, *to_import).err
    before, after = table(samples.MOODLE_WORKSHEET), table((tmp_path / "import.csv").read_text("utf-8"))
    assert [row.pop("Grade") for row in after] == ["18.00", "18.00", "0.00", "0.00"]
    assert after == [{key: value for key, value in row.items() if key != "Grade"} for row in before]


def test_gradescope_groups_reach_a_gradebook(tmp_path, command):
    out = tmp_path / "out"
    download = write_zip(tmp_path / "g.zip", samples.GRADESCOPE)
    command("batch", download, "--out", out, "--due", "2023-09-22T00:00Z", *GRADE)
    assert sorted(scores(out).values()) == [0, FULL, FULL]
    (tmp_path / "gb.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,HW (1)\nPoints Possible,,,,,18\n"
        '"Doe, Jane",1,200,x,A,\n"Lee, Bo",2,s-2,bo@x.edu,A,\n"Gone, Gil",3,s-3,gil@x.edu,A,\n"O, R",4,s-4,r@x.edu,A,\n'
    )
    done = command("export", out, "--format", "canvas", "--gradebook", tmp_path / "gb.csv")
    assert [row["HW (1)"] for row in table(done.out)] == ["18", "18.00", "18.00", "0.00", "18.00"]


def test_a_resubmission_takes_the_place_of_what_an_earlier_download_held(tmp_path, command):
    """Gradescope names a submission by its number, so the same student's next one has another name."""
    out, gradebook = tmp_path / "out", tmp_path / "gb.csv"
    gradebook.write_text(
        'Student,ID,SIS User ID,SIS Login ID,Section,HW (1)\nPoints Possible,,,,,18\n"L, A",1,s1,a,S,\n'
    )
    for number, source in ((301, "raise ValueError"), (305, RIGHT)):
        who = f"submission_{number}:\n  :submitters:\n  - :name: A L\n    :sid: s1\n"
        files = {"submission_metadata.yml": who, f"submission_{number}/cells.py": source}
        command("batch", write_zip(tmp_path / f"{number}.zip", files), "--out", out, *GRADE)
    done = command("export", out, "--format", "canvas", "--gradebook", gradebook)
    assert [row["HW (1)"] for row in table(done.out)] == ["18", "18.00"] and "not in the file" not in done.err
    assert [row["score"] for row in table(command("export", out, "--format", "csv").out)] == ["18.0"]
    assert [path.name for path in (out / "earlier").iterdir()] == ["A L_301.json"]


def test_clones_and_a_plain_folder(tmp_path, command):
    folder = make_clones(tmp_path / "hw1-submissions", {"hw1-jane": (RIGHT, "2026-06-01T12:00:00Z")})
    out = tmp_path / "out"
    said = command("batch", folder, "--out", out, "--due", "2026-06-01T11:00Z", *GRADE)
    assert "read as clones: 1 handed in, 1 of them late" in said.err and scores(out) == {"hw1-jane": FULL}
    plain = write_folder(tmp_path / "plain", {"hw1-jane/cells.py": RIGHT})
    said = command("batch", plain, "--out", tmp_path / "plain out", *GRADE)
    assert "read as" not in said.err and not (tmp_path / "plain out" / "roll.csv").exists()
    (document,) = documents(tmp_path / "plain out").values()
    assert "handed_in" not in document


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "poetry"], "There are: canvas, moodle, gradescope, clones, folder"),
        (["--from", "gradescope"], "submission_metadata.yml"),
        (["--due", "tomorrow"], "2026-10-01T23:59"),
        (["--roster", "nowhere.csv"], "can't be read"),
    ],
)
def test_mistakes_are_answered_in_one_line(tmp_path, command, options, says):
    folder = write_folder(tmp_path / "in", {"ada/cells.py": RIGHT})
    done = command("batch", folder, "--out", tmp_path / "out", *options, *GRADE, expect=2)
    assert says in done.err and done.err.count("\n") == 1 and done.out == ""
