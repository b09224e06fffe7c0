"""Untrusted text for the formats of others: HTML and scripts in it, Markdown, XML, CSV, GitHub workflows.

What is shown has been made printable before; here it is kept from being read as markup, as a formula
or as a command. Every exporter uses these and nothing of its own.
"""

from __future__ import annotations

import html
import json
import re
import secrets
from typing import Any

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "|", "＝", "＋", "－", "＠")  # the wide ones open one too
_MARKS = re.compile(r"[\\`*_{}\[\]()+!|~@:$-]|(?<!&)#")  # the `#` of a reference stays
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_SCRIPTS = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def html_text(text: str) -> str:
    """Text for the body of an HTML element or a quoted attribute: `<b>` gives `&lt;b&gt;`."""
    return html.escape(text, quote=True)


def markdown_text(text: str) -> str:
    """Text for Markdown, inside HTML or outside it: `*a*` gives `&#42;a&#42;`, and no mark is left to see."""
    return _MARKS.sub(lambda match: f"&#{ord(match.group())};", html_text(text))


def xml_text(text: str) -> str:
    """Text without the characters that XML can't hold at all; the writer of XML escapes the rest."""
    return _NO_XML.sub("\ufffd", text)


def script_value(value: Any) -> str:
    r"""A value as JSON that may stand inside `<script>`: `"</script>"` gives `"\u003c/script\u003e"`.

    Raises ValueError for NaN and infinities, which are no JSON.
    """
    return json.dumps(value, allow_nan=False).translate(_IN_SCRIPTS)


def csv_cell(value: str | float | None) -> str | float:
    """A cell for `csv.writer` that no spreadsheet takes for a formula; numbers stay numbers.

    `=1+1` gives `'=1+1`; `-2.5`, as a number or as text, stays what it is.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}" if value.lstrip(" \u00a0").startswith(_FORMULA) else value


def workflow_message(text: str) -> str:
    """The message of a workflow command, which ends with its line: `a%` and a line break give `a%25%0A`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """The value of a workflow command's property, such as its title."""
    return workflow_message(text).replace(":", "%3A").replace(",", "%2C")


def workflow_log(text: str) -> str:
    """Lines for the log of a GitHub workflow in which no line is a command, whatever the text says.

    The text stands between `::stop-commands::TOKEN` and `::TOKEN::`; the token is new each time.
    """
    token = secrets.token_hex(16)
    lines = "\n".join(text.splitlines())
    return f"::stop-commands::{token}\n{lines}\n::{token}::\n"
