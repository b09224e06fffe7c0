"""Makes the contract's modules of a notebook's code cells. It parses; nothing of a student's is run.

What is taken, and how a name gets its meaning:

- A module holds what its contract names need, found by following names from their last definition:
  helpers, constants, imports. Everything else in the notebook (experiments, plots, training runs) stays
  out, so that it can neither fail nor take time.
- The last definition of a name counts. A function or class is replaced by another one, by a plain name
  or lambda, or by being wrapped (`f = no_grad()(f)`), not by data of the same name (`train = data[:n]`).
- A helper defined anew just before another assignment's definitions belongs to those: each assignment
  sees the last definition that is its own, or nobody's. So two sections may each have their `helper`.
- What runs while the notebook runs (base classes, defaults, decorators, constants) takes the nearest
  definition above; if there is none, the first below, which then comes first: cells run out of order.
- What conditionals, loops, item and attribute assignments and methods do to a needed variable comes along.
- A contract name of another assignment is imported from its module.
- A statement that fails when the module is imported is passed over; who asks for what it would have
  defined gets its error. If a redefinition fails, the definition before it still counts.

Magics and shell lines are dropped and named. Cells are counted from 1, code cells only.
"""

from __future__ import annotations

import ast
import bisect
import json
import re
import symtable
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CELL_LIMIT = 2**20
CODE_LIMIT = 4 * 2**20
STATEMENTS_LIMIT = 10_000
OTHER_LANGUAGES = frozenset(
    {
        *("bash", "sh", "cmd", "script", "system", "sx", "!", "perl", "ruby", "html", "HTML", "svg", "SVG"),
        *("javascript", "js", "latex", "markdown", "cython", "sql", "writefile", "file", "python2", "pypy", "R"),
    }
)
ALWAYS_THERE = frozenset(sys.stdlib_module_names) | {"torch", "numpy"}
STAND_INS = {  # what Jupyter has and Python has not
    "display": "def display(*objects, **options):\n    print(*objects)\n",
    "get_ipython": "def get_ipython():\n    return None\n",
}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Conditional = ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.With | ast.AsyncWith | ast.Match
Span = tuple[int, int, str, int]  # first and last line of a made module, the cell, and the first line in it


class NoNotebook(Exception):
    """The bytes are no notebook; the text says why."""


@dataclass(frozen=True)
class Cell:
    """One code cell: what it is called in messages, its notebook, and its source."""

    label: str
    notebook: int
    source: str


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


@dataclass
class Made:
    """A module made of cells: its source, and which of its lines come from where."""

    source: str
    spans: list[Span]


