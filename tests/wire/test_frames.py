"""The wire: values survive the crossing, and nothing that is no frame gets past the decoder."""

from __future__ import annotations

import json
import math
import socket

import numpy as np
import pytest
import torch

from grader.wire import FRAME_LIMIT, WireError, read_frame, receive_exactly, write_frame
from grader.wire.frames import PREFIX
from grader.wire.values import Opaque, decode, encode


def crossing(value):
    tree, body = encode(value)
    return decode(json.loads(json.dumps(tree)), body)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**62), 1.5, math.inf, "text\n\x00é😉", [], [1, [2, (3,)]], (), {"a": {1: None}}, {(1, 2): "x"}],
)
def test_plain_values_survive(value):
    assert crossing(value) == value


def test_nan_survives():
    assert math.isnan(crossing(math.nan))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.uint8])
@pytest.mark.parametrize("shape", [(), (0,), (3, 1, 2)])
def test_tensors_survive(dtype, shape):
    tensor = (torch.rand(shape) * 4).to(dtype)
    back = crossing({"t": tensor})["t"]
    assert back.dtype == dtype and back.shape == tensor.shape and torch.equal(back, tensor)


class Hollow(torch.Tensor):
    """A subclass with a shape and no memory, whatever is asked of it."""

    @staticmethod
    def __new__(cls, size):
        return torch.Tensor._make_wrapper_subclass(cls, (size,), dtype=torch.float32)

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), named=None):
        return cls(3)


def test_a_number_that_is_only_marked_as_negative_crosses_as_it_reads():
    imaginary = torch.tensor([1 + 2j]).conj().imag
    assert imaginary.is_neg() and crossing(imaginary).tolist() == [-2.0]


def test_shared_strided_and_grown_tensors_cross_as_copies():
    base = torch.arange(6.0).reshape(2, 3).requires_grad_()
    back = crossing({"same": base, "again": base, "turned": base.T, "expanded": torch.ones(1).expand(4)})
    assert torch.equal(back["turned"], base.T)
    assert back["same"].data_ptr() != back["again"].data_ptr()
    assert not back["same"].requires_grad and not back["same"]._is_view()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "object"),
        ({1, 2}, "set"),
        (lambda: 0, "function"),
        (1j, "complex"),
        (np.zeros(2), "ndarray"),
        (2**70, "integer"),
        (torch.zeros(2, device="meta"), "plain storage"),
        (torch.zeros(2, dtype=torch.complex64), "complex64"),
        (torch.eye(2).to_sparse(), "storage"),
        (Hollow(3), "storage"),
    ],
)
def test_what_has_no_form_is_named_and_stays_behind(value, kind):
    back = crossing([value])[0]
    assert isinstance(back, Opaque) and kind in back.kind


def test_numpy_scalars_are_numbers():
    assert crossing([np.int64(3), np.float32(0.5), np.bool_(True)])[:2] == [3, 0.5]


def test_a_frame_over_the_limit_is_refused_before_it_is_read():
    asked = []

    def receive(count):
        asked.append(count)
        return PREFIX.pack(10, FRAME_LIMIT + 1)

    with pytest.raises(WireError, match="announces"):
        read_frame(receive)
    assert asked == [PREFIX.size]


def test_a_frame_crosses_a_socket():
    ours, theirs = socket.socketpair()
    write_frame(ours, {"id": 1}, b"body")
    assert read_frame(lambda count: receive_exactly(theirs, count)) == ({"id": 1}, b"body")
    ours.close()
    with pytest.raises(EOFError):
        read_frame(lambda count: receive_exactly(theirs, count))


@pytest.mark.parametrize(
    "head", [b"", b"[]", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1' + b"0" * 5000 + b"}", b"[" * 100_000, b'"x"']
)
def test_a_header_that_is_no_object_is_refused(head):
    content = PREFIX.pack(len(head), 0) + head
    position = 0

    def receive(count):
        nonlocal position
        position += count
        return content[position - count : position]

    with pytest.raises(WireError):
        read_frame(receive)


@pytest.mark.parametrize(
    "tree",
    [
        10**400,
        [[0] * 1000] * 300,
        {"dict": [[2**61 * k, 0] for k in range(10_001)]},
        [{"tensor": "0"}, {"tensor": "0"}],
        {"dict": [[{"dict": []}, 1]]},
        {"float": "1e3"},
        {"what": 1},
    ],
)
def test_a_small_frame_cannot_stand_for_a_large_value(tree):
    _, body = encode(torch.zeros(2))
    with pytest.raises(WireError):
        decode(tree, body)
