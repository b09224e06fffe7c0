"""What a document says beside points: who handed in and when, and a loss curve; on the pages and in exports."""

from __future__ import annotations

import copy
import csv
import io

import pytest

from grader.course import SOLUTIONS
from grader.documents import check_document
from grader.export.formats import FORMATS
from grader.report import write_report
from tests.report.synthetic import HOSTILE, make_class
from tests.report.test_site import Page


def coming(late=False, nothing=False, at="2026-10-01T23:51:00+02:00", **student):
    return {"from": "canvas", "students": [student], "late": late, "at": at, "nothing": nothing}


@pytest.fixture
def documents(pool):
    found = copy.deepcopy(make_class(pool, 6))
    for number, document in enumerate(found):
        document["handed_in"] = coming(name=HOSTILE[number], email=f"=s{number}@x.edu", ids=[f"canvas:{number}"])
    found[1]["handed_in"]["late"] = True
    found[2]["handed_in"] |= {"nothing": True, "late": None, "at": None}
    found[3]["assignments"][0]["tests"][0]["curve"] = [3.0, 2.5, 2.0]
    for document in found:
        check_document(document)
    return found


def test_the_report_says_who_was_late_and_who_is_missing(documents, tmp_path):
    page = Page(write_report(documents, tmp_path).read_text("utf-8"))
    assert "1 handed in late. 1 handed in nothing" in page.text
    assert all(HOSTILE[number] in page.text for number in range(6))
    tags = [attrs for tag, attrs in page.tags if attrs.get("class") == "tag"]
    assert tags and page.text.count("late") >= 2 and "missing" in page.text
    assert not {"b", "iframe"} & {tag for tag, _ in page.tags}


def test_who_handed_in_nothing_says_nothing_about_tests(documents, pool, tmp_path):
    present = [document for document in documents if not document["handed_in"]["nothing"]]
    with_them = Page(write_report(documents, tmp_path / "a").read_text("utf-8")).text
    without = Page(write_report(present, tmp_path / "b").read_text("utf-8")).text
    section = slice("\nTests\n", "\nStudents and tests\n")
    cut = [text[text.index(section.start) : text.index(section.stop)] for text in (with_them, without)]
    assert cut[0] == cut[1] and len(cut[0]) > 500


def test_a_students_page_has_the_time_and_the_curve(documents, tmp_path):
    write_report(documents, tmp_path)
    pages = [Page((tmp_path / "students" / name).read_text("utf-8")) for name in stems(documents)]
    assert "Handed in in time, 2026-10-01 23:51 (UTC+02:00)." in pages[0].text
    assert "Handed in late, " in pages[1].text and "Nothing was handed in." in pages[2].text
    assert [sum(tag == "img" for tag, _ in page.tags) for page in pages] == [0, 0, 0, 1, 0, 0]
    (picture,) = [attrs for tag, attrs in pages[3].tags if tag == "img"]
    assert picture["alt"] == "Loss of 3 epochs: 3 in the first, 2 in the last." and picture["src"].startswith("data:")
    for page, document in zip(pages, documents, strict=True):
        assert not any(f"s{n}@" in page.text for n in range(6) if n != documents.index(document))


def stems(documents):
    from grader.documents import file_stem

    return [f"{file_stem(document['submission'])}.html" for document in documents]


def test_plain_tables_say_it_too_and_no_formula(documents):
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].many(documents), newline="")))
    assert [row["late"] for row in rows] == ["no", "yes", "", "no", "no", "no"]
    assert [row["name"].removeprefix("'") for row in rows] == list(HOSTILE[:6])
    assert all(row["email"] == f"'=s{number}@x.edu" for number, row in enumerate(rows))


@pytest.mark.parametrize(
    "told",
    [
        7,
        {},
        {"from": "canvas", "students": [7], "nothing": False},
        {"from": "canvas", "students": [{"name": 7}], "nothing": False},
        {"from": "canvas", "students": [{"ids": [7]}], "nothing": False},
        {"from": "canvas", "students": [], "nothing": "no"},
        {"from": "canvas", "students": [], "nothing": False, "late": "yes"},
    ],
)
def test_a_malformed_coming_is_refused(pool, told):
    with pytest.raises(ValueError, match="handed_in"):
        check_document({**copy.deepcopy(pool[0]), "handed_in": told})


RETURNS = """

def wrapped(train):
    def other(*arguments, **options):
        train(*arguments, **options)
        return {}

    return other


train = wrapped(train)
"""


@pytest.mark.parametrize("returned", ["", "[float('nan'), 'x', 1e300, 2.0, True, [3.0]]", "7", "[1.0] * 100_000"])
def test_a_curve_is_a_public_tests_and_made_of_numbers(grade_own, returned):
    sources = {f"{name}.py": (SOLUTIONS / f"{name}.py").read_text() for name in ("training", "batching")}
    if returned:
        sources["training.py"] += RETURNS.format(returned)
    document = grade_own(sources, ["training"])
    check_document(document)
    drawn = {test["name"]: test for test in document["assignments"][0]["tests"] if "curve" in test}
    assert list(drawn) == ["test_on_epoch"] and drawn["test_on_epoch"]["visibility"] == "public"
    curve = drawn["test_on_epoch"]["curve"]
    if returned:
        assert curve == {"[": [2.0], "7": [], "*": [1.0] * 200}["*" if "*" in returned else returned[0]]
    else:
        assert len(curve) == 8 and curve == sorted(curve, reverse=True) and curve[-1] < 0.6 * curve[0]
