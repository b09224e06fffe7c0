"""Exports, read back by parsers that were not written here; names and texts in them are hostile."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from grader import arguments
from grader.course import ROOT
from grader.export.formats import FORMATS, GradebookError
from tests.report.synthetic import HOSTILE, add_up, make_class, write_class

# Gradescope's documentation of results.json: every key there is, and the type of its value.
GRADESCOPE = {
    "score": (int, float),
    "execution_time": (int, float),
    "output": str,
    "output_format": str,
    "test_output_format": str,
    "test_name_format": str,
    "visibility": str,
    "stdout_visibility": str,
    "extra_data": dict,
    "tests": list,
    "leaderboard": list,
}
GRADESCOPE_TEST = {
    "score": (int, float),
    "max_score": (int, float),
    "status": str,
    "name": str,
    "name_format": str,
    "number": str,
    "output": str,
    "output_format": str,
    "tags": list,
    "visibility": str,
    "extra_data": dict,
}
DISARMED = {"##[error]forged": "# #[error]forged", "::error::forged": ": :error::forged"}
VISIBILITIES = {"visible", "hidden", "after_due_date", "after_published"}
STATED = {"text", "html", "simple_format", "md", "ansi"}
MESSAGE = 'off by <b>0.5</b> & ]]>\n\n::error::x\n##[error]y | `z`\n100% of "it" \U0001f4a5'


@pytest.fixture(scope="module")
def documents(pool):
    found = make_class(pool, 26)
    wrong = next(t for t in found[1]["assignments"][0]["tests"] if t["visibility"] == "public")
    wrong.update(status="failed", score=0.0, message=MESSAGE)
    add_up(found[1])
    return found


def all_tests(documents):
    return [(d, row, test) for d in documents for row in d["assignments"] for test in row["tests"]]


def test_the_command_line_knows_every_format():
    assert tuple(FORMATS) == arguments.CLASS_FORMATS
    assert tuple(form.name for form in FORMATS.values() if form.one) == arguments.ONE_FORMATS


def test_json_gives_the_documents_back(documents):
    assert json.loads(FORMATS["json"].many(documents))["documents"] == documents
    assert json.loads(FORMATS["json"].one(documents[1])) == documents[1]
    assert "##[" not in FORMATS["json"].many(documents)


def test_csv_has_a_row_each_and_no_formula(documents):
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].many(documents), newline="")))
    assert [row["submission"].removeprefix("'") for row in rows] == [d["submission"] for d in documents]
    assert [float(row["score"]) for row in rows] == [d["score"] for d in documents]
    assert [float(row["cells"]) for row in rows] == [d["assignments"][0]["score"] for d in documents]
    tests = list(csv.DictReader(io.StringIO(FORMATS["csv-tests"].many(documents), newline="")))
    assert [row["message"].removeprefix("'") for row in tests] == [t["message"] for _, _, t in all_tests(documents)]
    for row in [*rows, *tests]:
        assert not any(re.match(r"[=+@|\t\r]|-(?!\d)", cell) for cell in row.values())


def test_gradescope_takes_it_as_documented(documents):
    for document in documents:
        found = json.loads(FORMATS["gradescope"].one(document))
        for table, known in [(found, GRADESCOPE), *((test, GRADESCOPE_TEST) for test in found["tests"])]:
            for key, value in table.items():
                assert isinstance(value, known[key]), key
                assert "visibility" not in key or value in VISIBILITIES
                assert "format" not in key or value in STATED
        assert found["score"] == document["score"] == pytest.approx(sum(test["score"] for test in found["tests"]))
        assert len({test["name"] for test in found["tests"]}) == len(found["tests"])
        for (_, _, ours), theirs in zip(all_tests([document]), found["tests"], strict=True):
            assert theirs["output"] == ours["message"]
            assert theirs["status"] == ("passed" if ours["status"] == "passed" else "failed")
            assert theirs["visibility"] == {"public": "visible", "hidden": "after_published"}[ours["visibility"]]
            if ours["visibility"] == "hidden":
                assert re.search(r": hidden test \d+$", theirs["name"])


def test_junit_is_what_its_readers_expect(documents):
    root = ET.fromstring(FORMATS["junit"].many(documents))
    cases = list(root.iter("testcase"))
    expected = all_tests(documents)
    assert len(cases) == len(expected) == int(root.get("tests"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    for case, (document, row, test) in zip(cases, expected, strict=True):
        assert (case.get("classname"), case.get("name")) == (f"{document['submission']}.{row['name']}", test["name"])
        kind = {"passed": None, "failed": "failure"}.get(test["status"], "error")
        assert [child.tag for child in case if child.tag != "properties"] == ([kind] if kind else [])
        if kind:
            assert case.find(kind).text == test["message"] and case.find(kind).get("type") == test["status"]
        points = {each.get("name"): each.get("value") for each in case.iter("property")}
        assert float(points["score"]) == test["score"]
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))


def test_junit_has_the_shape_of_pytests_own(documents, tmp_path):
    (tmp_path / "test_it.py").write_text("def test_a(): pass\ndef test_b(): assert 0\n")
    theirs = tmp_path / "theirs.xml"
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={theirs}", str(tmp_path)]
    subprocess.run(line, cwd=tmp_path, capture_output=True, check=False)
    pairs = {(parent.tag, child.tag) for parent in ET.parse(theirs).iter() for child in parent}
    ours = ET.fromstring(FORMATS["junit"].many(documents))
    extra = {"properties", "property", "error"}  # where pytest writes them they stand in the same places
    assert {(p.tag, c.tag) for p in ours.iter() for c in p if c.tag not in extra} == pairs


def test_junitparser_reads_it(documents, tmp_path):
    junitparser = pytest.importorskip("junitparser", reason="junitparser is not installed; two other readers are tried")
    (tmp_path / "x.xml").write_text(FORMATS["junit"].many(documents), encoding="utf-8")
    found = junitparser.JUnitXml.fromfile(str(tmp_path / "x.xml"))
    assert found.tests == len(all_tests(documents))
    assert found.failures == sum(test["status"] == "failed" for _, _, test in all_tests(documents))


def test_the_summary_is_text_in_markdown_and_html(documents):
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py reads the summary")
    from html.parser import HTMLParser

    class Seen(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.text = set(), ""

        def handle_starttag(self, tag, attrs):
            assert not attrs
            self.tags.add(tag)

        def handle_data(self, data):
            self.text += data

    for shown in (documents, documents[1:2]):
        seen = Seen()
        seen.feed(markdown.MarkdownIt("gfm-like", {"linkify": False}).render(FORMATS["github-summary"].many(shown)))
        assert seen.tags <= {"h2", "table", "thead", "tbody", "tr", "th", "td", "p", "b", "details", "summary", "pre"}
        for document in shown:
            assert DISARMED.get(document["submission"], document["submission"]) in seen.text
        assert 'off by <b>0.5</b> & ]]>\n\n: :error::x\n# #[error]y | `z`\n100% of "it"' in seen.text


def test_a_summary_ends_before_it_would_be_dropped(documents):
    many = [copy.deepcopy(documents[2]) | {"submission": f"s{n}"} for n in range(400)]
    for document in many:
        for _, _, test in all_tests([document]):
            test.update(status="failed", message="ü" * 900)
    text = FORMATS["github-summary"].many(many)
    assert 800 * 1024 < len(text.encode()) <= 900 * 1024 and "The rest is left out" in text
    assert text.count("<details>") == text.count("</details>") > 10


def test_the_log_gives_githubs_runner_our_commands_and_no_others(documents):
    for shown in (documents[1:2], documents):
        lines = FORMATS["github-annotations"].many(shown).split("\n")
        stop = lines[0].removeprefix("::stop-commands::")
        end = lines.index(f"::{stop}::")
        assert re.fullmatch("[0-9a-f]{32}", stop) and stop not in "".join(lines[1:end])
        commands = [re.fullmatch(r"::(error|notice) title=([^:,]*)::(.*)", line) for line in lines[end + 1 : -1]]
        assert all(commands) and not any("##[" in line for line in lines)
        assert 1 <= sum(found[1] == "error" for found in commands) <= 10
    assert any("off by <b>0.5</b> & ]]>%0A%0A: :error::x%0A" in line and "100%25 of" in line for line in lines)


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,HW1 (4711),HW2 (4712),Final Score\r\n"
    ",,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,28.00,50.00,(read only)\r\n"
    '"Lovelace, Ada",11,s-11,ada-000,A,,3.00,7\r\n'
    '"O\'Neill, 3rd, Renée",12,s-12,rene,A,1.00,,\r\n'
    "=cmd(),13,s-13,chloe-002,A,EX,,\r\n"
    "Twin,14,s-14,t1,A,,,\r\nTwin,15,s-15,t2,A,,,\r\n"
    '"Student, Test",16,,x,A,,,\r\n'
)


def named(document, name):
    return document | {"submission": name}


def test_canvas_gets_the_one_column_and_only_who_was_graded(documents):
    given = [documents[0], documents[2], named(documents[4], "oneill_LATE_12_99_hw1"), named(documents[5], "Twin")]
    filled = FORMATS["canvas"].fill([*given, named(documents[6], "nobody")], CANVAS, "HW1")
    head, possible, *rows = csv.reader(io.StringIO(filled.text, newline=""), strict=True)
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW1 (4711)"]
    assert possible == ["    Points Possible", "", "", "", "", "28.00"]
    assert {row[1]: row[5] for row in rows} == {
        "11": f"{documents[0]['score']:.2f}",
        "12": f"{documents[4]['score']:.2f}",
        "13": f"{documents[2]['score']:.2f}",
    }
    assert [row[0] for row in rows] == ["Lovelace, Ada", "O'Neill, 3rd, Renée", "'=cmd()"]
    assert filled.grades == 3 and len(filled.left_out) == 2 and not filled.doubt
    assert "2 in the gradebook are called that" in filled.left_out[0]


def test_canvas_columns_are_asked_for_and_maxima_compared(documents):
    for asked, says in ((None, "--column"), ("HW3", "'HW3'")):
        with pytest.raises(GradebookError, match=says):
            FORMATS["canvas"].fill(documents, CANVAS, asked)
    for asked in ("4712", "HW2 (4712)"):
        filled = FORMATS["canvas"].fill(documents, CANVAS, asked)
        assert "HW2 (4712)" in filled.text.splitlines()[0] and "out of 50" in filled.doubt


def test_a_name_that_says_two_students_is_neither(documents):
    filled = FORMATS["canvas"].fill([named(documents[0], "evil_11_22_x_13_44_hw1")], CANVAS, "HW1")
    assert filled.grades == 0 and "2 in the gradebook" in filled.left_out[0]


def test_nobody_gets_two_grades_and_no_verdict_is_no_grade(documents):
    second = named(documents[1], "x_11_22_hw1")
    filled = FORMATS["canvas"].fill([documents[0], second, documents[2] | {"complete": False}], CANVAS, "HW1")
    assert filled.grades == 1 and filled.left_out[0] == "ada-000: x_11_22_hw1 has that row already"
    assert filled.left_out[1] == "chloe-002: no verdict"


def test_a_number_is_placed_first_and_by_nothing_else(documents):
    """A display name that Canvas put before another user's number is no login, and takes no row."""
    student = {"name": "ada-000", "ids": ["canvas:99"]}
    stranger = named(documents[1], "ada-000_99") | {"handed_in": {"from": "canvas", "students": [student]}}
    nameless = named(documents[2], "x") | {"handed_in": {"from": "folder", "students": [{"name": "ada-000"}]}}
    own = named(documents[0], "lovelaceada_11_22_hw1")
    for given in ([stranger, nameless, own], [own, nameless, stranger]):
        filled = FORMATS["canvas"].fill(given, CANVAS, "HW1")
        assert [row[1] for row in csv.reader(io.StringIO(filled.text))][2:] == ["11"]
        assert sorted(filled.left_out) == [
            "ada-000_99: nobody in the gradebook has the number 99",
            "x: nobody in the gradebook is called that",
        ]


