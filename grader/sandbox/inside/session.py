"""One session: the student's modules are imported here and the probes of one assignment run here.

It starts as a fork of the zygote, makes itself small (descriptors, limits, a scratch folder of its
own), and then answers probe requests one by one until its socket closes. Every reply is plain data;
an exception is described, never judged.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import linecache
import os
import random
import resource
import signal
import socket
import sys
import tempfile
import traceback
from types import ModuleType, TracebackType
from typing import Any

from grader.sandbox.inside import canary, gpu, library_cells, namespaces
from grader.sandbox.inside.student import Student, write_submission
from grader.wire import read_frame, receive_exactly, write_frame
from grader.wire.values import decode, encode

TEXT_LIMIT = 4000


def serve(sock: socket.socket, output: int, request: dict[str, Any]) -> None:
    """Answer the frames on `sock` until it closes; everything the student prints goes to `output`."""
    _settle(sock, output, request["limits"])
    library_cells.forget()
    opening, body = read_frame(lambda count: receive_exactly(sock, count))
    memory_mb = request["gpu_mb"]
    if "canary" in opening:
        write_frame(
            sock, {"observed": canary.observe(opening["canary"]), "gpu": gpu.works(memory_mb) if memory_mb else ""}
        )
        return
    if memory_mb:
        gpu.take(memory_mb)
    files = decode(opening["files"], body)
    scratch = os.path.join(tempfile.gettempdir(), "submission")
    write_submission(files, scratch)
    os.chdir(scratch)
    student = Student(opening["module"])
    probes = importlib.import_module(f"assignments.{opening['assignment']}.probes")
    reset(0, scratch)  # a fork's first takes ten times as long as the next: it is not the first probe's to pay
    write_frame(sock, {"ready": True})
    while True:
        try:
            call, body = read_frame(lambda count: receive_exactly(sock, count))
        except EOFError:
            return
        tree, blob = _answer(student, probes, call, body, scratch)
        write_frame(sock, {"id": call["id"], **tree}, blob)


def _settle(sock: socket.socket, output: int, limits: dict[str, int]) -> None:
    os.setsid()
    namespaces.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    keep = sock.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, 1024)
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            with contextlib.suppress(ValueError, OSError):  # a lower hard limit is already in force
                resource.setrlimit(kind, (value, value))


def _answer(
    student: Student, probes: ModuleType, call: dict[str, Any], body: bytes, scratch: str
) -> tuple[dict[str, Any], bytes]:
    """Run one probe; return the header and body of its reply."""
    inputs = decode(call["inputs"], body)
    refused = library_cells.refusals()
    try:
        probe = getattr(probes, call["probe"])
        reset(call["seed"], scratch)
        device = call.get("device", "cpu")
        reply = probe(student, **(on_device(inputs, device) if device != "cpu" else inputs))
        tree, blob = encode(reply)
        if library_cells.refusals() > refused:
            raise library_cells.LibraryCellRefused("a library recurrent cell was called, and the refusal swallowed")
        return {"reply": tree}, blob
    except BaseException as problem:  # SystemExit and KeyboardInterrupt are answers too
        described = describe(problem, scratch)
        if library_cells.refusals() > refused:  # whatever others, as TorchScript, have made of it
            described["type"] = library_cells.LibraryCellRefused.__name__
        return {"error": described}, b""
    finally:
        with contextlib.suppress(Exception):  # the student's code may have put anything in its place
            sys.stdout.flush()


def reset(seed: int, scratch: str | None = None) -> None:
    """Give every probe the same start: seeds, grad mode, dtype, device, arithmetic, threads, working folder."""
    import numpy
    import torch

    torch.set_grad_enabled(True)
    if torch.get_default_dtype() is not torch.float32:  # asking is ten times as quick
        torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also asks after every accelerator: 80 µs
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
        gpu.settle()
    numpy.random.seed(seed % 2**32)
    random.seed(seed)
    if scratch is not None:
        os.chdir(scratch)


def on_device(value: Any, device: str) -> Any:
    """The value with every tensor in it on the device."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, list | tuple):
        return type(value)(on_device(item, device) for item in value)
    if isinstance(value, dict):
        return {key: on_device(item, device) for key, item in value.items()}
    return value


def describe(problem: BaseException, root: str) -> dict[str, Any]:
    """Say what an exception was and which line of the student's own files it came from.

    Returns `type`, `builtin` (Python's own type that it is or derives from), `text`, `stage` ("import"
    or "call") and, where a line of the submission is on the stack, `file`, `line` and `code` of the
    innermost one.
    """
    stage = getattr(problem, "stage", "call")
    cause = problem.__cause__ if stage == "import" and problem.__cause__ is not None else problem
    try:
        text = str(cause)
    except BaseException:  # a student's exception may have a __str__ that raises
        text = ""
    builtin = next(kind.__name__ for kind in type(cause).__mro__ if getattr(builtins, kind.__name__, None) is kind)
    described: dict[str, Any] = {"type": type(cause).__name__[:80], "builtin": builtin}
    described |= {"text": text[:TEXT_LIMIT], "stage": stage}
    if isinstance(cause, SyntaxError) and cause.filename and cause.filename.startswith(root):
        place: tuple[str, int] | None = (cause.filename, cause.lineno or 0)
    else:
        place = _last_place(cause.__traceback__, root)
    if place:
        described["file"] = os.path.relpath(place[0], root)
        described["line"] = place[1]
        described["code"] = linecache.getline(*place).strip()[:200]
    return described


def _last_place(trace: TracebackType | None, root: str) -> tuple[str, int] | None:
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(trace)
        if frame.f_code.co_filename.startswith(root)
    ]
    return places[-1] if places else None
