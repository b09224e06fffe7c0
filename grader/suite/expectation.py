"""`expect`: the one place where a value of the student's is compared with a right one.

It looks at type, then shape, then dtype, then finiteness, then values, so that nothing broadcasts
into equality and an empty tensor equals nothing but an empty tensor. A Mismatch says the first thing
that is wrong, in words for the student.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.messages import one_line, quote
from grader.wire.values import Opaque


class Mismatch(Exception):
    """A value is not what was promised; the text says how, for a public test's message."""


@dataclass(frozen=True)
class Part:
    """One named value of a reply, to be given to `expect`; `device` is where it was computed."""

    label: str
    value: Any
    device: str = "cpu"


@dataclass(frozen=True)
class Tolerance:
    """`|yours − right| ≤ absolute + relative · |right|`."""

    absolute: float
    relative: float


NEGLIGIBLE = 1e-9  # of the right number: rounding around 0
# By where a value was computed. The noise between correct cells, with N(0, 1) weights over 20 seeds:
#   cpu   float64  3e-15   float32  2e-6 (20 steps); the mildest wrong cell differs by 0.3
#   cuda  not measured yet; `python -m tests.gpu --only noise` does. With TF32 off, as sessions have it, a GPU's
#         float32 is the CPU's but for the order of sums and an ulp or two of exp and tanh; with it on, a product
#         would be off by 1e-3, and right answers fail.
TOLERANCES = {
    "cpu": {torch.float64: Tolerance(1e-9, 1e-9), torch.float32: Tolerance(2e-5, 2e-5)},
    "cuda": {torch.float64: Tolerance(1e-9, 1e-9), torch.float32: Tolerance(2e-5, 2e-5)},
}


class Expectation:
    """What `expect` returns; each method returns None or raises Mismatch."""

    def __init__(self, label: str, value: Any, axes: str, blocks: str = "", device: str = "cpu") -> None:
        self._allowed = TOLERANCES[device]
        self._label = label
        self._value = value
        self._axes = axes.split()
        self._blocks = blocks.split()

    def matches(self, right: torch.Tensor, tolerance: Tolerance | None = None) -> None:
        """The value is a tensor of this shape, dtype and, within the tolerance, these numbers."""
        value = self._value
        label = self._label
        if not isinstance(value, torch.Tensor):
            raise Mismatch(f"{label}: {describe_kind(value)}, expected a tensor of shape {tuple(right.shape)}")
        if value.shape != right.shape:
            raise Mismatch(f"{label}: shape {tuple(value.shape)}, expected {tuple(right.shape)}")
        if value.dtype != right.dtype:
            raise Mismatch(f"{label}: {_dtype(value)}, expected {_dtype(right)}")
        if not right.dtype.is_floating_point:
            self._exactly(value, right)
            return
        allowed = tolerance or self._allowed[right.dtype]
        exact = right.double()
        off = (value.double() - exact).abs()
        bound = allowed.absolute + allowed.relative * exact.abs()
        if (off <= bound).all():
            return
        if not torch.isfinite(value).all():
            raise Mismatch(f"{label}: some of its values are not finite (nan or inf)")
        if (off > bound).any():
            raise Mismatch(self._worst(value, right, off))

    def equals(self, right: object) -> None:
        """The value is exactly this one: same type (list and tuple count as one), same content."""
        if isinstance(right, bool) and self._value is (not right):
            said = "this should be so, but is not" if right else "this should not be so, but is"
            raise Mismatch(f"{said}: {self._label}")
        if describe_kind(self._value) != describe_kind(right) or _plain(self._value) != _plain(right):
            raise Mismatch(f"{self._label}: {_show(self._value)}, expected {_show(right)}")

    def is_close(self, right: float, tolerance: Tolerance) -> None:
        """The value is a finite number within the tolerance of this one."""
        value = self._value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Mismatch(f"{self._label}: {describe_kind(value)}, expected a number")
        if not math.isfinite(value) or abs(value - right) > tolerance.absolute + tolerance.relative * abs(right):
            raise Mismatch(f"{self._label}: {_beside(value, right, 6)}")

    def _exactly(self, value: torch.Tensor, right: torch.Tensor) -> None:
        wrong = value != right
        if wrong.any():
            index = tuple(int(i) for i in wrong.nonzero()[0])
            yours, wanted = value[index].item(), right[index].item()
            count = int(wrong.sum())
            share = f" ({count} of {wrong.numel()} {'is' if count == 1 else 'are'} wrong)" if wrong.numel() > 1 else ""
            where = self._place(index, value.shape)
            raise Mismatch(f"{self._label}: {yours} at {where}, expected {wanted}{share}")

    def _worst(self, value: torch.Tensor, right: torch.Tensor, off: torch.Tensor) -> str:
        if not value.dim():
            return f"{self._label}: {_beside(value.item(), right.item())}"
        index = tuple(int(i) for i in torch.unravel_index(off.argmax(), off.shape))
        share = (off <= off.max() * 1e-3).float().mean().item()
        return (
            f"{self._label}: right shape, {tuple(value.shape)}, but off by up to {_number(off.max().item(), 3)}, "
            f"most at {self._place(index, value.shape)}: "
            f"yours {_beside(value[index].item(), right[index].item())}"
            + (f" ({share:.0%} of the values are right or nearly so)" if 0.05 < share < 1 else "")
        )

    def _place(self, index: tuple[int, ...], shape: Sequence[int]) -> str:
        """`step 3, row 0, unit 2`, or `row 7 (candidate block), column 2`."""
        if not index:
            return "its one value"
        named = [f"{axis} {i}" for axis, i in zip(self._axes, index, strict=False)]
        if len(self._axes) != len(index):
            return f"[{', '.join(map(str, index))}]"
        if self._blocks and shape[0] % len(self._blocks) == 0:
            named[0] += f" ({self._blocks[index[0] * len(self._blocks) // shape[0]]} block)"
        return ", ".join(named)


