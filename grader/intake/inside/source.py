"""Looks at one of the contract's modules: is it text, does it parse, does it use the library's cells?"""

from __future__ import annotations

import os
import sys
from typing import Any

from .limits import CODE_LIMIT, FINDINGS_LIMIT


def look_at(name: str, job: dict[str, Any], summary: dict[str, Any]) -> None:
    """Decode and parse one of the contract's modules, and scan it for library cells."""
    if name not in summary["files"]:
        return
    if name in job["skip"]:
        summary["unreadable"][name] = "Python's parser gives up on it"
        return
    with open(os.path.join(job["folder"], name), "rb") as file:
        raw = file.read()
    if b"\0" in raw:
        summary["unreadable"][name] = "it contains NUL bytes"
        return
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        summary["unreadable"][name] = f"it is not UTF-8 (byte {problem.start})"
        return
    cookie = _declared_encoding(text)
    plain = cookie in (None, "utf-8", "utf8") or cookie.startswith("utf-8-")
    if not plain and not (cookie in ("ascii", "us-ascii") and text.isascii()):
        summary["unreadable"][name] = f"it declares the encoding {cookie}; only UTF-8 is read"
        return
    print(f"parsing {name}", file=sys.stderr, flush=True)
    import ast

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(text, name)
    except (SyntaxError, ValueError):
        return  # importing it will say the same, with its line, for each test
    except (RecursionError, MemoryError):
        summary["unreadable"][name] = "it is nested too deep for Python's parser"
        return
    if name in job["scan"]:
        from .source_scan import scan

        try:
            found = scan(tree, text.split("\n"), job["scan"][name])
        except RecursionError:
            summary["unreadable"][name] = "it is nested too deep to be looked at"
            return
        for certain in (True, False):
            rows = [
                {**row, "file": name, "code": row["code"][:CODE_LIMIT]} for row in found if row["certain"] is certain
            ]
            for contract_name in job["scan"][name]:
                summary["findings"] += [row for row in rows if row["name"] == contract_name][:FINDINGS_LIMIT]


def _declared_encoding(text: str) -> str | None:
    """The encoding a `# -*- coding: … -*-` line declares to Python, normalised, or None."""
    import re

    for line in re.split(r"\r\n|\r|\n", text, maxsplit=2)[:2]:
        match = re.match(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line)
        if match:
            return match.group(1).lower().replace("_", "-")
        if not re.match(r"^[ \t\f]*(?:#.*)?$", line):
            return None  # below a line of code, such a comment declares nothing
    return None
