"""Runs a probe on code of our own (a solution, a mutant of one) in this process.

It is a stand-in for the student's process with the same rules: seeds and modes are set before each
probe and left as they were found. Never give it a student's code.
"""

from __future__ import annotations

import contextlib
import itertools
import linecache
import random
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy
import torch

from grader.course import SOLUTIONS, Assignment
from grader.sandbox.inside.session import describe, reset
from grader.suite.attempt import Probe, with_stand_ins

_numbers = itertools.count()


class LocalStudent:
    """A probe's `student` made from sources: the assignment's own, and the solutions for the rest.

    One that `remembers` keeps something in a module, and starts every probe with new ones.
    """

    def __init__(
        self,
        assignment_name: str,
        source: str | None = None,
        others: Mapping[str, str] | None = None,
        remembers: bool = False,
    ) -> None:
        self._name = assignment_name
        self.remembers = remembers
        self._sources = dict(others or {})
        if source is not None:
            self._sources[assignment_name] = source
        self._modules: dict[str, ModuleType] = {}

    def forget(self) -> None:
        """Have every module executed anew."""
        self._modules.clear()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.module(self._name), name)

    def module(self, name: str) -> ModuleType:
        """One of the modules, executed on first use with its siblings importable."""
        if name not in self._modules:
            path = SOLUTIONS / f"{name}.py"
            source = self._sources.get(name) or path.read_text(encoding="utf-8")
            module = ModuleType(name)
            module.__file__ = str(path)
            with self._siblings_importable(name):
                sys.modules[name] = module
                exec(compile(source, self._shown_as(name, source), "exec"), module.__dict__)
            self._modules[name] = module
        return self._modules[name]

    @staticmethod
    def _shown_as(name: str, source: str) -> str:
        """A file name under which Python finds the lines of this source, for descriptions of errors."""
        shown = f"<{name} {next(_numbers)}>"
        linecache.cache[shown] = (len(source), None, source.splitlines(keepends=True), shown)
        return shown

    @contextlib.contextmanager
    def _siblings_importable(self, name: str) -> Iterator[None]:
        """Let the module's `from cells import …` find our own `cells`, for as long as it is executed."""
        siblings = [path.stem for path in SOLUTIONS.glob("*.py")]
        before = {sibling: sys.modules.pop(sibling, None) for sibling in siblings}
        source = self._sources.get(name) or (SOLUTIONS / f"{name}.py").read_text(encoding="utf-8")
        try:
            for sibling in siblings:
                if sibling != name and (f"from {sibling} import" in source or f"import {sibling}" in source):
                    sys.modules[sibling] = self.module(sibling)
            yield
        finally:
            for sibling, module in before.items():
                sys.modules.pop(sibling, None)
                if module is not None:
                    sys.modules[sibling] = module


def local_student(assignment: Assignment, source: str, stand_in: bool, remembers: bool = False) -> LocalStudent:
    """A student with this source of the assignment's module, on our own solutions or on the stand-ins."""
    files = {assignment.file: source.encode()}
    if stand_in:
        files = with_stand_ins(assignment, files)
    sources = {file.removesuffix(".py"): text.decode() for file, text in files.items()}
    return LocalStudent(assignment.name, None, sources, remembers)


def replay(
    student: LocalStudent, probe: Probe, inputs: Mapping[str, Any], seed: int
) -> tuple[Any, dict[str, Any] | None]:
    """Run a probe here; return (reply, None), or (None, what was raised) as a session describes it."""
    with modes_kept():
        reset(seed)
        if student.remembers:
            student.forget()
        try:
            return probe(student, **_copied(inputs)), None
        except Exception as problem:
            return None, describe(problem, "<")


@contextlib.contextmanager
def modes_kept() -> Iterator[None]:
    """Put grad mode, default dtype, threads and random states back as they were found."""
    grad, dtype, threads = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
    states = torch.get_rng_state(), numpy.random.get_state(), random.getstate()
    try:
        yield
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        torch.set_rng_state(states[0])
        numpy.random.set_state(states[1])
        random.setstate(states[2])


def _copied(value: Any) -> Any:
    """A copy that a probe may spoil: what crosses the wire to a student is a copy too."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return value
