"""Values as data: None, bool, int, float, str, list, tuple, dict and tensors, and nothing else.

`encode` runs on both sides and copies every tensor: contiguous, on the CPU, detached. Anything it
has no form for becomes an `Opaque` that only names the type, so a test can say "you returned a
`map`" without the object ever leaving its process. `decode` trusts nothing.
"""

from __future__ import annotations

import math
import numbers
import struct
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from safetensors import TensorSpec, serialize

from grader.wire.frames import WireError

MAX_DEPTH = 32
MAX_TENSORS = 4096
MAX_NODES = 200_000
MAX_PAIRS = 10_000  # keys can be made to collide
MAX_STRING = 2**20
MAX_INTEGER = 2**63
PLAIN = frozenset({bool, int, float, str})
MAX_DIMENSIONS = 32  # torch computes with up to 64, and raises a RuntimeError beyond
TYPE_NAME_LIMIT = 80
TENSOR_LIST_LIMIT = 2 * 2**20  # bytes in which a body lists its tensors; a listed one costs a kilobyte here
TENSOR_LIST_LENGTH = struct.Struct("<Q")
DTYPES = {  # and what the serializer calls them
    torch.float64: "float64",
    torch.float32: "float32",
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.int64: "int64",
    torch.int32: "int32",
    torch.int16: "int16",
    torch.int8: "int8",
    torch.uint8: "uint8",
    torch.bool: "bool",
}


@dataclass(frozen=True)
class Opaque:
    """Stands for a value that has no form on the wire; `kind` says what it was."""

    kind: str


def encode(value: Any) -> tuple[Any, bytes]:
    """Split a value into a JSON tree and a safetensors body.

    `encode({"h": torch.zeros(2), "n": 3})` gives
    `{"dict": [["h", {"tensor": "0"}], ["n", 3]]}` and the bytes that hold tensor "0".
    """
    tensors: dict[str, torch.Tensor] = {}
    tree = _encode(value, tensors, 0)
    return tree, _save(tensors) if tensors else b""


def _save(tensors: dict[str, torch.Tensor]) -> bytes:
    """A body that holds these tensors; they stay alive here while their memory is read."""
    return serialize(
        {
            name: TensorSpec(dtype=DTYPES[t.dtype], shape=t.shape, data_ptr=t.data_ptr(), data_len=t.nbytes)
            for name, t in tensors.items()
        }
    )