def test_semicolons_and_decimal_commas_stay(documents):
    text = "Student;ID;SIS Login ID;Section;HW1 (1)\nPoints Possible;;;;28,00\nA;11;ada-000;S;\n"
    filled = FORMATS["canvas"].fill(documents[:1], "\ufeff" + text, None)
    assert filled.text.startswith("\ufeffStudent;ID;") and not filled.doubt
    assert filled.text.splitlines()[-1] == f"A;11;ada-000;S;{documents[0]['score']:.2f}".replace(".", ",")


MOODLE = (
    "\ufeffIdentifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 501,Ada Lovelace,,ada@x.edu,Submitted,,28.00,Yes,"Monday, 1 June 2026, 1:00 PM",-,\r\n'
    "Participant 502,=Ren\u00e9e,,r@x.edu,Submitted,3.00,28.00,Yes,-,-,=as it was\r\n"
    "Participant 503,Grace,77,g@x.edu,No submission,,28.00,Yes,-,-,\r\n"
)


def test_moodle_gets_its_worksheet_back_with_grades(documents):
    given = [named(documents[0], "Ada Lovelace_501_assignsubmission_file_"), named(documents[1], "77")]
    filled = FORMATS["moodle"].fill(given, MOODLE, None)
    before = list(csv.reader(io.StringIO(MOODLE.removeprefix("\ufeff"), newline="")))
    after = list(csv.reader(io.StringIO(filled.text.removeprefix("\ufeff"), newline=""), strict=True))
    assert filled.text.startswith("\ufeff") and (filled.grades, filled.left_out, filled.doubt) == (2, [], "")
    assert [row[5] for row in after[1:]] == [f"{documents[0]['score']:.2f}", "3.00", f"{documents[1]['score']:.2f}"]
    before[2][1] = "'=Renée"  # a formula in what the importer doesn't read
    assert [row[:5] + row[6:] for row in after] == [row[:5] + row[6:] for row in before]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("canvas", ""),
        ("canvas", "a,b\n1,2\n"),
        ("canvas", MOODLE),
        ("canvas", "Student,ID,x,Section,HW (1)\nA,1,a,S,\n"),
        ("moodle", CANVAS),
        ("moodle", "Bezeichner,Bewertung\n1,2\n"),
        ("moodle", 'Identifier,"Grade\n'),
        ("canvas", '"' + "x" * (2**20 + 1) + '"'),
    ],
)
def test_what_is_no_gradebook_is_refused(documents, form, text):
    with pytest.raises(GradebookError):
        FORMATS[form].fill(documents, text, None)


