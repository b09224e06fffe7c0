"""What the canary is offered is taken away again, all of it."""

from __future__ import annotations

import socket
import threading

from grader.sandbox.canary_targets import offered


def test_no_thread_outlives_what_nobody_reached():
    before = threading.active_count()
    with offered():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_the_datagram_is_answered_once():
    before = threading.active_count()
    with offered() as targets, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.settimeout(5)
        ours.sendto(b"hello", ("127.0.0.1", targets["udp"]))
        assert ours.recv(16) == b"hello"
    assert threading.active_count() == before
