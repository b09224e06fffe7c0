"""Untrusted text in HTML, scripts, CSV and workflow logs: it is read as text and as nothing else."""

from __future__ import annotations

import csv
import html
import io
import json
import math
import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from grader.export.escape import (
    csv_cell,
    html_text,
    markdown_text,
    script_value,
    workflow_log,
    workflow_message,
    workflow_property,
    xml_text,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\" onmouseover='alert(1)' x=\"",
    "a & b &lt; c &amp;lt;",
    "]]><svg/onload=alert(1)>",
    "\u2028alert(1)\u2029",
    "plain",
]


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_the_text_and_has_no_tag_of_its(text):
    seen = _Seen()
    seen.feed(f'<p title="{html_text(text)}">{html_text(text)}</p>')
    seen.close()
    assert seen.tags == [("p", [("title", text)])]
    assert seen.text == text
    assert "<" not in html_text(text) and html.unescape(html_text(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_script_reads_back_the_value_and_ends_where_it_should(text):
    written = script_value({"name": text, text: [1, None, "é"]})
    assert not re.search("[<>&\u2028\u2029]", written)
    assert json.loads(written) == {"name": text, text: [1, None, "é"]}


def test_a_script_is_given_no_number_that_json_has_not():
    with pytest.raises(ValueError, match="JSON"):
        script_value([math.nan])


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u00a0=1",
        "＝1",
        "|calc",
        "=",
        "-",
        "--5",
    ],
)
def test_no_cell_begins_a_formula(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-2.5, 0, 41.0, "-2.5", "+3", "1e-3", "41"])
def test_numbers_stay_numbers(value):
    assert csv_cell(value) == value and float(csv_cell(value)) == float(value)


@pytest.mark.parametrize("value", ["ada", "it's", 'say "hi"', "a,b", "a\nb", "a=b", "-5 degrees"[1:], "١٢", ""])
def test_other_cells_are_left_alone_and_survive_the_file(value):
    out = io.StringIO(newline="")
    csv.writer(out).writerow([csv_cell(value), csv_cell("=1"), csv_cell(None)])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [value, "'=1", ""]


@pytest.mark.parametrize(
    "text",
    [
        "::error::forged",
        "a\n::set-output name=x::y",
        "a\r::notice::b",
        "##[error]x",
        "::stop-commands::t\n::t::",
        "a\u2028::b::",
    ],
)
def test_a_log_takes_no_commands_from_the_text(text):
    lines = workflow_log(text).split("\n")
    token = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert lines[-2:] == [f"::{token}::", ""]
    assert lines[1:-2] == text.splitlines()
    assert token not in text and "\r" not in workflow_log(text)


def test_no_two_fences_share_a_token():
    assert workflow_log("x") != workflow_log("x")


@pytest.mark.parametrize(
    "text", [*HOSTILE, "# a", "- a", "**b** _c_ `d` [e](f) ![g](h)", "|a|", "$x$", "~~a~~", "&#42;"]
)
def test_markdown_shows_the_text_and_sees_no_mark(text):
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py reads it back")
    seen = _Seen()
    seen.feed(markdown.MarkdownIt("gfm-like", {"linkify": False}).render(markdown_text(text)))
    assert [tag for tag, _ in seen.tags] == ["p"]
    assert seen.text.strip() == text.strip()


def test_xml_holds_what_it_can():
    text = "a\x00b\x1bc\ufffed\ud800e\té\U0001f4a5"
    assert xml_text(text) == "a\ufffdb\ufffdc\ufffdd\ufffde\té\U0001f4a5"
    element = ElementTree.Element("a", b=xml_text(text))
    assert ElementTree.fromstring(ElementTree.tostring(element)).get("b") == xml_text(text)


@pytest.mark.parametrize("text", ["50%, a: b\r\n::error::x", "%0A", "plain"])
def test_a_workflow_command_is_one_line_and_reads_back(text):
    for written in (workflow_message(text), workflow_property(text)):
        assert "\n" not in written and "\r" not in written and unquote(written) == text
    assert ":" not in workflow_property(text) and "," not in workflow_property(text)
