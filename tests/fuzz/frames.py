"""Frames for the decoder: a reply as an honest session would send it, then a few things wrong with it.

The mutations know the format, so that most cases get past its first checks: they change the tree and
its leaves, the JSON text, the header of the tensors and the prefix, each by itself, and only now and
then flip plain bytes. Feeding goes the way of `Session.call`: read the frame, then decode the reply.
What is decoded must be what `encode` would have sent: it is looked through and sent once more.
"""

from __future__ import annotations

import json
import math
import random
import re
import struct
from collections.abc import Callable
from typing import Any

import torch

from grader.sandbox.session import _plain
from grader.wire import WireError, read_frame
from grader.wire.frames import FRAME_LIMIT, HEADER_LIMIT, PREFIX
from grader.wire.values import DTYPES, MAX_DEPTH, MAX_INTEGER, MAX_STRING, TYPE_NAME_LIMIT, Opaque, decode, encode
from tests.fuzz.campaign import MIB

LENGTH = struct.Struct("<Q")


class Frames:
    """A million of these went through; figures in tests/benchmarks/RESULTS.md."""

    growth_limit = 16 * MIB
    peak_limit = 512 * MIB
    ending = ".frame"

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.bases = [(json.dumps(tree), body) for tree, body in map(encode, _replies())]

    def make(self, rng: random.Random) -> bytes:
        """One frame with none to three mutations."""
        text, body = rng.choice(self.bases)
        tree = json.loads(text)
        for _ in range(rng.choice((0, 0, 1, 1, 1, 2))):
            tree = _mutate_tree(tree, rng)
        if rng.random() < (0.4 if body else 0.05):
            body = _mutate_tensors(body, rng)
        header = {"id": 1, "error": tree} if rng.random() < 0.03 else {"id": 1, "reply": tree}
        try:
            head = json.dumps(header).encode()
        except RecursionError:  # nested twice
            head = b"[" * 3000
        if rng.random() < 0.15:
            head = _mutate_text(head, rng)
        return _mutate_frame(head, body, rng)

    def feed(self, case: bytes) -> str:
        """What `Session.call` does with a reply. Returns the check it died at, or "decoded"."""
        position = 0

        def receive(count: int) -> bytes:
            nonlocal position
            chunk = case[position : position + count]
            position += count
            if len(chunk) < count:
                raise EOFError
            return chunk

        try:
            header, body = read_frame(receive)
            if isinstance(header.get("error"), dict):
                described = _plain(header["error"])
                assert set(described) <= {"type", "text", "stage", "file", "code", "line"}
                return "an exception is described"
            value = decode(header.get("reply"), body)
        except EOFError:
            return "refused: it ends before the frame does"
        except WireError as problem:
            library = re.findall(r"[^:]+", str(problem.__context__))[1:2] if "SafetensorError" in str(problem) else []
            return "refused: " + re.sub(r"[\d,]+", "N", str(problem) + "".join(library))
        _look_through(value, 0)
        tree, blob = encode(value)
        once = json.dumps(tree)
        again, blob_again = encode(decode(json.loads(once), blob))
        assert (json.dumps(again), blob_again) == (once, blob), "it changes when it is sent on"
        return "decoded, changed or not"


def _replies() -> list[Any]:
    """What probes send back, and a few values at the edges of what they may."""
    torch.manual_seed(0)
    steps = {"h": torch.randn(2, 3, 4), "c": torch.randn(2, 3, 4), "gradient": torch.randn(2, 3, 4).double()}
    every = {str(dtype): (torch.rand(2, 3) * 2).to(dtype) for dtype in DTYPES}
    deep: Any = 1
    for _ in range(MAX_DEPTH - 4):
        deep = [deep]
    return [
        steps,
        {"batches": [(torch.arange(6).reshape(2, 3), torch.arange(6).reshape(2, 3)) for _ in range(3)]},
        {"text": "The quick é 😉\n\x00", "calls": [("encode", 3), ("decode", [1, 2, 3])]},
        {"losses": [2.5, 1.25, math.inf, math.nan, -0.0], "ok": True, "none": None},
        {"vocabulary": {chr(97 + i): i for i in range(20)}, "back": dict(enumerate("abcdefghijklmnopqrst"))},
        every,
        [torch.zeros(0), torch.tensor(3.0), torch.zeros(1, 0, 2), torch.ones(1, dtype=torch.bool)],
        {"deep": deep, "odd": [object(), {1, 2}, 2**70, torch.zeros(1, dtype=torch.complex64)]},
        ("pair", ({(1, 2): "x"}, {None: {1.5: []}})),
        [[i] * 3 for i in range(30)],
        3,
        "x",
    ]