def expect(value: Any, *, axes: str = "", blocks: str = "") -> Expectation:
    """Check one value: `expect(reply["h"], axes="step row unit").matches(right)`.

    `axes` names the dimensions, so that a message can say "step 3, row 0, unit 2"; `blocks` the equal parts
    that the first dimension consists of, such as the gates of an LSTM.
    """
    if isinstance(value, Part):
        return Expectation(value.label, value.value, axes, blocks, value.device)
    return Expectation("the value", value, axes, blocks)


def describe_kind(value: Any) -> str:
    """What sort of thing a value is, for people: "a tensor of shape (2, 3)", "None", "a str"."""
    if value is None:
        return "None"
    if isinstance(value, Opaque):
        return _a(one_line(quote(value.kind, 80)))
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return "a list"
    return _a(type(value).__name__)


def _a(kind: str) -> str:
    return f"an {kind}" if kind[:1].lower() in tuple("aeio") else f"a {kind}"


def _plain(value: Any) -> Any:
    """Tensors and sequences as nested lists, so that `==` means what it says."""
    if isinstance(value, torch.Tensor):
        return ["tensor", str(value.dtype), list(value.shape), value.tolist()]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [type(value).__name__, value]


def _show(value: Any) -> str:
    return quote(_shown(value), 200)


def _shown(value: Any) -> str:
    """A value as Python shows it, but what stayed in the student's process by the name of its type."""
    if isinstance(value, Opaque):
        return describe_kind(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_shown(key)}: {_shown(item)}' for key, item in value.items())}}}"
    return repr(value)


def _beside(yours: float, right: float, digits: int = 5) -> str:
    """`0.74748, expected 0.75`, with as many digits as it takes to tell the two apart."""
    while digits < 17 and _number(yours, digits) == _number(right, digits):
        digits += 1
    shown = "nearly 0" if 0 < abs(yours) < NEGLIGIBLE * abs(right) else _number(yours, digits)
    return f"{shown}, expected {_number(right, digits)}"


def _number(value: float, digits: int) -> str:
    """So many digits, and an exponent only where the number would be long without one: 1240, 0.0000312, 3.2e-12."""
    if 1e-6 <= abs(value) < 10**digits:
        return f"{float(f'{value:.{digits}g}'):.{digits + 6}f}".rstrip("0").rstrip(".")
    if 10**digits <= abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def _dtype(tensor: torch.Tensor) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    return "int64 (torch.long)" if name == "int64" else name
