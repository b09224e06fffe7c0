"""Exports held against what the services say they read, and against readers that were not written here.

pandas reads the tables. What the services' own code says of gradebooks and workflow commands is restated here as
small readers; the commands are also compared with lines that GitHub's own toolkit wrote.
"""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from grader.export.escape import workflow_message, workflow_property
from grader.export.formats import FORMATS
from tests.report.synthetic import make_class


@pytest.fixture(scope="module")
def documents(pool):
    return make_class(pool, 26)


# GitHub Actions.

COMMANDS = ("error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "stop-commands", "echo")


def obeyed(line):
    """What GitHub's runner takes a line of a log for: command, properties and message, or None.

    The rules of its `ActionCommand.TryParseV2`: spaces before it are passed over, properties are parted by commas
    and from their names by the first `=`, and escapes are undone, `%25` last.
    """
    line = line.lstrip()
    if not line.startswith("::") or "::" not in line[2:]:
        return None
    info, _, message = line[2:].partition("::")
    name, _, rest = info.partition(" ")
    if name not in COMMANDS:
        return None
    pairs = (each.partition("=") for each in rest.strip().split(",") if each)
    properties = {
        key: _plain(value, {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}) for key, _, value in pairs if value
    }
    return name, properties, _plain(message, {"%0D": "\r", "%0A": "\n"})


def _plain(text, escapes):
    for written, meant in {**escapes, "%25": "%"}.items():
        text = text.replace(written, meant)
    return text


def test_the_quoted_annotation_is_read_as_it_is_meant():
    assert obeyed("::error file=f,line=3,title=t::msg") == ("error", {"file": "f", "line": "3", "title": "t"}, "msg")
    assert obeyed("  ::notice::x") == ("notice", {}, "x")
    assert obeyed("x ::error::y") is obeyed("::errors::y") is obeyed("::error") is None


# Written by @actions/core 1.11.1, core.error(MESSAGE, {title: TITLE}).
TITLE, MESSAGE = "ada: cells: test, one: 100%\nx (failed)", 'off by <b>0.5</b> & ]]>\n\n100% of "it"\r\n# x: y, z'
TOOLKIT = (
    "::error title=ada%3A cells%3A test%2C one%3A 100%25%0Ax (failed)"
    '::off by <b>0.5</b> & ]]>%0A%0A100%25 of "it"%0D%0A# x: y, z'
)


def test_escapes_are_those_of_githubs_own_toolkit():
    assert f"::error title={workflow_property(TITLE)}::{workflow_message(MESSAGE)}" == TOOLKIT
    assert obeyed(TOOLKIT) == ("error", {"title": TITLE}, MESSAGE)


def test_the_runner_reads_the_failures_and_the_points_and_nothing_else(documents):
    for document in documents:
        lines = FORMATS["github-annotations"].one(document).splitlines()
        _, _, token = obeyed(lines[0])
        end = lines.index(f"::{token}::")
        assert obeyed(lines[0])[0] == "stop-commands" and not any(f"::{token}::" in line for line in lines[1:end])
        read = [obeyed(line) for line in lines[end + 1 :]]
        failed = [test for row in document["assignments"] for test in row["tests"] if test["status"] != "passed"]
        assert [one[0] for one in read] == ["error"] * min(len(failed), 10) + ["notice"]
        for (_, properties, message), test in zip(read[:-1], failed, strict=False):
            assert set(properties) == {"title"} and properties["title"].endswith(f"({test['status']})")
            assert re.sub(r"\W", "", message) == re.sub(r"\W", "", test["message"][:1000])
        assert read[-1][2] == f"{document['score']:g} of {document['max_score']:g} points"


# Gradescope.


def test_gradescope_can_add_it_up_and_show_it(documents):
    """A score or tests with scores must be there; no test is `hidden`, or students would see no total."""
    for document in documents:
        found = json.loads(FORMATS["gradescope"].one(document))
        assert isinstance(found["score"], float | int) and all("score" in test for test in found["tests"])
        assert {test["visibility"] for test in found["tests"]} <= {"visible", "after_published"}
        assert len({test["number"] for test in found["tests"]}) == len(found["tests"])
        assert all(re.fullmatch(r"\d+\.\d+", test["number"]) for test in found["tests"])
        assert not any("\r" in test["output"] for test in found["tests"])
        assert all(test["status"] == "passed" or test["score"] < test["max_score"] for test in found["tests"])


# Canvas.

HEADS = {
    "fewest": "Student,ID,SIS Login ID,Section",
    "usual": "Student,ID,SIS User ID,SIS Login ID,Section",
    "all": "Student,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section,Notes",
    "two columns of names": "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section",
}
CLASS = ((11, "Lovelace", "Ada", "ada"), (12, "O'Neill, 3rd", "Renée", "rene"), (13, "Gone", "Gil", "gil"))


def gradebook(kind, delimiter=",", hidden=True):
    """An export with such columns, as Canvas' exporter lays it out."""
    info = HEADS[kind].split(",")
    titles = ["HW1 (4711)", "HW2, part b (4712)", "Homework Current Score", "Current Score", "Final Score"]
    rows = [[*info, *titles]]
    if hidden:
        rows.append([*("" for _ in info), "Manual Posting", "", "", "", ""])
    rows.append(["    Points Possible", *("" for _ in info[1:]), "18.00", "50.00", *["(read only)"] * 3])
    for number, last, first, login in CLASS:
        known = {"Student": f"{last}, {first}", "LastName": last, "FirstName": first, "ID": str(number)}
        known |= {"SIS Login ID": login, "SIS User ID": f"00{number}", "Section": "A and B", "Root Account": "x.edu"}
        rows.append([*(known.get(title, "") for title in info), "EX" if last == "Gone" else "", "3.00", "7", "7", "7"])
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def imported(text):
    """The grades that Canvas' importer would read, by student and assignment; ValueError where it would refuse.

    The rules of its `GradebookImporter`: a head that begins Student, ID or LastName, FirstName, ID, the last column
    about the student called Section, assignments known by the number in brackets, and one delimiter throughout.
    """
    lines = text.splitlines()[:3]
    fields = {one: {len(row) for row in csv.reader(lines, delimiter=one)} for one in ",;"}
    delimiter = ";" if len(fields[";"]) == 1 and max(fields[";"]) > max(fields[","]) else ","
    head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    if len(head) > 4 and head[:2] == ["LastName", "FirstName"] and "ID" in head[2]:
        number = 2
    elif len(head) > 3 and "Student" in head[0] and "ID" in head[1]:
        number = 1
    else:
        raise ValueError("no head of Canvas'")
    places = {match[1]: at for at, title in enumerate(head) if (match := re.search(r"\((\d+)\)$", title))}
    if "Section" not in head[: min(places.values())]:
        raise ValueError("no Section")
    found, possible = {}, {}
    for row in rows:
        if all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.IGNORECASE) for cell in row):
            continue
        if "Points Possible" in row[0]:
            possible = {key: row[at] for key, at in places.items()}
            continue
        found[row[number]] = {key: row[at] for key, at in places.items()}
    return found, possible


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["no BOM", "BOM"])
def test_canvas_reads_its_export_back_with_one_column_changed(documents, kind, delimiter, bom):
    text = gradebook(kind, delimiter)
    given = [documents[n] | {"submission": f"x_{number}_9_hw1"} for n, number in enumerate((11, 12))]
    filled = FORMATS["canvas"].fill(given, bom + text, "HW1")
    grades, possible = imported(filled.text.removeprefix("\ufeff"))
    assert grades == {str(n): {"4711": f"{one['score']:.2f}"} for n, one in zip((11, 12), given, strict=True)}
    assert possible == {"4711": "18.00"}
    before = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    after = list(csv.reader(io.StringIO(filled.text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))
    width = len(HEADS[kind].split(",")) - ("Notes" in HEADS[kind])
    assert [row[:width] for row in after] == [before[0][:width], *(row[:width] for row in before[2:5])]
    assert after[0][width:] == ["HW1 (4711)"] and filled.left_out == []
    if kind == "two columns of names":  # behind a mark Canvas would not know the first column again
        assert imported(filled.text)[0] == grades


@pytest.mark.parametrize("kind", HEADS)
def test_canvas_students_are_found_by_their_names(documents, kind):
    given = [documents[0] | {"submission": name} for name in ("Ada Lovelace", "O'Neill, 3rd, Ren\\xe9e")]
    filled = FORMATS["canvas"].fill(given, gradebook(kind), "4711")
    assert set(imported(filled.text)[0]) == {"11", "12"}


# Tables of one's own.


def test_pandas_reads_the_tables(documents):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; it comes with Otter")
    scores = pandas.read_csv(io.StringIO(FORMATS["csv"].many(documents)), keep_default_na=False)
    names = [row["name"] for row in documents[0]["assignments"]]
    assert list(scores.columns) == ["submission", "score", "max_score", "complete", "isolation", *names]
    assert list(scores["score"]) == [one["score"] for one in documents] and scores["score"].dtype.kind == "f"
    assert [str(name).removeprefix("'") for name in scores["submission"]] == [one["submission"] for one in documents]
    assert scores["complete"].all() and set(scores["isolation"]) == {one["isolation"]["level"] for one in documents}
    tests = pandas.read_csv(io.StringIO(FORMATS["csv-tests"].many(documents)), keep_default_na=False)
    sums = tests.groupby(["submission", "assignment"])["score"].sum()
    for document in documents:
        for row in document["assignments"]:
            (name,) = {key for key in tests["submission"] if str(key).removeprefix("'") == document["submission"]}
            assert sums[name, row["name"]] == pytest.approx(row["score"])
    found = pandas.DataFrame(json.loads(FORMATS["json"].many(documents))["documents"])
    assert list(found["submission"]) == [one["submission"] for one in documents]