# --- the tree ---------------------------------------------------------------------------------


def _mutate_tree(tree: Any, rng: random.Random) -> Any:
    """Change one node: replace, wrap, double, drop or swap."""
    path = _somewhere(tree, rng)
    if not path:
        return _hostile(tree, rng)
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    how = rng.random()
    if how < 0.7:
        parent[last] = _hostile(parent[last], rng)
    elif isinstance(parent, list) and how < 0.8:
        parent.insert(last, parent[last])
    elif isinstance(parent, list) and how < 0.9:
        del parent[last]
    elif isinstance(parent, dict):
        parent[rng.choice(("dict", "tuple", "tensor", "float", "opaque", "", "__class__"))] = parent.pop(last)
    else:
        other = rng.randrange(len(parent))
        parent[last], parent[other] = parent[other], parent[last]
    return tree


def _somewhere(tree: Any, rng: random.Random) -> list[Any]:
    path: list[Any] = []
    while isinstance(tree, list | dict) and tree and rng.random() < 0.85:
        step = rng.randrange(len(tree)) if isinstance(tree, list) else rng.choice(list(tree))
        path.append(step)
        tree = tree[step]
    return path


def _hostile(node: Any, rng: random.Random) -> Any:
    rare = rng.random() < 0.0003  # these take half a second each
    choices: list[Callable[[], Any]] = [
        lambda: rng.choice((0, -1, 1.5, "", None, True, [], {}, "x" * rng.randrange(200))),
        lambda: rng.choice((-1, 1)) * (2 ** rng.choice((31, 32, 53, 62, 63, 64, 200)) + rng.randrange(-1, 2)),
        lambda: rng.choice((math.nan, math.inf, -math.inf, 1e308, 5e-324, -0.0)),
        lambda: "".join(chr(rng.choice((0, 9, 27, 0x9B, 0xD800, 0xDFFF, 0x202E, 0x200B, 0x1F600))) for _ in range(5)),
        lambda: {"tensor": rng.choice(("0", "1", "2", "99", "", 0, None, ["0"]))},
        lambda: {"tuple": node},
        lambda: {"tuple": [node, node]},
        lambda: {"float": rng.choice(("nan", "inf", "-inf", "NaN", "1e5", 1, None, ["nan"], "infinity"))},
        lambda: {"opaque": rng.choice(("module", "x" * 100, 1, None, {"opaque": "y"}, "\x1b[2J"))},
        lambda: {"dict": rng.choice(([], [[1, 2]], [[1]], [[1, 2, 3]], {}, "ab", [node], [[node, node]]))},
        lambda: {"dict": [[{"tensor": "0"}, 1], [{"tuple": [1]}, node], [{"opaque": "k"}, 2]]},
        lambda: {"dict": [[{"dict": []}, 1]]},
        lambda: {"dict": [[1, "a"], [True, "b"], [1.0, "c"], [{"float": "nan"}, "d"], [{"float": "nan"}, "e"]]},
        lambda: {"what": node, "opaque": "two"},
        lambda: _nested(node, rng.choice((1, 2, 5, 29, 30, 31, 32, 33, 34, 35, 40, 100)), rng),
        lambda: [node] * rng.choice((2, 10, 100)),
    ]
    if rare:
        choices = [
            lambda: [0] * rng.choice((199_000, 200_001, 400_000)),
            lambda: [[]] * rng.choice((100_000, 250_000)),
            lambda: {"dict": [[2**61 * k, 0] for k in range(rng.choice((9_999, 10_001)))]},
            lambda: {"dict": [["k" + str(k), []] for k in range(rng.choice((9_999, 10_001)))]},
            lambda: "é" * rng.choice((MAX_STRING, MAX_STRING + 1, 600_000)),
            lambda: _nested(node, rng.choice((500, 900)), rng),
        ]
    return rng.choice(choices)()


def _nested(node: Any, depth: int, rng: random.Random) -> Any:
    wrap = rng.choice((lambda n: [n], lambda n: {"tuple": [n]}, lambda n: {"dict": [[1, n]]}, lambda n: {"a": n}))
    for _ in range(depth):
        node = wrap(node)
    return node


# --- the JSON text ----------------------------------------------------------------------------


