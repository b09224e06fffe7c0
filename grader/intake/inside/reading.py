"""Reads what a student handed in: run as a program of its own, under limits, on untrusted bytes.

Takes a job as JSON on standard input, copies the files worth having into the job's folder, looks at
the source of the contract's modules, and prints one JSON summary. It runs no student's code. Before
it parses a module it says so on standard error: if the parser dies, the parent knows on which.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from .limits import DEPTH_LIMIT, KEPT_LIMIT, MODULE_LIMIT, NAME_LIMIT, NAMES_LIMIT, PART_LIMIT
from .source import look_at
from .uploads import LEFT_OUT_FOLDERS, Notes, Source, Unreadable, content_of, opened, wanted_folder

LEFT_OUT_ENDINGS = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".pth")
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")


def main() -> None:
    """Do the job on standard input."""
    json.dump(read(json.load(sys.stdin)), sys.stdout)


def read(job: dict[str, Any]) -> dict[str, Any]:
    """Read what was handed in at the job's `path`; the summary says what was made of it."""
    notes = Notes()
    summary: dict[str, Any] = {"files": [], "unreadable": {}, "findings": [], "spans": {}}
    try:
        with opened(job, notes) as sources:
            wanted = _unwrapped(inside_only(sources, notes), job["modules"])
            notebooks = [source for source in wanted if _is_notebook(source[0])]
            _take([source for source in wanted if source not in notebooks], job, summary, notes)
            if notebooks:
                from .notebooks import make_modules

                with _packages(job):
                    make_modules(notebooks, job, summary, notes)
            _point_out([name for name, _, _ in wanted], job["modules"], summary, notes)
    except Unreadable as problem:
        summary["whole"] = str(problem)
    for module in job["modules"]:
        look_at(module + ".py", job, summary)
    return {**summary, "notes": notes.shown()}


def inside_only(sources: Iterator[Source], notes: Notes) -> list[Source]:
    """The sources whose names stay inside the submission and can be written; the others are named in `notes`."""
    kept = []
    for source in sources:
        name = source[0]
        parts = name.split("/")
        climbs = name.startswith("/") or ".." in parts or parts[0][1:2] == ":" or "\0" in name or not name.strip("./")
        try:
            too_long = len(name) > NAME_LIMIT or any(len(os.fsencode(part)) > PART_LIMIT for part in parts)
        except UnicodeEncodeError:
            climbs, too_long = True, False
        if climbs or too_long:
            notes.leave_out("too long a name" if too_long else "not a name inside the submission", name)
        else:
            kept.append(source)
    return kept


def _unwrapped(sources: list[Source], modules: list[str]) -> list[Source]:
    """Take away one wrapping folder, if all that counts lies in one."""
    names = [name for name, _, _ in sources]
    visible = [name for name in names if not name.startswith(".") and not name.split("/")[-1].startswith(".")]
    beside = [name for name in visible if name.split("/")[0] not in LEFT_OUT_FOLDERS or "/" not in name]
    counted = beside or visible  # the wrapping folder itself may be called env
    tops = {name.split("/")[0] for name in counted}
    if len(tops) != 1 or not all("/" in name for name in counted):
        return sources
    top = tops.pop()
    holds_module = any(f"{top}/{module}.py" in names for module in modules)
    if top in modules and f"{top}/__init__.py" in names and not holds_module:  # a package in place of a module
        return sources
    return [
        (name.removeprefix(top + "/"), size, opener) for name, size, opener in sources if name.startswith(top + "/")
    ]


def _take(sources: list[Source], job: dict[str, Any], summary: dict[str, Any], notes: Notes) -> None:
    """Copy the files worth having below the job's folder, within the limits: what matters first."""
    modules = {f"{module}.py" for module in job["modules"]}
    kept = names = 0
    for name, size, opener in sorted(sources, key=lambda source: (source[0] not in modules, _worth_having(source))):
        parts = name.split("/")
        if any(not wanted_folder(part) for part in parts[:-1]) or parts[-1].startswith("."):
            continue
        if parts[-1].endswith(LEFT_OUT_ENDINGS):
            continue
        names += len(name.encode(errors="replace"))
        if names > NAMES_LIMIT:
            notes.leave_out("too many and too long names", name)
            continue
        try:
            content = content_of(opener, size, MODULE_LIMIT if name.endswith(".py") else KEPT_LIMIT, KEPT_LIMIT - kept)
        except Unreadable as problem:
            if name.endswith(".py"):
                summary["unreadable"][name] = str(problem)
            notes.leave_out(str(problem), name)
            continue
        kept += len(content)
        target = os.path.join(job["folder"], *parts)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(content)
        except OSError:  # a file where a folder is needed, or a name this machine cannot write
            notes.leave_out("its name clashes with another", name)
            continue
        summary["files"].append(name)


def _worth_having(source: Source) -> tuple[int, bool, str]:
    """Sorts what matters to the front: modules near the top first, so that a limit cuts the rest."""
    name = source[0]
    return (name.count("/") if name.endswith(".py") else DEPTH_LIMIT + 1, not name.endswith(".py"), name)


def _is_notebook(name: str) -> bool:
    return "/" not in name and not name.startswith(".") and name.lower().endswith(".ipynb")


@contextlib.contextmanager
def _packages(job: dict[str, Any]) -> Iterator[None]:
    """Let nbformat be imported, which takes a moment: only for a notebook."""
    before = sys.path[:]
    sys.path[:] = [*before, job["packages"]]
    try:
        yield
    finally:
        sys.path[:] = before


def _point_out(names: list[str], modules: list[str], summary: dict[str, Any], notes: Notes) -> None:
    """Say where a missing module may be meant to be: deeper, under another spelling, in an archive inside."""
    missing = [
        f"{module}.py" for module in modules if f"{module}.py" not in {*summary["files"], *summary["unreadable"]}
    ]
    for file in missing:
        near = [name for name in names if name.split("/")[-1].casefold() == file]
        if near:
            notes.append(f"{near[0][:NAME_LIMIT]} does not count: it has to be {file}, spelled so, at the top")
    if len(missing) == len(modules):
        for name in names:
            if name.lower().endswith(".ipynb") and "/" in name and all(map(wanted_folder, name.split("/")[:-1])):
                notes.append(f"{name[:NAME_LIMIT]} does not count: a notebook has to be at the top")
            if name.lower().endswith(ARCHIVES):
                notes.append(f"not opened, an archive inside the submission: {name[:NAME_LIMIT]}")
