"""The socket to a process that forks on request: whose answer an answer is."""

from __future__ import annotations

import socket

import pytest

from grader.sandbox.channel import Channel
from grader.wire import write_frame


def test_a_late_answer_is_not_taken_for_the_next():
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(ours)
        write_frame(theirs, {"ended": 1, "status": 9})  # asked for before, and nobody waited so long
        write_frame(theirs, {"ended": 2, "status": 256})
        assert channel.status_of(2) == 256
        channel.close()


def test_an_answer_that_never_comes_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr("grader.sandbox.channel.ANSWER_PATIENCE_S", 0.1)
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(ours)
        write_frame(theirs, {"ended": 1, "status": 9})
        with pytest.raises(TimeoutError):
            channel.status_of(2)
        channel.close()
