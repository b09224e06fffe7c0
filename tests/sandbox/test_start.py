"""Starting a sandbox: what is left when it is interrupted, and what happens when no compartment lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.course import ROOT
from grader.sandbox import Sandbox, SandboxError


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_ended_leaves_no_folder(tmp_path, number):
    for delay in (0.5, 1.2, 2.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "grader", "grade", "solutions", "-a", "batching"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # CI may ignore Ctrl-C
        )
        time.sleep(delay)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
        # 0: done before; -number: the grader was not loaded yet; -SIGINT: how Python ends where C code was interrupted
        assert process.returncode in (0, 130, -number, -signal.SIGINT), said
        assert "Traceback" not in said or process.returncode == -number
        assert "fault of the grader" not in said
        assert not list(tmp_path.iterdir())


def test_a_tree_whose_compartments_die_is_tried_twice_a_rung_and_given_up(monkeypatch):
    launched = []

    def launch(self, rung):
        launched.append(rung)
        self.level = rung
        self._channel = _Deaf()
        self._complaints = Path(os.devnull)
        return True

    def no_compartment(self):
        raise EOFError("it ended at once")

    monkeypatch.setattr(Sandbox, "_launch", launch)
    monkeypatch.setattr(Sandbox, "_fork_compartment", no_compartment)
    with pytest.raises(SandboxError, match="could not be started"), Sandbox(["batching"]):
        pass
    assert launched == [rung for rung in ("namespaced", "landlock", "split") for _ in range(2)]


class _Deaf:
    """A channel to a zygote that is ready, and no more."""

    def send(self, header):
        pass

    def receive(self, patience_s=0.0):
        return {"ready": True, "touched": False}

    def close(self):
        pass
