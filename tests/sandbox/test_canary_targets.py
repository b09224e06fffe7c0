"""What the canary is offered is taken away again, all of it."""

from __future__ import annotations

import socket
import threading

from grader.sandbox.canary_targets import offered


def test_no_thread_outlives_what_nobody_reached():
    before = set(threading.enumerate())
    with offered():
        (echo,) = set(threading.enumerate()) - before
    assert not echo.is_alive()


def test_the_datagram_is_answered_once():
    before = set(threading.enumerate())
    with offered() as targets, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        (echo,) = set(threading.enumerate()) - before
        ours.settimeout(30)
        ours.sendto(b"hello", ("127.0.0.1", targets["udp"]))
        assert ours.recv(16) == b"hello"
    assert not echo.is_alive()
