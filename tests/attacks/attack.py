"""How an attack is described: its code as a plain function, what it tries, and what it honestly deserves.

    @at_import("sampling", tries="Reads the hidden tests off the disk.", gaps={"split": {"loot"}})
    def hidden_tests_on_disk():
        from targets import HIDDEN_TEST, boast
        boast(open(HIDDEN_TEST).read())

The function is never called here: the decorator takes its source, appends it to the reference
solution (or to the untouched stub) and keeps a description. Three forms say where the code runs:
`at_import` when the student's module is imported, `instead_of` in place of one of the contract's
functions, `upload` (the one form that does run here) where the bytes of the upload are the attack.
"""

from __future__ import annotations

import ast
import inspect
import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.course import SOLUTIONS, STARTER, select

ALL = ("everything",)
EFFECTS = {
    "loot": "it got hold of something secret and said so in the document",
    "network": "it reached a listener outside",
    "files": "it changed a file outside its scratch folder",
    "signals": "it stopped or ended a process outside",
    "left": "a process of its own outlived the grading",
    "high": "it passed a test that it does not deserve",
    "low": "it failed a test that its honest parts deserve",
    "incomplete": "the grader came to no verdict, or raised",
    "text": "the document or its rendering carries text that may do harm, or a path of this machine",
    "noise": "its output came out of the grader's own",
    "rung": "the sandbox came back on another rung",
}
ATTACKS: dict[str, Attack] = {}


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    It deserves every test of the contract's names, but for those it `spoils`, plus the tests it
    `keeps` and minus those it `loses`; with `sabotages_itself` it may earn less. `gaps` says per
    rung (or "split as root") which effects are known not to be held and must then be seen;
    `perhaps` names effects ("loot", or "split loot" of one rung) that may be seen and may not, and why:
    a known defect until it is mended, or something that depends on the machine.
    """

    name: str
    kind: str
    tries: str
    assignment: str
    build: Callable[[Path, str], Path]
    spoils: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    loses: frozenset[str] = frozenset()
    sabotages_itself: bool = False
    gaps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    perhaps: Mapping[str, str] = field(default_factory=dict)
    setting: str = "shared"  # or a sandbox of its own: "alone", "twice", "after another" student, "after failures"
    hangs: bool = False  # the wall-clock guards are shortened for it
    never_on: Mapping[str, str] = field(default_factory=dict)  # rung: why it must not run there
    harmless: bool = True  # may run in the naive grader, which holds nothing back

    def deserves(self, rows: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """Those of a document's tests (name: row) that its honest parts deserve to pass."""
        honest = {name for name, row in rows.items() if row["of"] not in self.spoils}
        return (honest | self.keeps) - self.loses

    def expected_gaps(self, rung: str, root: bool) -> set[str]:
        """The effects that this rung is known not to hold."""
        keys = ["every rung", rung, *([f"{rung} as root"] if root else [])]
        return {effect for key in keys for effect in self.gaps.get(key, ())}

    def possible_gaps(self, rung: str) -> dict[str, str]:
        """The effects that may be seen on this rung, and why."""
        named = {tuple(key.split()): why for key, why in self.perhaps.items()}
        return {key[-1]: why for key, why in named.items() if len(key) == 1 or key[0] == rung}


def at_import(assignment: str, *, first: bool = False, stub: bool = False, **description: Any) -> Callable[..., Attack]:
    """The function runs when the module is imported: after its honest code, or `first`.

    With `stub` the untouched stub is all the rest of the code there is.
    """

    def describe(attack: Callable[..., Any]) -> Attack:
        code, call = source_of(attack), f"{attack.__name__}()\n"

        def build(folder: Path, targets: str) -> Path:
            honest = honest_files(STARTER if stub else SOLUTIONS)[f"{assignment}.py"]
            whole = code + call + honest if first else "\n\n".join([honest, code, call])
            return write(folder, {f"{assignment}.py": whole, "targets.py": targets})

        return keep(attack, assignment, build, stub, description)

    return describe


def instead_of(path: str, *, stub: bool = False, **description: Any) -> Callable[..., Attack]:
    """The function replaces `path`, such as "cells.RNNCellFromScratch.forward", and is given the honest one first."""
    assignment, name = path.split(".", 1)

    def describe(attack: Callable[..., Any]) -> Attack:
        code = source_of(attack)
        replace = textwrap.dedent(f"""
            def _wrapped(honest):
                def wrapped(*given, **named):
                    return {attack.__name__}(honest, *given, **named)
                return wrapped
            {name} = _wrapped({name})
        """)

        def build(folder: Path, targets: str) -> Path:
            honest = honest_files(STARTER if stub else SOLUTIONS)[f"{assignment}.py"]
            return write(folder, {f"{assignment}.py": "\n\n".join([honest, code, replace]), "targets.py": targets})

        return keep(attack, assignment, build, stub, description)

    return describe


def upload(assignment: str, *, stub: bool = False, **description: Any) -> Callable[..., Attack]:
    """The function is called as `make(folder, honest)` and returns the path of what is handed in.

    `folder` is empty and new; `honest` maps file names to the text of honest modules (or stubs).
    """

    def describe(attack: Callable[..., Path]) -> Attack:
        def build(folder: Path, targets: str) -> Path:
            folder.mkdir(parents=True)
            return attack(folder, {**honest_files(STARTER if stub else SOLUTIONS), "targets.py": targets})

        return keep(attack, assignment, build, stub, description)

    return describe


def keep(
    attack: Callable[..., Any],
    assignment: str,
    build: Callable[[Path, str], Path],
    stub: bool,
    description: dict[str, Any],
) -> Attack:
    """Make the Attack and enter it in ATTACKS under its function's name, with its module as its class."""
    (course,) = select([assignment])
    spoils: Iterable[str] = description.pop("spoils", ALL if stub else ())
    gaps = {rung: frozenset(effects) for rung, effects in description.pop("gaps", {}).items()}
    sets = {name: frozenset(description.pop(name, ())) for name in ("keeps", "loses")}
    name = attack.__name__.strip("_").replace("_", "-")
    kind = attack.__module__.rpartition(".")[2]
    made = Attack(
        name=name,
        kind=kind,
        assignment=assignment,
        build=build,
        spoils=frozenset(course.names if tuple(spoils) == ALL else spoils),
        gaps=gaps,
        **sets,
        **description,
    )
    unknown = (made.spoils - set(course.names)) | ({e for g in gaps.values() for e in g} - set(EFFECTS))
    if name in ATTACKS or unknown:
        raise ValueError(f"{name}: described twice, or with names nobody knows: {unknown}")
    ATTACKS[name] = made
    return made


def source_of(attack: Callable[..., Any]) -> str:
    """The function's source from its `def` on, without its decorators."""
    source = textwrap.dedent(inspect.getsource(attack))
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return "\n".join(source.splitlines()[function.lineno - 1 :]) + "\n"


def honest_files(folder: Path) -> dict[str, str]:
    """The modules of a folder by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a new folder, or into one that is there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(folder: Path, honest: Mapping[str, str | bytes], name: str = "submission") -> Path:
    """A zip of these files, next to nothing else."""
    inside = write(folder / "inside", honest)
    return Path(shutil.make_archive(str(folder / name), "zip", inside))
