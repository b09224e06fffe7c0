"""Untrusted text for the formats of others: HTML and scripts in it, CSV, the log of a GitHub workflow.

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
_IN_SCRIPTS = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def html_text(text: str) -> str:
    """Text for the body of an HTML element or a quoted attribute: `<b>` gives `&lt;b&gt;`."""
    return html.escape(text, quote=True)


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


def workflow_log(text: str) -> str:
    """Lines for the log of a GitHub workflow in which no line is a command, whatever the text says.

    The text stands between `::stop-commands::TOKEN` and `::TOKEN::`; the token is new each time.
    """
    token = secrets.token_hex(16)
    lines = "\n".join(text.splitlines())
    return f"::stop-commands::{token}\n{lines}\n::{token}::\n"
