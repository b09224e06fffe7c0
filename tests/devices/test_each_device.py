"""What the tests of the kit say of devices: which cases wait for a GPU, and what a value is allowed to be off by."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from grader.suite.attempt import Attempt
from grader.suite.expectation import TOLERANCES, Mismatch, Tolerance, expect
from grader.suite.reply import Reply
from tests.conftest import NO_GPU, pytest_terminal_summary


def said_at_the_end(*reasons):
    lines = []
    skipped = [SimpleNamespace(longrepr=("conftest.py", 1, f"Skipped: {reason}")) for reason in reasons]
    pytest_terminal_summary(SimpleNamespace(stats={"skipped": skipped}, write_line=lines.append))
    return lines


def test_the_closing_line_counts_what_waits_for_a_gpu():
    assert said_at_the_end(NO_GPU, "no landlock here", NO_GPU) == [
        "2 cases wait for a GPU; on a machine with one: make gpu"
    ]
    assert said_at_the_end("no landlock here") == said_at_the_end() == []


def test_each_device_has_a_tolerance_for_each_dtype():
    assert set(TOLERANCES) == {"cpu", "cuda"}
    for table in TOLERANCES.values():
        assert set(table) == {torch.float64, torch.float32}


def test_a_value_is_judged_by_where_it_was_computed(monkeypatch):
    monkeypatch.setitem(TOLERANCES, "cuda", {torch.float32: Tolerance(0.1, 0)})
    reply = {"h": torch.ones(2) + 0.05}
    expect(Reply(reply, "cuda")["h"]).matches(torch.ones(2))
    with pytest.raises(Mismatch, match=r"off by up to 0\.05"):
        expect(Reply(reply)["h"]).matches(torch.ones(2))


def test_a_reply_knows_where_its_probe_ran():
    session = SimpleNamespace(calls=0, cpu_used_s=0.0, alive=False, call=lambda *_: {"h": 1})
    desk = SimpleNamespace(session=lambda fresh, stand_in: session)
    for device in TOLERANCES:
        assert (
            Attempt(desk, 0, device, False).run(test_each_device_has_a_tolerance_for_each_dtype)["h"].device == device
        )
