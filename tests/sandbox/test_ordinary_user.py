"""The ladder as an ordinary user has it: the whole suite may run as root, most instructors don't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.course import ROOT
from grader.sandbox.namespaced import TAKE_UID, find_bubblewrap
from grader.sandbox.sandbox import CLAIMS

UID = 60999


def as_ordinary_user(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run this environment's Python as an ordinary user with a home of their own.

    Where the checkout lies in root's closed folder, bubblewrap shows it in that home.
    """
    command, root = [sys.executable, *arguments], ROOT
    if os.geteuid() == 0:
        os.chown(home, UID, UID)
        bwrap = find_bubblewrap()
        if bwrap is None or ROOT not in Path(sys.prefix).parents:
            pytest.skip("as root this takes bubblewrap, and an environment inside the checkout")
        root = home / "checkout"
        root.mkdir()
        inside = [str(root / Path(sys.prefix).relative_to(ROOT) / "bin" / "python"), *arguments]
        show = [bwrap, "--dev-bind", "/", "/", "--bind", str(ROOT), str(root), *open_base(), "--chdir", str(root)]
        command = [*show, "--", sys.executable, "-I", "-S", "-c", TAKE_UID, str(UID), *inside]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TMPDIR": str(home)}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=280)


def open_base() -> list[str]:
    """Bubblewrap's options that show Python's own installation, should it lie in a closed folder."""
    base = Path(sys.base_prefix)
    closed = next((folder for folder in reversed(base.parents) if not folder.stat().st_mode & 0o001), None)
    if closed is None:
        return []
    between = [folder for folder in reversed(base.parents) if closed in folder.parents]
    folders = [part for folder in between for part in ("--perms", "0755", "--dir", str(folder))]
    return ["--perms", "0755", "--tmpfs", str(closed), *folders, "--ro-bind", str(base), str(base)]


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder that only its owner may enter; not among pytest's own, which are root's."""
    with tempfile.TemporaryDirectory(prefix="home-") as folder:
        yield Path(folder)


def test_every_rung_holds_its_claims(home):
    result = as_ordinary_user(["-B", "-m", "grader", "doctor", "--json"], home)
    assert result.returncode == 0, result.stderr
    findings = json.loads(result.stdout)
    available = {name: rung["observed"] for name, rung in findings["rungs"].items() if rung["available"]}
    assert "split" in available
    for name, observed in available.items():
        assert {act for act, verdict in observed.items() if verdict == "held"} >= CLAIMS[name]
    missing = [f"{name}: {rung['why']}" for name, rung in findings["rungs"].items() if not rung["available"]]
    if missing:
        pytest.skip("; ".join(missing))


def test_a_submission_is_graded(home):
    result = as_ordinary_user(["-B", "-m", "grader", "grade", "solutions", "-a", "cells", "--json", "-"], home)
    if result.returncode == 3:
        pytest.skip(result.stderr.strip())
    document = json.loads(result.stdout)
    assert document["score"] == document["max_score"] == 18
    assert document["isolation"]["level"] != "split"


@pytest.mark.long
def test_the_proofs_in_three_runs(home):
    if os.geteuid() != 0:
        pytest.skip("this is an ordinary user already: test_proof.py has done it")
    options = ["-q", "-p", "no:cacheprovider", "-rs"]
    result = as_ordinary_user(["-B", "-m", "pytest", "tests/sandbox/test_proof.py", *options], home)
    assert result.returncode == 0, result.stdout[-2000:]
