"""What the wall holds, measured from both sides: by the canary, and by a student's code that looks."""

from __future__ import annotations

import json

import pytest

from grader.course import ROOT
from grader.doctor import MEANS
from grader.sandbox import Limits, Sandbox, rank
from grader.sandbox.sandbox import CLAIMS, EVERY_ACT
from grader.sandbox.staging import stage_kit

LOOK = """
import json, os, pathlib, socket, sys

class RNNCellFromScratch:
    pass

def attempt(act):
    try:
        return repr(act())[:200]
    except BaseException as problem:
        return f"refused: {type(problem).__name__}"

def connect():
    socket.create_connection(("127.0.0.1", PORT), timeout=0.5).close()

raise RuntimeError(json.dumps({
    "hidden tests": attempt(lambda: open(SECRET).read()[:80]),
    "secret modules": attempt(lambda: __import__("assignments.cells.oracle")),
    "the solution": attempt(lambda: __import__("solutions.cells")),
    "everything named so": [
        str(p) for root in ("/kit", *sys.path) for p in pathlib.Path(root).glob("**/test_hidden.py")
    ],
    "environment": sorted(os.environ),
    "descriptors": [fd for fd in range(3, 64) if os.path.exists("/dev/null") and _open(fd)],
    "uid": os.getuid(),
    "pid": os.getpid(),
    "new namespace": attempt(lambda: os.unshare(0x10000000)) if hasattr(os, "unshare") else "refused: AttributeError",
    "write to the kit": attempt(lambda: open(KIT + "/x", "w")),
    "write to python": attempt(lambda: open(os.path.dirname(os.__file__) + "/x", "w")),
}))
"""
HELPERS = """
import os
def _open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False
"""


def look(sandbox: Sandbox) -> dict:
    """Import a module that tries things and raises what it saw; return that."""
    secret = ROOT / "assignments" / "cells" / "test_hidden.py"
    source = f"SECRET = {str(secret)!r}\nPORT = 9\nKIT = '/kit'\n" + HELPERS + LOOK
    inputs = {"name": "RNNCellFromScratch", "labels": [], "input_size": 1, "hidden_size": 1}
    with sandbox.compartment() as compartment, pytest.raises(Exception, match="RuntimeError") as caught:
        compartment.open("cells", "cells", {"cells.py": source.encode()}, Limits()).call("construction", inputs, 0)
    return json.loads(caught.value.described["text"])


def test_a_rung_holds_all_that_it_claims(rung):
    with Sandbox(["cells"], rung=rung) as sandbox:
        assert sandbox.level == rung
        assert CLAIMS[rung].isdisjoint(sandbox.gaps)
        assert set(sandbox.observed.values()) <= {"held", "open", "unclear"}


def test_namespaced_code_finds_nothing(rung):
    if rung != "namespaced":
        pytest.skip("only the rung namespaced hides the file system")
    with Sandbox(["cells"], rung=rung) as sandbox:
        seen = look(sandbox)
    assert seen["hidden tests"] == "refused: FileNotFoundError"
    assert seen["secret modules"].startswith("refused")
    assert seen["the solution"].startswith("refused")
    assert seen["everything named so"] == []
    assert seen["uid"] != 0
    assert seen["pid"] < 100
    assert seen["write to the kit"].startswith("refused")
    assert seen["write to python"].startswith("refused")


def test_no_secret_of_the_environment_enters(rung, monkeypatch):
    monkeypatch.setenv("COURSE_TOKEN", "secret")
    with Sandbox(["cells"], rung=rung) as sandbox:
        seen = look(sandbox)
    assert "COURSE_TOKEN" not in seen["environment"]
    assert len(seen["descriptors"]) == 1, "only the session's own socket is open"


def test_split_says_what_it_does_not_hold():
    with Sandbox(["cells"], rung="split") as sandbox:
        assert "read-secrets" in sandbox.gaps
    assert rank("split") < rank("landlock") < rank("namespaced")


def test_only_listed_files_are_staged(tmp_path):
    stage_kit(tmp_path, ["cells"])
    staged = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert "assignments/cells/probes.py" in staged
    for secret in ("test_hidden", "test_public", "oracle", "misconceptions", "stand_in", "solution"):
        assert not any(secret in name for name in staged)


def test_doctor_has_words_for_every_act():
    assert set(MEANS) == EVERY_ACT