def _mutate_text(text: bytes, rng: random.Random) -> bytes:
    """Change the text of the header below the level of JSON values."""
    if rng.random() < 0.0005:  # the most that a header can stand for
        return b'{"id": 1, "reply": [' + rng.choice((b"{},", b"[],", b'"ab",')) * ((HEADER_LIMIT - 30) // 5) + b"0]}"
    tokens = [
        *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 5000, b"0.1e-99999", b"-0", b"01", b"1."),
        *(
            b'"\\ud800"',
            b'"\\udfff\\ud800"',
            b'"\\u0000"',
            b'"\\x"',
            b'"\xff"',
            b"\xed\xa0\x80",
            b'"\t"',
            b"true false",
        ),
        *(b"[" * 2000, b'{"a":' * 2000, b"[[]]", b"{}", b'{"reply":1}', b"/* */", b"'x'", b"\xef\xbb\xbf", b" " * 3000),
    ]
    numbers = [match.span() for match in re.finditer(rb"-?\d+(?:\.\d+)?", text)]
    how = rng.randrange(7)
    if how == 0 and numbers:
        start, end = rng.choice(numbers)
        return text[:start] + rng.choice(tokens) + text[end:]
    if how == 1:
        at = rng.randrange(len(text))
        return text[:at] + rng.choice(tokens) + text[at:]
    if how == 2:
        return text[:-1] + rng.choice(
            (b',"reply":{"dict":[]}}', b',"id":"x"}', b',"error":{"type":"E"}}', b',"x":}', b"")
        )
    if how == 3:
        return text[: rng.randrange(len(text))]
    if how == 4:
        return rng.choice((text.decode().encode("utf-16"), b"\xef\xbb\xbf" + text, text + text, b"", b"[1]", b"null"))
    if how == 5:
        start, end = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
        return text[:end] + text[start:]
    return _flipped(text, rng)


def _flipped(content: bytes, rng: random.Random, reach: int = 10**9) -> bytes:
    if not content:
        return content
    flipped = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(min(len(flipped), reach))
        flipped[at] = rng.choice((rng.randrange(256), flipped[at] ^ 1 << rng.randrange(8)))
    return bytes(flipped)


# --- the tensors ------------------------------------------------------------------------------

KINDS = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL", "U16", "U32", "U64", "C64", "C128", "F4")
STRANGE_KINDS = ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F6_E2M3", "F6_E3M2", "f32", "", 3, None, ["F32"])
SIZES = (0, 1, 2, 3, -1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 1.5, "2", None, [2], True, 1e99)


def _mutate_tensors(body: bytes, rng: random.Random) -> bytes:
    """Change the header of a safetensors file, its data, or its length."""
    if not body:
        return rng.choice((b"", b"\0", b"{}", LENGTH.pack(2) + b"{}", LENGTH.pack(0), LENGTH.pack(2**63), b"\xff" * 20))
    (length,) = LENGTH.unpack(body[:8])
    header, data = json.loads(body[8 : 8 + length]), body[8 + length :]
    names = [name for name in header if name != "__metadata__"]
    how = rng.random()
    if how < 0.1:
        return _flipped(body, rng, 8 + length + 16)
    if how < 0.3:
        return body[: 8 + length] + _flipped(data, rng) if data else body
    if how < 0.38:
        return rng.choice((body[: rng.randrange(len(body))], body + b"\0" * rng.randrange(1, 20), body + body))
    if how < 0.44:
        wrong = rng.choice((0, 1, length - 1, length + 1, len(body), 2**31, 2**63, 2**64 - 1, 100_000_001))
        return LENGTH.pack(wrong) + body[8:]
    for _ in range(rng.choice((1, 1, 2))):
        entry = header[rng.choice(names)]
        _mutate_entry(entry, header, names, len(data), rng)
    if rng.random() < 0.15:
        data += b"\0" * rng.choice((1, 4, 8, 64))
    text = json.dumps(header).encode()
    if rng.random() < 0.1:
        text = text.replace(b'"1"', b'"0"')  # a name twice
    if rng.random() < 0.1:
        text = _flipped(text, rng)
    text += b" " * (-len(text) % 8)
    return LENGTH.pack(len(text)) + text + data


