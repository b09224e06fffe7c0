"""The report's pages as files: what stands on them, and that nothing of a student's is markup there."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from grader.course import ROOT
from grader.documents import FolderError, file_stem, read_batch
from grader.report import write_report
from grader.report.site import number
from tests.report.synthetic import HOSTILE, add_up, make_class, write_class

ALLOWED = {"script", "style", "svg", "rect", "img", "source", "picture", "input", "button", "a", "meta"}


class Page(HTMLParser):
    """A page's tags, its text, its script and style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.inside, self.raw = [], "", None, {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in self.raw else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.raw[self.inside].append(data)
        else:
            self.text += data


@pytest.fixture(scope="module")
def report(pool, tmp_path_factory):
    documents = make_class(pool, 30)
    out = tmp_path_factory.mktemp("site")
    write_report(documents, out, make_class(pool, 30, seed=1))
    pages = {path.relative_to(out).as_posix(): Page(path.read_text("utf-8")) for path in out.rglob("*.html")}
    return documents, pages


def test_a_page_for_each_and_every_link_leads_somewhere(report):
    documents, pages = report
    assert len(pages) == len(documents) + 1
    for name, page in pages.items():
        ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
        targets = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
        assert targets
        for target in targets:
            if target.startswith("#"):
                assert target[1:] in ids
            else:
                path = unquote(urlsplit(target).path)
                there = path.removeprefix("../") if name.startswith("students/") else path
                assert there in pages, target


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else(report):
    _, pages = report
    for page in pages.values():
        policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
        for kind, found in page.raw.items():
            (text,) = found
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy
        for tag, attrs in page.tags:
            assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
            for name in ("src", "srcset", "action", "data", "poster"):
                assert attrs.get(name, "data:image/svg+xml;base64,").startswith("data:image/svg+xml;base64,")


def test_hostile_names_and_messages_are_text(report):
    documents, pages = report
    index = pages["index.html"]
    for name in HOSTILE:
        assert name.replace("/", "_") in index.text
    assert sum(tag == "img" for tag, _ in index.tags) == 4
    for document in documents:
        page = pages[f"students/{file_stem(document['submission'])}.html"]
        assert document["submission"] in page.text
        assert not {"img", "svg", "b"} & {tag for tag, _ in page.tags}
        for row in document["assignments"]:
            for test in row["tests"]:
                if test["status"] != "passed" and "\n" not in test["message"]:
                    assert test["message"] in page.text


def test_a_students_page_holds_nothing_that_is_hidden(report):
    documents, pages = report
    for document in documents:
        page = pages[f"students/{file_stem(document['submission'])}.html"]
        for row in document["assignments"]:
            public = {test["name"] for test in row["tests"] if test["visibility"] == "public"}
            for test in row["tests"]:
                if test["visibility"] == "hidden" and test["name"] not in public:
                    assert test["name"] not in page.text
                    readable = test["name"].removeprefix("test_").replace("_", " ")
                    assert not re.search(rf"\b{re.escape(readable)}(:|,|$| and \d+ more| <)", page.text, re.M)
        for other in documents:
            if other is not document and len(other["submission"]) > 6:
                assert other["submission"] not in page.text or other["submission"] in document["submission"]


def test_review_marks_are_for_the_instructor(pool, tmp_path):
    document = copy.deepcopy(pool[0])
    document["assignments"][0]["tests"][0]["review"] = "line 3 mentions <nn.LSTM>"
    index = write_report([document], tmp_path)
    assert "line 3 mentions <nn.LSTM>" in Page(index.read_text("utf-8")).text
    assert "mentions" not in (tmp_path / "students" / "ada.html").read_text("utf-8")


def test_few_students_are_flagged_and_many_are_not(pool, tmp_path):
    for size in (1, 19, 20):
        page = Page(write_report(make_class(pool, size), tmp_path / str(size)).read_text("utf-8"))
        assert ("mostly noise" in page.text) == (size < 20)


def test_a_class_without_a_verdict_has_a_report_too(pool, tmp_path):
    document = copy.deepcopy(pool[0])
    document["assignments"][0]["tests"][0].update(status="grader-error", score=0.0)
    add_up(document)
    page = Page(write_report([document], tmp_path).read_text("utf-8"))
    assert "0 of 1 submissions have a verdict" in page.text and "No submission has a verdict yet" in page.text


def test_the_same_class_gives_the_same_bytes(pool, tmp_path):
    documents = make_class(pool, 6)
    first, second = (write_report(documents, tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_file_names_are_plain_and_told_apart():
    stems = [file_stem(name) for name in [*HOSTILE, "ada", "a b", "a_b", "a?b", "CON", ".."]]
    assert len(set(stems)) == len(stems) and "ada" in stems
    assert all(re.fullmatch(r"[A-Za-z0-9_.~-]+", stem) and stem.strip(".") for stem in stems)


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_report_and_diff_on_the_command_line(pool, tmp_path):
    old = write_class(make_class(pool, 4), tmp_path / "old")
    new = write_class(make_class(pool, 4, seed=3), tmp_path / "new")
    done = command("report", new, "--before", old)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Before and after" in (new / "report" / "index.html").read_text("utf-8")
    done = command("diff", old, new)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith("of 4 scores changed.")
    assert command("diff", old, old).stdout == "0 of 4 scores changed.\n"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text(path.read_text().replace('"complete": true', '"complete": 1')),
        lambda path: path.write_text(path.read_text().replace('"score": ', '"score": NaN, "x": ', 1)),
        lambda path: path.write_text(path.read_text().replace('"passed"', '"perfect"', 1)),
        lambda path: path.write_text(path.read_text().replace('"score": ', f'"score": {10**400}, "x": ', 1)),
        lambda path: path.write_text(path.read_text().replace('"notes": [', '"notes": 7, "x": [', 1)),
        lambda path: path.rename(path.with_name("somebody-else.json")),
        lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_text(path.read_text().replace('"notes": [', '"notes": ["\\ud800"', 1)),
        lambda path: path.unlink(),
    ],
)
def test_what_is_no_batch_folder_is_refused_by_name(pool, tmp_path, spoil):
    folder = write_class(pool[:1], tmp_path / "class")
    assert read_batch(folder)[0]["submission"] == "ada"
    spoil(folder / "documents" / "ada.json")
    with pytest.raises(FolderError, match="documents"):
        read_batch(folder)


def test_a_wrong_folder_is_unusable_input(tmp_path):
    for arguments in (["report", tmp_path], ["diff", tmp_path, tmp_path], ["report", tmp_path / "nowhere"]):
        done = command(*arguments)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1


def test_templates_have_no_way_round_the_escaping():
    folder = ROOT / "grader" / "report" / "templates"
    for path in folder.glob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text("utf-8"))
    assert json.dumps(sorted(path.suffix for path in folder.iterdir())).count(".html") == 3


@pytest.mark.parametrize(
    ("value", "shown", "fixed"),
    [(12.0, "12", "12.00"), (0.6, "0.6", "0.60"), (-0.151, "−0.15", "−0.15"), (-0.001, "0", "0.00"), (None, "–", "–")],
)
def test_numbers_are_short_in_text_and_point_under_point_in_a_table(value, shown, fixed):
    assert (number(value), number(value, fixed=True)) == (shown, fixed)