def _encode(value: Any, tensors: dict[str, torch.Tensor], depth: int) -> Any:
    kind = type(value)  # what is common is asked for by its exact type: abstract ones take microseconds each
    if kind is Opaque:
        return {"opaque": value.kind}
    if depth > MAX_DEPTH:
        return {"opaque": "value nested too deep"}
    if value is None or kind is bool:
        return value
    if isinstance(value, str):
        return value[:MAX_STRING]
    if kind is torch.Tensor or isinstance(value, torch.Tensor):
        return _encode_tensor(value, tensors)
    if isinstance(value, list | tuple):
        items = [_encode(item, tensors, depth + 1) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        pairs = [[_encode(k, tensors, depth + 1), _encode(v, tensors, depth + 1)] for k, v in value.items()]
        return {"dict": pairs}
    if kind is int or isinstance(value, numbers.Integral):
        whole = int(value)
        return whole if abs(whole) < MAX_INTEGER else {"opaque": "integer of over 63 bits"}
    if kind is float or isinstance(value, numbers.Real):
        real = float(value)
        return real if math.isfinite(real) else {"float": str(real)}
    return {"opaque": kind.__name__[:TYPE_NAME_LIMIT]}


def _encode_tensor(value: torch.Tensor, tensors: dict[str, torch.Tensor]) -> Any:
    try:
        plain = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        if plain.dtype not in DTYPES or len(tensors) >= MAX_TENSORS:
            return {"opaque": f"tensor of {plain.dtype}"}
        if plain.dim() > MAX_DIMENSIONS:
            return {"opaque": f"tensor of {plain.dim()} dimensions"}
        if plain.numel() and not plain.data_ptr():  # a subclass may have a shape and nothing in it
            return {"opaque": "tensor without plain storage"}
    except (RuntimeError, NotImplementedError):  # meta and other tensors without storage
        return {"opaque": "tensor without plain storage"}
    name = str(len(tensors))
    tensors[name] = plain
    return {"tensor": name}


def decode(tree: Any, body: bytes) -> Any:
    """Rebuild what `encode` split. Raises WireError on anything `encode` would not have made."""
    return _Decoder(_load(body) if body else {}).decode(tree, 0)


def _load(body: bytes) -> dict[str, torch.Tensor]:
    """The tensors of a body, each of a kind that `encode` sends."""
    if len(body) < TENSOR_LIST_LENGTH.size or TENSOR_LIST_LENGTH.unpack_from(body)[0] > TENSOR_LIST_LIMIT:
        raise WireError("a frame's list of tensors is too long")
    try:
        tensors = safetensors.torch.load(body)
    except Exception as problem:  # on forged bytes a library raises whatever it happens to meet
        raise WireError(f"a frame's tensors cannot be read ({type(problem).__name__})") from None
    if len(tensors) > MAX_TENSORS:
        raise WireError("a frame holds too many tensors")
    for tensor in tensors.values():
        if tensor.dtype not in DTYPES:
            raise WireError(f"a frame holds a tensor of {tensor.dtype}")
        if tensor.dim() > MAX_DIMENSIONS:
            raise WireError(f"a frame holds a tensor of {tensor.dim()} dimensions")
        if tensor.dtype is torch.bool and (tensor.view(torch.uint8) > 1).any():  # torch reckons with 0 and 1
            raise WireError("a frame holds truth values that are neither true nor false")
    return tensors


class _Decoder:
    """Rebuilds one tree, counting as it goes: a small frame must not stand for a large value."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self.tensors = tensors
        self.nodes = 0

    def decode(self, tree: Any, depth: int) -> Any:
        """Rebuild one node and what is below it."""
        self.nodes += 1
        if self.nodes > MAX_NODES or (depth > MAX_DEPTH and not (isinstance(tree, dict) and "opaque" in tree)):
            raise WireError("a frame is nested too deep or holds too many values")
        kind = type(tree)  # exact, for it comes from JSON
        if kind is int and abs(tree) >= MAX_INTEGER:
            raise WireError("a frame holds an integer of over 63 bits")
        if kind is float and not math.isfinite(tree):  # JSON's 1e999
            raise WireError("a frame holds a number without a form")
        if kind is str and len(tree) > MAX_STRING:
            raise WireError("a frame holds a string over the limit")
        if tree is None or kind in PLAIN:
            return tree
        if kind is list:
            return [self.decode(item, depth + 1) for item in tree]
        if kind is not dict or len(tree) != 1:
            raise WireError("a frame holds an unknown form")
        (form, content), *_ = tree.items()
        if form == "tensor" and isinstance(content, str) and content in self.tensors:
            # once each, and as a clone: safetensors hands out views, which autograd treats differently
            return self.tensors.pop(content).clone()
        if form == "tuple" and isinstance(content, list):
            return tuple(self.decode(item, depth + 1) for item in content)
        if form == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if form == "opaque" and isinstance(content, str):
            return Opaque(content[:TYPE_NAME_LIMIT])
        if form == "dict" and isinstance(content, list) and len(content) <= MAX_PAIRS:
            return self._decode_dict(content, depth)
        raise WireError("a frame holds an unknown form")

    def _decode_dict(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        decoded: dict[Any, Any] = {}
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise WireError("a frame holds a malformed dictionary")
            key = self.decode(pair[0], depth + 1)
            try:
                decoded[key] = self.decode(pair[1], depth + 1)
            except TypeError:  # an unhashable key
                raise WireError("a frame holds a dictionary with an unhashable key") from None
        return decoded