def _mutate_entry(entry: Any, header: dict[str, Any], names: list[str], length: int, rng: random.Random) -> None:
    """Change one tensor's entry: its dtype, shape, offsets or name, so that it may still fit."""
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or len(offsets) != 2:  # changed before
        return
    start, end = offsets
    how = rng.randrange(11)
    if how == 0:
        entry["dtype"] = rng.choice(KINDS + STRANGE_KINDS)
    elif how == 1:
        entry["shape"] = [rng.choice(SIZES) for _ in range(rng.randrange(5))]
    elif how == 2 and isinstance(entry.get("shape"), list):
        entry["shape"] += [1] * rng.choice((1, 10, 64, 65, 128, 129, 1000))
    elif how == 3:
        entry["data_offsets"] = [rng.choice((start, end, length, length + 1, *SIZES)), rng.choice((end, start, *SIZES))]
    elif how == 4:  # the same bytes as something else
        width = rng.choice((1, 2, 4, 8))
        entry["dtype"] = rng.choice(
            {1: ("U8", "I8", "BOOL"), 2: ("F16", "BF16", "I16"), 4: ("F32", "I32")}.get(width, ("F64", "I64"))
        )
        entry["shape"] = [(end - start) // width] if isinstance(start, int) and isinstance(end, int) else [1]
    elif how == 5:
        header["empty"] = {
            "dtype": rng.choice(KINDS),
            "shape": [0, *rng.choices(SIZES[:11], k=3)],
            "data_offsets": [end, end],
        }
    elif how == 6:
        header["__metadata__"] = rng.choice(({"a": "b"}, {"a": 1}, [], "x", {"a": "b" * 10_000}, None))
    elif how == 7:
        header[rng.choice(("", "é", "\ud800", "\0", "x" * 1000, "00", names[0]))] = header.pop(rng.choice(names), entry)
        names[:] = [name for name in header if name != "__metadata__"]
    elif how == 8:
        entry[rng.choice(("dtype", "shape", "data_offsets", "extra"))] = rng.choice(SIZES)
    elif how == 9:
        entry.pop(rng.choice(("dtype", "shape", "data_offsets")), None)
    elif rng.random() < 0.01:
        for number in range(rng.choice((4_000, 5_000, 30_000))):
            header[f"e{number}"] = {"dtype": "U8", "shape": [0], "data_offsets": [end, end]}


# --- the frame --------------------------------------------------------------------------------


def _mutate_frame(head: bytes, body: bytes, rng: random.Random) -> bytes:
    """Put the parts together, now and then with lengths that lie, or cut, or spliced."""
    head_length, body_length = len(head), len(body)
    how = rng.random()
    if how < 0.02:
        head_length = rng.choice((0, 1, head_length - 1, head_length + 1, HEADER_LIMIT, HEADER_LIMIT + 1, 2**32 - 1))
    elif how < 0.04:
        body_length = rng.choice((0, 1, body_length + 1, FRAME_LIMIT, FRAME_LIMIT + 1, 2**63, 2**64 - 1))
    frame = PREFIX.pack(max(0, head_length), body_length) + head + body
    if 0.04 < how < 0.06:
        frame = frame[: rng.randrange(len(frame))]
    elif 0.06 < how < 0.07:
        frame = _flipped(frame, rng)
    elif 0.07 < how < 0.08:
        start, end = sorted((rng.randrange(len(frame)), rng.randrange(len(frame))))
        frame = frame[:start] + frame[end:]
    return frame


# --- what was decoded -------------------------------------------------------------------------


def _look_through(value: Any, depth: int) -> None:
    """Fail on any value that `encode` has no form for."""
    assert depth <= MAX_DEPTH or isinstance(value, Opaque)
    if isinstance(value, torch.Tensor):
        assert type(value) is torch.Tensor and value.dtype in DTYPES and value.device.type == "cpu"
        assert value.is_contiguous() and not value.requires_grad and not value._is_view()
        assert value.untyped_storage().nbytes() == value.numel() * value.element_size()
        if value.dtype is torch.bool:
            assert (value.view(torch.uint8) <= 1).all(), "a truth value that is neither 0 nor 1"
        value.sum()
    elif isinstance(value, list | tuple):
        for item in value:
            _look_through(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _look_through(key, depth + 1)
            _look_through(item, depth + 1)
    elif isinstance(value, str):
        assert len(value) <= MAX_STRING, "a string over the limit"
    elif isinstance(value, Opaque):
        assert len(value.kind) <= TYPE_NAME_LIMIT
    elif isinstance(value, int):
        assert abs(value) < MAX_INTEGER
    else:
        assert value is None or isinstance(value, float)
