"""Writes one module of the statements chosen for it, so that one that fails does not sink the rest.

A statement that fails when the module is imported is passed over; who asks for what it would have
defined gets its error. If a redefinition fails, the definition before it still counts.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from .statements import Definition, Statement, cannot_fail

STAND_INS = {  # what Jupyter has and Python has not
    "display": "def display(*objects, **options):\n    print(*objects)\n",
    "get_ipython": "def get_ipython():\n    return None\n",
}
Span = tuple[int, int, str, int]  # first and last line of a made module, the cell, and the first line in it


@dataclass
class Made:
    """A module made of cells: its source, and which of its lines come from where."""

    source: str
    spans: list[Span]


def in_order(taken: set[Statement], first: Mapping[Statement, list[Statement]]) -> list[Statement]:
    """The statements as they stand in the notebook, but what one needs when it runs before it."""
    ordered: dict[Statement, None] = {}
    for statement in sorted(taken, key=lambda statement: statement.at):
        waiting = [(statement, False)]
        entered: set[Statement] = set()
        while waiting:
            current, ready = waiting.pop()
            if current in ordered:
                continue
            if ready or not first.get(current):
                ordered[current] = None
            elif current not in entered:
                entered.add(current)
                waiting.append((current, True))
                needed = sorted(first[current], key=lambda statement: -statement.at)
                waiting += [(need, False) for need in needed if need not in entered]
    return list(ordered)


def written(
    module: str,
    statements: list[Statement],
    features: list[str],
    siblings: Mapping[str, tuple[str, bool]],
    jupyter: set[str],
) -> Made:
    lines = [f"# Made of a notebook's cells: what {module} needs of them."]
    lines += [f"from __future__ import {feature}" for feature in features]
    lines += ["_passed_over = {}", ""]
    for name in sorted(jupyter):
        lines += STAND_INS[name].split("\n")
    lines += [f"from {home} import {name}" for name, (home, at_once) in siblings.items() if at_once]
    spans: list[Span] = []
    cell = ""
    for statement in statements:
        if statement.cell.label != cell:
            cell = statement.cell.label
            lines += ["", "# " + ascii(cell)[1:-1]]
        own = statement.text.split("\n")
        guarded = not cannot_fail(statement.node)
        if isinstance(statement.node, Definition):
            lines.append("")
        if guarded:
            lines.append("try:")
            own = _indented(statement, own)
        start = len(lines) + 1
        if spans and spans[-1][2] == cell and start - spans[-1][0] == statement.line - spans[-1][3]:
            spans[-1] = (spans[-1][0], start + len(own) - 1, cell, spans[-1][3])
        else:
            spans.append((start, start + len(own) - 1, cell, statement.line))
        lines += own
        if guarded:
            lines.append("except BaseException as _problem:")
            lines.append(f"    _passed_over.update(dict.fromkeys({sorted(statement.binds)!r}, _problem))")
    lines += [f"from {home} import {name}" for name, (home, at_once) in siblings.items() if not at_once]
    lines += textwrap.dedent(
        """

        def __getattr__(name):
            if name in _passed_over:
                raise _passed_over[name]
            raise AttributeError(name)
        """
    ).split("\n")
    return Made("\n".join(lines), spans)


def _indented(statement: Statement, lines: list[str]) -> list[str]:
    """The statement one level deeper; what stands inside a string of several lines stays as it is."""
    kept: set[int] = set()
    offset = statement.line
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Constant | ast.JoinedStr) and isinstance(getattr(node, "value", ""), str | bytes):
            kept.update(range(node.lineno + 1 - offset, (node.end_lineno or node.lineno) + 1 - offset))
    return [line if number in kept or not line else f"    {line}" for number, line in enumerate(lines)]
