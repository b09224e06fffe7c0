"""Chooses, of all statements, those that each of the contract's modules needs. Nothing of a student's is run.

What is taken, and how a name gets its meaning:

- A module holds what its contract names need, found by following names from their last definition:
  helpers, constants, imports. Everything else in the notebook (experiments, plots, training runs) stays
  out, so that it can neither fail nor take time.
- The last definition of a name counts. A function or class is replaced by another one, by a plain name
  or lambda, or by being wrapped (`f = no_grad()(f)`), not by data of the same name (`train = data[:n]`).
- A helper defined anew just before another assignment's definitions belongs to those: each assignment
  sees the last definition that is its own, or nobody's. So two sections may each have their `helper`.
  The price: one that two assignments share and that was mended between them stays as it was for the first,
  as its checks saw it when the cells ran in order. Nothing in the cells tells the two cases apart; it is said.
- What runs while the notebook runs (base classes, defaults, decorators, constants) takes the nearest
  definition above; if there is none, the first below, which then comes first: cells run out of order.
- What conditionals, loops, item and attribute assignments and methods do to a needed variable comes along.
- A contract name of another assignment is imported from its module.

`writing` makes a module of what was chosen.
"""

from __future__ import annotations

import ast
import bisect
import sys
from collections.abc import Mapping

from .statements import (
    Conditional,
    Statement,
    cannot_fail,
    gives_function,
    is_definition,
    may_be_function,
    takes_from,
    trains,
)
from .writing import STAND_INS, Made, in_order, written


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
        self.seen: dict[str, dict[str, Statement]] = {}  # name -> module -> the definition that counts there
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
        if any(is_definition(statement) for statement in binders):
            chosen = [s for s in binders if is_definition(s) or gives_function(s, name)]
        else:
            chosen = binders
        full = [s for s in chosen if name not in s.now and (is_definition(s) or not isinstance(s.node, Conditional))]
        return full if full and full[0] is chosen[0] else [chosen[0], *(s for s in full if s is not chosen[0])]

    def _defines(self, name: str, module: str) -> bool:
        """Whether the notebook defines this contract name: not as data, nor by importing it from its own module."""
        return any(
            is_definition(s) or may_be_function(s) for s in self.versions.get(name, []) if not takes_from(s, module)
        )

    def _extras(self, version: Statement, name: str, versions: list[Statement]) -> list[Statement]:
        """What builds on this version before the next one: `f = wrap(f)`, `TABLE["x"] = 1`, an `if`."""
        place = versions.index(version)
        end = versions[place + 1].at if place + 1 < len(versions) else sys.maxsize
        is_import = isinstance(version.node, ast.Import | ast.ImportFrom)
        is_data = not is_import and not is_definition(version)
        found = []
        for statement in (binder for binder in self.binders[name] if binder not in self.versions[name]):
            builds = is_data or gives_function(statement, name) or is_definition(statement)
            if version.at < statement.at < end and (builds or (is_import and isinstance(statement.node, Conditional))):
                found.append(statement)
        for statement in self.changers.get(name, []) if not is_import else []:
            if version.at < statement.at < end and (name in statement.changes or is_data):
                found.append(statement)
        return [statement for statement in found if not trains(statement)]

    def _nearest(self, name: str, user: Statement, module: str) -> Statement | None:
        """The version that a statement at this place finds: the nearest above, else the first below."""
        versions = self._candidates(name, module)
        own = [version for version in versions if version.cell.notebook == user.cell.notebook] or versions
        above = bisect.bisect_left([version.at for version in own], user.at)
        same = [version for version in own if version is user]
        return same[0] if same else own[above - 1] if above else own[0] if own else None

    def _candidates(self, name: str, module: str) -> list[Statement]:
        return [version for version in self.versions.get(name, []) if not takes_from(version, module)]

    def _is_foreign(self, name: str, module: str) -> str | None:
        """The other assignment whose module this name is imported from, if it is one's contract name."""
        home = self.home.get(name)
        if home is None or home == module:
            return None
        if home in self.present:
            imported = any(takes_from(version, home) for version in self.versions.get(name, []))
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
        taken: set[Statement] = {star for star in self.stars if not takes_from(star, module)}
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
            if user is None:
                self.seen.setdefault(name, {})[module] = version
            if version is user:
                continue
            chain = [version, *self._extras(version, name, candidates)]
            if user is not None and version.at < user.at:
                chain = [part for part in chain if part.at < user.at]
            elif user is not None:
                first.setdefault(user, []).extend(part for part in chain if part is not user)
            for part in chain:
                take(part)
            if user is None and is_definition(version) and not cannot_fail(version.node):
                earlier = [
                    v for v in candidates if v.at < version.at and module in self.owners.get((name, v), {module})
                ]
                if earlier and is_definition(earlier[-1]):
                    take(earlier[-1])
        self.used |= taken
        return written(module, in_order(taken, first), self.features, siblings, jupyter)


def work_among(statements: list[Statement], program: Program) -> list[str]:
    """The cells of which no module takes anything: experiments, plots, training runs."""
    labels = dict.fromkeys(statement.cell.label for statement in statements)
    defining = {s for s in statements if is_definition(s) and s.binds & program.home.keys()}
    used = {statement.cell.label for statement in program.used | defining}
    return [label for label in labels if label not in used]


def said_again(program: Program) -> list[str]:
    """A sentence for each contract name that is defined more than once."""
    found = []
    for module in program.made:
        for name in program.contract[module]:
            definitions = [s for s in program.versions.get(name, []) if is_definition(s)]
            if len(definitions) > 1:
                places = " and ".join(dict.fromkeys(s.cell.label for s in (definitions[0], definitions[-1])))
                found.append(f"{name} is defined {len(definitions)} times ({places}); the last definition counts")
    return found


def seen_apart(program: Program) -> list[str]:
    """A sentence for each helper of which assignments see different definitions."""
    found = []
    for name, by_module in program.seen.items():
        cells = {module: version.cell.label for module, version in by_module.items() if is_definition(version)}
        if name not in program.home and len({by_module[module] for module in cells}) > 1:
            places = ", ".join(f"{module} uses that of {cell}" for module, cell in cells.items())
            found.append(f"{name} is defined anew between assignments: {places}")
    return found