def cells_of(raw: bytes, title: str, notebook: int) -> list[Cell]:
    """The code cells of a notebook of any version 3 or 4. Raises NoNotebook."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise NoNotebook(f"it is not UTF-8 (byte {problem.start})") from None
    try:
        sources = [_source(cell) for cell in _cells(text) if cell.get("cell_type") == "code"]
    except RecursionError:
        raise NoNotebook("it is nested too deep") from None
    except MemoryError:
        raise NoNotebook("it is too large to be read") from None
    except Exception as problem:  # a notebook that is none raises whatever its reader happens to meet
        raise NoNotebook(f"it is damaged, or no notebook ({type(problem).__name__})") from None
    prefix = f"{title}, " if title else ""
    return [Cell(f"{prefix}cell {number}", notebook, source) for number, source in enumerate(sources, start=1)]


def _cells(text: str) -> list[Mapping[str, object]]:
    """The cells of a notebook as version 4 has them.

    Most are of that version and whole, and then there is nothing to convert. All others are nbformat's to
    judge; importing it takes longer than all else that is done to a submission before it is run.
    """
    try:
        notebook = json.loads(text)
    except ValueError:
        notebook = None
    if _is_plain(notebook):
        plain: list[Mapping[str, object]] = notebook["cells"]
        return plain
    import nbformat

    converted: list[Mapping[str, object]] = nbformat.reads(text, as_version=4).cells  # type: ignore[no-untyped-call]
    return converted


def _is_plain(notebook: object) -> bool:
    """Whether it is of version 4, and has in every place that is read what belongs there."""
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        return False
    parts = [notebook, *notebook["cells"]]
    return all(isinstance(part, dict) and isinstance(part.get("metadata"), dict) for part in parts) and all(
        isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source"), str | list)
        and all(isinstance(line, str) for line in cell["source"])
        for cell in notebook["cells"]
    )


def _source(cell: Mapping[str, object]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""


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
        source = _without_magics(cell, notes)
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


# The beginning of a line, its indentation taken away: no pattern here can be made to go back and forth.
_MAGIC = re.compile(r"%|!|\?{1,2}[\w.*]|[\w.*\[\]]+\?{1,2}[\s;]*$|[\w.,\s\[\]\"']+=[ \t]*(!|%(?=[a-z]))")


def _without_magics(cell: Cell, notes: list[str]) -> str:
    """The cell with each magic, shell or help line replaced by `pass`, so that line numbers stay."""
    lines = cell.source.split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip())
    if lines[first].startswith("%%"):
        word = (lines[first][2:].split() or [""])[0]
        notes.append(f"{cell.label}: dropped, for Jupyter and not for Python: {lines[first][:80]}")
        python_file = word in ("writefile", "file") and lines[first].split()[-1].endswith(".py")
        if word in OTHER_LANGUAGES and not python_file:
            return ""
        lines[first] = ""
    inside = ""  # the quotes of a string that goes on
    depth = 0
    joined = dropping = False
    for number, line in enumerate(lines):
        if dropping or (not inside and depth <= 0 and not joined and _MAGIC.match(line.lstrip())):
            if not dropping:
                notes.append(f"{cell.label}: dropped, for Jupyter and not for Python: {line.strip()[:80]}")
            indent = line[: len(line) - len(line.lstrip())]
            lines[number] = "" if dropping else f"{indent}pass"
            dropping = line.endswith("\\")
            continue
        inside, depth = _lexed(line, inside, max(depth, 0))
        joined = not inside and line.endswith("\\")
    return "\n".join(lines)


_TOKEN = re.compile(r"\\.|'''|\"\"\"|['\"#()\[\]{}]")


def _lexed(line: str, inside: str, depth: int) -> tuple[str, int]:
    """After this line: the quotes of the string that goes on, or "", and how many brackets are open."""
    for match in _TOKEN.finditer(line):
        token = match.group()
        if inside:
            if token == inside:
                inside = ""
            elif len(inside) == 1 and len(token) == 3 and token[0] == inside:
                inside = "" if len(token) % 2 else inside  # 'x''' closes, opens, closes again
        elif token == "#":
            break
        elif token[0] in "'\"":
            inside = token
        elif token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
    if len(inside) == 1 and not line.endswith("\\"):
        inside = ""
    return inside, depth


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
    for part in _outside_functions(node):
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


def _outside_functions(node: ast.AST) -> Iterable[ast.AST]:
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        yield inner
        if not isinstance(inner, Definition | ast.Lambda):
            waiting += ast.iter_child_nodes(inner)


class Program:
    """The statements of all notebooks, as one program, and what its names mean to each assignment."""

    def __init__(self, statements: list[Statement], contract: Mapping[str, list[str]], present: set[str]) -> None:
        """`contract` maps modules to their names; `present` are the modules handed in as files, which win."""
        self.contract = contract
        self.present = present
        self.home = {name: module for module, names in contract.items() for name in names}
        self.features: list[str] = []
        self.stars: list[Statement] = []
        self.binders: dict[str, list[Statement]] = {}
        self.changers: dict[str, list[Statement]] = {}
        self.imported_from: dict[str, set[str]] = {}  # what the notebook takes from the contract's modules
        self.used: set[Statement] = set()
        self.bound: set[str] = set()
        aliases: dict[str, str] = {}
        for statement in statements:
            self._note(statement, aliases)
        for statement in statements:
            for inner in ast.walk(statement.node) if aliases else ():
                if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id in aliases:
                    self.imported_from.setdefault(aliases[inner.value.id], set()).add(inner.attr)
        self.versions = {name: self._versions(name) for name in self.binders}
        self.made = [
            module
            for module, names in contract.items()
            if module not in present and any(self._defines(name, module) for name in names)
        ]
        self.owners: dict[tuple[str, Statement], set[str]] = {}
        for module in self.made:
            self._claim(module)

    def _note(self, statement: Statement, aliases: dict[str, str]) -> None:
        node = statement.node
        if isinstance(node, ast.If) and "__name__" in {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}:
            return  # what a module does only when it is the program
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.features += [alias.name for alias in node.names if alias.name not in self.features]
            return
        if isinstance(node, ast.ImportFrom) and node.module and node.module in self.contract:
            self.imported_from.setdefault(node.module, set()).update(alias.name for alias in node.names)
        if isinstance(node, ast.Import):
            aliases.update({a.asname or a.name: a.name for a in node.names if a.name in self.contract})
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            self.stars.append(statement)
            return
        self.bound |= statement.binds
        for name in statement.binds:
            self.binders.setdefault(name, []).append(statement)
        for name in (statement.changes | statement.methods_of) - statement.binds:
            self.changers.setdefault(name, []).append(statement)

    def _versions(self, name: str) -> list[Statement]:
        """The statements that give the name a new meaning, without those that build on an earlier one."""
        binders = self.binders[name]
        if any(_is_definition(statement) for statement in binders):
            chosen = [s for s in binders if _is_definition(s) or _gives_function(s, name)]
        else:
            chosen = binders
        full = [s for s in chosen if name not in s.now and (_is_definition(s) or not isinstance(s.node, Conditional))]
        return full if full and full[0] is chosen[0] else [chosen[0], *(s for s in full if s is not chosen[0])]

    def _defines(self, name: str, module: str) -> bool:
        """Whether the notebook defines this contract name: not as data, nor by importing it from its own module."""
        return any(
            _is_definition(s) or _may_be_function(s) for s in self.versions.get(name, []) if not _takes_from(s, module)
        )

    def _extras(self, version: Statement, name: str, versions: list[Statement]) -> list[Statement]:
        """What builds on this version before the next one: `f = wrap(f)`, `TABLE["x"] = 1`, an `if`."""
        place = versions.index(version)
        end = versions[place + 1].at if place + 1 < len(versions) else sys.maxsize
        is_import = isinstance(version.node, ast.Import | ast.ImportFrom)
        is_data = not is_import and not _is_definition(version)
        found = []
        for statement in (binder for binder in self.binders[name] if binder not in self.versions[name]):
            builds = is_data or _gives_function(statement, name) or _is_definition(statement)
            if version.at < statement.at < end and (builds or (is_import and isinstance(statement.node, Conditional))):
                found.append(statement)
        for statement in self.changers.get(name, []) if not is_import else []:
            if version.at < statement.at < end and (name in statement.changes or is_data):
                found.append(statement)
        return [statement for statement in found if not _trains(statement)]

    def _nearest(self, name: str, user: Statement, module: str) -> Statement | None:
        """The version that a statement at this place finds: the nearest above, else the first below."""
        versions = self._candidates(name, module)
        own = [version for version in versions if version.cell.notebook == user.cell.notebook] or versions
        above = bisect.bisect_left([version.at for version in own], user.at)
        same = [version for version in own if version is user]
        return same[0] if same else own[above - 1] if above else own[0] if own else None

    def _candidates(self, name: str, module: str) -> list[Statement]:
        return [version for version in self.versions.get(name, []) if not _takes_from(version, module)]

    def _is_foreign(self, name: str, module: str) -> str | None:
        """The other assignment whose module this name is imported from, if it is one's contract name."""
        home = self.home.get(name)
        if home is None or home == module:
            return None
        if home in self.present:
            imported = any(_takes_from(version, home) for version in self.versions.get(name, []))
            return home if imported or self._defines(name, home) else None
        return home if home in self.made and self._defines(name, home) else None

    def _roots(self, module: str) -> list[str]:
        others = self.imported_from.get(module, set()) & self.bound
        return list(dict.fromkeys([*self.contract[module], *sorted(others)]))

    def _claim(self, module: str) -> None:
        """Note, for each definition that the module's own definitions find above them, that it is theirs."""
        waiting: list[tuple[str, Statement | None]] = [(name, None) for name in self._roots(module)]
        seen: set[tuple[str, Statement]] = set()
        while waiting:
            name, user = waiting.pop()
            if user is not None and self._is_foreign(name, module):
                continue
            candidates = self._candidates(name, module)
            version = (candidates[-1] if candidates else None) if user is None else self._nearest(name, user, module)
            if version is None or (name, version) in seen:
                continue
            seen.add((name, version))
            self.owners.setdefault((name, version), set()).add(module)
            waiting += [(need, version) for need in version.now | version.later]

    def _last(self, name: str, module: str, notebooks: set[int]) -> Statement | None:
        """The version that counts for a module: the last that is its own, or nobody's."""
        candidates = self._candidates(name, module)
        free = [v for v in candidates if module in self.owners.get((name, v), {module})] or candidates
        mine = [v for v in free if module in self.owners.get((name, v), set()) or v.cell.notebook in notebooks] or free
        return mine[-1] if mine else None

    def make(self, module: str) -> Made:
        """The source of one module."""
        notebooks = {
            candidates[-1].cell.notebook
            for name in self.contract[module]
            if (candidates := self._candidates(name, module))
        }
        taken: set[Statement] = {star for star in self.stars if not _takes_from(star, module)}
        first: dict[Statement, list[Statement]] = {}  # what has to come before a statement, though it is below
        siblings: dict[str, tuple[str, bool]] = {}
        jupyter: set[str] = set()
        waiting: list[tuple[str, Statement | None]] = [(name, None) for name in self._roots(module)]
        done: set[tuple[str, Statement | None]] = set()

        def take(statement: Statement) -> None:
            if statement not in taken:
                taken.add(statement)
                waiting.extend((need, statement) for need in statement.now)
                waiting.extend((need, None) for need in statement.later)

        for star in list(taken):
            waiting.extend((need, star) for need in star.now)
        while waiting:
            name, user = waiting.pop()
            if (name, user) in done:
                continue
            done.add((name, user))
            home = self._is_foreign(name, module)
            if home:
                siblings[name] = (home, siblings.get(name, ("", False))[1] or user is not None)
                continue
            candidates = self._candidates(name, module)
            if not candidates:
                jupyter |= {name} & STAND_INS.keys()
                continue
            version = self._last(name, module, notebooks) if user is None else self._nearest(name, user, module)
            assert version is not None
            if version is user:
                continue
            chain = [version, *self._extras(version, name, candidates)]
            if user is not None and version.at < user.at:
                chain = [part for part in chain if part.at < user.at]
            elif user is not None:
                first.setdefault(user, []).extend(part for part in chain if part is not user)
            for part in chain:
                take(part)
            if user is None and _is_definition(version) and not _cannot_fail(version.node):
                earlier = [
                    v for v in candidates if v.at < version.at and module in self.owners.get((name, v), {module})
                ]
                if earlier and _is_definition(earlier[-1]):
                    take(earlier[-1])
        self.used |= taken
        return _written(module, _in_order(taken, first), self.features, siblings, jupyter)


