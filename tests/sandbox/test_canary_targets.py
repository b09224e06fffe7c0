"""What the canary is offered can be reached, and is taken away again, all of it."""

from __future__ import annotations

import os
import socket
import threading

from grader.sandbox.canary_targets import offered


def test_a_datagram_that_arrives_is_seen_and_one_that_does_not_is_not():
    with offered() as (targets, datagram_came), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        assert not datagram_came()
        ours.sendto(b"canary", ("127.0.0.1", targets["udp"]))
        assert datagram_came()


def test_nothing_is_left_of_them():
    threads, descriptors = threading.enumerate(), os.listdir("/dev/fd")
    with offered() as (targets, _):
        pass
    assert threading.enumerate() == threads
    assert os.listdir("/dev/fd") == descriptors
    assert not os.path.exists(targets["forbidden_folder"])
