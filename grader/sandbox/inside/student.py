"""The submission as importable modules, and the `student` that probes are given.

`student.LSTMCellFromScratch` imports the assignment's module on first use. A probe that needs a
sibling asks for it by name: `student.module("batching").create_batches`. What is missing or fails
to import raises here, with a name the trusted side knows.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NOT_REPLACEABLE = frozenset(sys.stdlib_module_names) | {"torch", "numpy"}


class MissingModule(Exception):
    """The submission has no file for this module."""


class MissingName(Exception):
    """The module is there but does not define this name."""


class ImportFailed(Exception):
    """Importing the module raised; the cause is chained."""

    stage = "import"


class SubmissionFinder(importlib.abc.MetaPathFinder):
    """Finds the student's own modules before installed ones, but never in place of torch or Python's.

    A file `cells.py` wins over a folder `cells/`, as the contract says; Python's own finder would
    take the folder.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname in NOT_REPLACEABLE:
            return None
        base = os.path.join(self.root, fullname)
        if os.path.isfile(base + ".py"):
            return importlib.util.spec_from_file_location(fullname, base + ".py")
        if os.path.isfile(os.path.join(base, "__init__.py")):
            return importlib.util.spec_from_file_location(
                fullname, os.path.join(base, "__init__.py"), submodule_search_locations=[base]
            )
        return None


class Student:
    """What a probe sees of the submission: the names of one module, and its siblings on request."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._imported: dict[str, ModuleType] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.module(self._module)
        try:
            return getattr(module, name)
        except AttributeError:
            raise MissingName(f"{self._module}.py does not define {name}") from None

    def module(self, name: str) -> ModuleType:
        """Import one of the submission's modules; raises MissingModule or ImportFailed."""
        if name in self._imported:
            return self._imported[name]
        finders = [finder for finder in sys.meta_path if isinstance(finder, SubmissionFinder)]
        if finders and finders[0].find_spec(name) is None:
            raise MissingModule(f"{name}.py is not in the submission")
        try:
            self._imported[name] = importlib.import_module(name)
        except BaseException as problem:  # a module may raise SystemExit, or anything else
            raise ImportFailed(f"{name}.py could not be imported") from problem
        return self._imported[name]


def write_submission(files: Mapping[str, Any], root: str) -> None:
    """Write the submission's files (name to uint8 tensor) below `root` and make them importable."""
    os.mkdir(root)
    for name, content in files.items():
        target = os.path.join(root, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content.numpy().tobytes())
    sys.meta_path.insert(0, SubmissionFinder(root))