def work_among(statements: list[Statement], program: Program) -> list[str]:
    """The cells of which no module takes anything: experiments, plots, training runs."""
    labels = dict.fromkeys(statement.cell.label for statement in statements)
    defining = {s for s in statements if _is_definition(s) and s.binds & program.home.keys()}
    used = {statement.cell.label for statement in program.used | defining}
    return [label for label in labels if label not in used]


def said_again(program: Program) -> list[str]:
    """A sentence for each contract name that is defined more than once."""
    found = []
    for module in program.made:
        for name in program.contract[module]:
            definitions = [s for s in program.versions.get(name, []) if _is_definition(s)]
            if len(definitions) > 1:
                places = " and ".join(dict.fromkeys(s.cell.label for s in (definitions[0], definitions[-1])))
                found.append(f"{name} is defined {len(definitions)} times ({places}); the last definition counts")
    return found


def _is_definition(statement: Statement) -> bool:
    node = statement.node
    if isinstance(node, ast.If | ast.Try | ast.With):
        return any(isinstance(inner, Definition) for inner in _outside_functions(node))
    return isinstance(node, Definition)


def _gives_function(statement: Statement, name: str) -> bool:
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


def _may_be_function(statement: Statement) -> bool:
    node = statement.node
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Assign) or not any(isinstance(target, ast.Name) for target in node.targets):
        return False
    return isinstance(node.value, ast.Call | ast.Name | ast.Attribute | ast.Lambda)


def _takes_from(statement: Statement, module: str) -> bool:
    return isinstance(statement.node, ast.ImportFrom) and statement.node.module == module


def _trains(statement: Statement) -> bool:
    """A loop that takes optimiser steps: work, whatever it may leave behind."""
    return isinstance(statement.node, ast.For | ast.While) and any(
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Attribute)
        and inner.func.attr in ("backward", "step")
        for inner in ast.walk(statement.node)
    )


def _cannot_fail(node: ast.stmt) -> bool:
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


def _in_order(taken: set[Statement], first: Mapping[Statement, list[Statement]]) -> list[Statement]:
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


def _written(
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
        guarded = not _cannot_fail(statement.node)
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