def command(*arguments):
    line = [sys.executable, "-m", "grader", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def test_export_on_the_command_line(documents, tmp_path):
    folder = write_class(documents, tmp_path / "class")
    done = command("export", folder, "--format", "csv", "-a", "cells")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("\n") == len(documents) + 1
    assert command("export", folder, "--format", "gradescope", "--out", tmp_path / "scope").returncode == 0
    assert len(list((tmp_path / "scope").iterdir())) == len(documents)
    (tmp_path / "canvas.csv").write_bytes(CANVAS.encode())
    gradebook = ["--gradebook", tmp_path / "canvas.csv", "--column", "HW1", "--out", tmp_path / "import.csv"]
    done = command("export", folder, "--format", "canvas", *gradebook)
    assert done.returncode == 0 and "2 grades are in the file." in done.stderr
    assert all(line.startswith("grader: ") for line in done.stderr.splitlines())
    assert (tmp_path / "import.csv").read_bytes().count(b"\r\n") == 4
    done = command("export", folder, "--format", "canvas", *gradebook[:-1], tmp_path / "canvas.csv")
    assert done.returncode == 2 and "is the gradebook itself" in done.stderr
    assert (tmp_path / "canvas.csv").read_bytes() == CANVAS.encode()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "poetry"],
        ["--format", "canvas"],
        ["--format", "gradescope"],
        ["--format", "csv", "--column", "x"],
        ["--format", "csv", "-a", "poetry"],
        ["--format", "csv", "--out", "/nowhere/at/all"],
        ["--format", "moodle", "--gradebook", "/nowhere/at/all"],
    ],
)
def test_unusable_wishes_are_one_line_and_two(documents, tmp_path, arguments):
    done = command("export", write_class(documents[:2], tmp_path / "class"), *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("wish", "out"),
    [
        ("gradescope", "documents"),
        *(("csv", name) for name in ("summary.csv", "ledger.sqlite")),
        ("json", "documents/ada-000.json"),
    ],
)
def test_what_is_exported_from_is_not_overwritten(documents, tmp_path, wish, out):
    folder = write_class(documents[:1], tmp_path / "class")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = command("export", folder, "--format", wish, "--out", folder / out)
    assert done.returncode == 2 and "part of the class itself. Give --out another name" in done.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_report_in_place_of_a_file_is_refused(documents, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "more"):
        done = command("report", write_class(documents[:1], tmp_path / f"{out.name}.d"), "--out", out)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "Give --out a folder" in done.stderr


def test_grade_writes_one_document_in_another_format(tmp_path):
    target = tmp_path / "ada.json"
    options = ["-a", "cells", "--require-isolation", "split", "--format", "junit", "--json", target]
    done = command("grade", ROOT / "solutions", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(ET.fromstring(done.stdout).get("tests")) == len(all_tests([json.loads(target.read_text())]))
    for wish in (["--format", "canvas"], ["--format", "junit", "--json", "-"]):
        done = command("grade", ROOT / "solutions", *wish)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_the_names_are_as_hostile_as_they_should_be(documents):
    assert {name.replace("/", "_") for name in HOSTILE} <= {document["submission"] for document in documents}
