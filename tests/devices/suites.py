"""Runs an assignment's public and hidden tests on code of our own, with its probes on the pretended GPU.

The trusted side, oracles included, stays on the CPU as ever; a probe's inputs lie on the GPU, and whatever
the code makes has to lie there too. Each submission has a process of its own, for its modules have the names
of everybody's. Never give it a student's code.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from grader.course import ROOT, Assignment, select
from grader.diagnosis.local import modes_kept
from grader.sandbox.inside.session import on_device, reset
from grader.sandbox.inside.student import Student, write_submission
from grader.suite.plugin import derive_seed
from grader.suite.points import grading_of
from grader.suite.reply import Reply
from grader.wire.values import decode, encode
from tests.devices.pretended import PretendedGPU

PATIENCE_S = 250.0
Files = Mapping[str, bytes]


def failures(assignment: Assignment, files: Files, device: str = "cuda", *, first: bool = False) -> dict[str, str]:
    """The tests that fail on these files with their probes on `device`, by name, and the last lines of why.

    On "cpu" there is no pretence; that is what "cuda" is compared with. `first`: no more than one.
    """
    found: dict[str, str] = in_a_process(_failures, assignment.name, dict(files), device, first)
    return found


def in_a_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns in a process of its own, forked from one that has loaded torch and run nothing yet.

    (A fork of this one may not walk back where autograd has threads for a GPU.)
    """
    fresh = multiprocessing.get_context("forkserver")
    fresh.set_forkserver_preload([__name__])
    receiving, sending = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_tell, args=(sending, work, *arguments))
    process.start()
    sending.close()
    try:
        if not receiving.poll(PATIENCE_S):
            raise AssertionError(f"{work.__name__} was not done in time")
        return receiving.recv()
    finally:
        process.kill()
        process.join()


def _tell(sending: Any, work: Callable[..., Any], *arguments: Any) -> None:
    torch.set_num_threads(1)
    with contextlib.redirect_stdout(sys.stderr):
        sending.send(work(*arguments))


def _failures(name: str, files: Files, device: str, first: bool) -> dict[str, str]:
    (assignment,) = select([name])
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        as_tensors = {
            name: torch.frombuffer(bytearray(text or b"\n"), dtype=torch.uint8) for name, text in files.items()
        }
        write_submission(as_tensors, str(Path(folder, "submission")))
        student = Student(assignment.name)
        for name, test in _tests(assignment).items():
            seed = derive_seed(0, assignment.name, name)
            given = {"submission": OnDevice(student, seed, device), "rng": torch.Generator().manual_seed(seed)}
            code = test.__code__
            try:
                test(**{key: given[key] for key in code.co_varnames[: code.co_argcount]})
            except Exception as problem:
                found[name] = "".join(traceback.format_exception(problem, limit=-12))
                if first:
                    break
    return found


def _tests(assignment: Assignment) -> dict[str, Any]:
    """The public and the hidden tests by name."""
    found = {}
    for kind in ("test_public", "test_hidden"):
        module = importlib.import_module(f"assignments.{assignment.name}.{kind}")
        found.update({name: test for name, test in vars(module).items() if grading_of(test) is not None})
    return found


class OnDevice:
    """A `submission` whose probes run right here, on the given device."""

    stand_in = False

    def __init__(self, student: Any, seed: int, device: str) -> None:
        self._student, self._seed, self._device = student, seed, device

    def run(self, probe: Any, **inputs: Any) -> Reply:
        """Run a probe as a session does, on the pretended GPU if that is the device."""
        given = decode(*encode(inputs))
        with modes_kept(), PretendedGPU() if self._device == "cuda" else contextlib.nullcontext():
            reset(self._seed)
            tree, body = encode(probe(self._student, **on_device(given, self._device)))
        return Reply(decode(tree, body), self._device)


def files_at(path: Path, file: str) -> dict[str, bytes]:
    """A module, or a folder of them, as the files of a submission; a lone module goes by the name `file`."""
    if path.is_file():
        return {file: path.read_bytes()}
    return {str(part.relative_to(path)): part.read_bytes() for part in sorted(path.glob("**/*.py"))}


def solutions(*names: str) -> dict[str, bytes]:
    """The reference solutions of these assignments."""
    return {f"{name}.py": (ROOT / "solutions" / f"{name}.py").read_bytes() for name in names}
