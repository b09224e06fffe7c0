"""The statements at the top level of a cell, each by itself: what it binds, changes and needs, and of what kind it is.

Parsed and compiled, never run. What the names mean among all statements is the business of `program`.
"""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from .code_cells import Cell, without_magics
from .limits import CELL_LIMIT, STATEMENTS_LIMIT

ALWAYS_THERE = frozenset(sys.stdlib_module_names) | {"torch", "numpy"}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Conditional = ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.With | ast.AsyncWith | ast.Match


@dataclass(eq=False)
class Statement:
    """One statement at the top level of a cell, and what it means for names."""

    node: ast.stmt
    text: str
    cell: Cell
    line: int
    at: int  # its place among all statements
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    methods_of: set[str] = field(default_factory=set)  # names of which it calls a method: may change them
    now: set[str] = field(default_factory=set)  # names it needs when it runs
    later: set[str] = field(default_factory=set)  # names that its functions need when they are called


def statements_of(cell: Cell, start: int, notes: list[str]) -> list[Statement]:
    """The statements of a cell, magics left out; none if it is not Python. `notes` says what was dropped."""
    source = cell.source
    if not source.strip():
        return []
    if len(source) > CELL_LIMIT:
        notes.append(f"{cell.label} is passed over: it is larger than 1 MiB")
        return []
    if "\0" in source:
        notes.append(f"{cell.label} is passed over: it contains NUL bytes")
        return []
    try:
        tree = _parsed(source)
    except SyntaxError:
        source = without_magics(cell, notes)
        try:
            tree = _parsed(source)
        except (SyntaxError, ValueError) as problem:
            where = f" in line {problem.lineno}" if isinstance(problem, SyntaxError) and problem.lineno else ""
            what = problem.msg if isinstance(problem, SyntaxError) else "it can't be parsed"
            notes.append(f"{cell.label} is passed over: it is not Python ({what}{where})")
            return []
    if len(tree.body) > STATEMENTS_LIMIT:
        notes.append(f"{cell.label} is passed over: it holds more than 10,000 statements")
        return []
    lines = [line.encode("utf-8", "surrogatepass") for line in source.split("\n")]  # as the parser counts columns
    found: list[Statement] = []
    for before, node in zip([None, *tree.body], tree.body):
        text, line = _text_of(node, before, lines)
        statement = Statement(node, text, cell, line, start + len(found))
        try:
            _understand(statement)
        except SyntaxError as problem:
            if not _waits(node):  # top-level await is fine in Jupyter, and work: nothing to mention
                notes.append(f"{cell.label}, line {line} is passed over: {problem.msg}")
            continue
        found.append(statement)
    return found


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (RecursionError, MemoryError):
        raise SyntaxError("it is nested too deep for Python's parser") from None
    except ValueError as problem:
        raise SyntaxError(str(problem)) from None


def _text_of(node: ast.stmt, before: ast.stmt | None, lines: list[bytes]) -> tuple[str, int]:
    """A statement's own lines, comments at their ends included, and the number of the first."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    last = node.end_lineno or node.lineno
    own = lines[first - 1 : last]
    shared = node.col_offset > 0 or (before is not None and before.end_lineno == first)
    if shared or own[-1][node.end_col_offset : (node.end_col_offset or 0) + 80].lstrip().startswith(b";"):
        own[-1] = own[-1][: node.end_col_offset]
        own[0] = own[0][node.col_offset :]
    return b"\n".join(own).decode("utf-8", "surrogatepass"), first


def _waits(node: ast.stmt) -> bool:
    return any(isinstance(inner, ast.Await | ast.AsyncFor | ast.AsyncWith) for inner in ast.walk(node))


def _understand(statement: Statement) -> None:
    """Fill in what the statement binds, changes and needs. Raises SyntaxError where Python would."""
    node = statement.node
    try:
        compile(statement.text, "cell", "exec", dont_inherit=True)
        table = symtable.symtable(statement.text, "cell", "exec")
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise SyntaxError("it is nested too deep for Python's compiler") from None
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported():
            statement.binds.add(symbol.get_name())
        if symbol.is_referenced():
            statement.now.add(symbol.get_name())
    waiting = [(child, True) for child in table.get_children()]
    while waiting:
        inner, runs_now = waiting.pop()
        kind = str(inner.get_type()).lower()
        runs_now = runs_now and ("function" not in kind or inner.get_name() in _COMPREHENSIONS)
        for symbol in inner.get_symbols():
            if symbol.is_global() and (symbol.is_referenced() or symbol.is_assigned()):
                (statement.now if runs_now else statement.later).add(symbol.get_name())
        waiting += [(child, runs_now) for child in inner.get_children()]
    if isinstance(node, Definition):
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call):  # @add_to(Cell)
                inside = [inner for part in decorator.args for inner in ast.walk(part)]
                statement.changes.update(inner.id for inner in inside if isinstance(inner, ast.Name))
            statement.methods_of.update(_root(decorator))
        return
    if isinstance(node, ast.AugAssign):
        statement.now |= statement.binds
    if isinstance(node, ast.Delete):
        statement.binds.clear()
    for part in outside_functions(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            statement.changes.update(_root(part))
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            call = part.value
            if isinstance(call.func, ast.Attribute):
                statement.methods_of.update(_root(call.func))
            elif isinstance(call.func, ast.Name) and call.func.id == "setattr" and call.args:
                statement.changes.update(_root(call.args[0]))


_COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")


def _root(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def outside_functions(node: ast.AST) -> Iterable[ast.AST]:
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        yield inner
        if not isinstance(inner, Definition | ast.Lambda):
            waiting += ast.iter_child_nodes(inner)


def is_definition(statement: Statement) -> bool:
    node = statement.node
    if isinstance(node, ast.If | ast.Try | ast.With):
        return any(isinstance(inner, Definition) for inner in outside_functions(node))
    return isinstance(node, Definition)


def gives_function(statement: Statement, name: str) -> bool:
    """`f = g`, `f = module.g`, `f = lambda …`, `f = wrap(f)`, or an import: another function, and no data."""
    node = statement.node
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Assign) or not any(isinstance(target, ast.Name) for target in node.targets):
        return False
    value = node.value
    if isinstance(value, ast.Call):
        return any(isinstance(argument, ast.Name) and argument.id == name for argument in value.args)
    return isinstance(value, ast.Name | ast.Attribute | ast.Lambda)


def may_be_function(statement: Statement) -> bool:
    node = statement.node
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Assign) or not any(isinstance(target, ast.Name) for target in node.targets):
        return False
    return isinstance(node.value, ast.Call | ast.Name | ast.Attribute | ast.Lambda)


def takes_from(statement: Statement, module: str) -> bool:
    return isinstance(statement.node, ast.ImportFrom) and statement.node.module == module


def trains(statement: Statement) -> bool:
    """A loop that takes optimiser steps: work, whatever it may leave behind."""
    return isinstance(statement.node, ast.For | ast.While) and any(
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Attribute)
        and inner.func.attr in ("backward", "step")
        for inner in ast.walk(statement.node)
    )


def cannot_fail(node: ast.stmt) -> bool:
    """Whether running the statement can't raise: plain functions, constants, imports of what is always there."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        annotated = node.returns is not None or any(a is not None and a.annotation is not None for a in arguments)
        defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
        return not node.decorator_list and not annotated and all(isinstance(d, ast.Constant) for d in defaults)
    if isinstance(node, ast.Import):
        return all(alias.name in ALWAYS_THERE for alias in node.names)
    plain = isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets)
    return plain and isinstance(node.value, ast.Constant)  # type: ignore[attr-defined]
