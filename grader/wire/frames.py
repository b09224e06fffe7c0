"""Frames on a stream socket: 4 bytes header length, 8 bytes body length, JSON header, body.

Both lengths are checked against limits before a byte of them is read, so a forged prefix costs
nothing. What the header and the body mean is `values`' business.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

PREFIX = struct.Struct(">IQ")
HEADER_LIMIT = 4 * 2**20
FRAME_LIMIT = 64 * 2**20


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


HEADER = json.JSONDecoder(parse_constant=_refuse_constant)  # made once: `json.loads` makes one for each frame


class WireError(Exception):
    """The bytes on the wire are no frame: too long, cut short, or not what a frame holds."""


def write_frame(sock: socket.socket, header: dict[str, Any], body: bytes = b"") -> None:
    """Send one frame. Raises WireError if it is over the limits, OSError if the peer is gone."""
    head = json.dumps(header).encode()
    if len(head) > HEADER_LIMIT or len(body) > FRAME_LIMIT:
        raise WireError(f"a frame of {len(head) + len(body):,} bytes is over the limit")
    sock.sendall(b"".join((PREFIX.pack(len(head), len(body)), head, body)))  # at once: the reader wakes once


def read_frame(receive: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """Read one frame through `receive(n)`, which returns exactly n bytes or raises.

    The caller owns the waiting: the trusted side's `receive` watches clocks while it waits, the
    student's side simply blocks.
    """
    header_length, body_length = PREFIX.unpack(receive(PREFIX.size))
    if header_length > HEADER_LIMIT or body_length > FRAME_LIMIT:
        raise WireError(f"a frame announces {header_length + body_length:,} bytes")
    head = receive(header_length)
    body = receive(body_length) if body_length else b""
    try:
        header = HEADER.decode(head.decode())
    except (ValueError, RecursionError) as problem:
        raise WireError(f"a frame's header is not JSON ({type(problem).__name__})") from None
    if not isinstance(header, dict):
        raise WireError("a frame's header is not an object")
    return header, body


def receive_exactly(sock: socket.socket, count: int) -> bytes:
    """Block until `count` bytes have come. Raises EOFError when the peer hangs up before that."""
    received = bytearray()
    while len(received) < count:
        chunk = sock.recv(min(count - len(received), 2**20))
        if not chunk:
            raise EOFError
        received += chunk
    return bytes(received)
