"""The pages in docs/: every command they show is one, and every link leads to a file."""

from __future__ import annotations

import re
import shlex

import pytest

from grader.arguments import parser
from grader.course import ROOT
from grader.status import Stop

PAGES = sorted((ROOT / "docs").glob("*.md"))
COMMAND = re.compile(r"^(?:\.venv/bin/)?grader ([a-z].*)$", re.M)


def commands(page):
    blocks = re.findall(r"^```\w*\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    return [line for block in blocks for line in COMMAND.findall(block)]


def test_there_are_pages_and_commands():
    assert sum(len(commands(page)) for page in PAGES) >= 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_can_be_typed(page):
    for line in commands(page):
        parser().parse_args(shlex.split(line))
    with pytest.raises(Stop):
        parser().parse_args(["batch", "x", "--out", "y", "--frm", "canvas"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
