"""A probe's reply on the trusted side: untrusted values behind checked access.

A test never computes with a raw value of a reply: `reply.number("loss")` is a float or the test has
failed with a sentence that says what came instead.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch

from grader.suite.expectation import Mismatch, Part, describe_kind

Kind = TypeVar("Kind")


class Reply:
    """What a probe sent back: `reply["h"]` for `expect`, or `reply.tensor("h")` and its kin.

    `device` is where the probe ran; the values lie on the CPU, wherever that was.
    """

    def __init__(self, values: Any, device: str = "cpu") -> None:
        self.values = values
        self.device = device

    def __getitem__(self, label: str) -> Part:
        return Part(label, self._get(label), self.device)

    def tensor(self, label: str, shape: tuple[int, ...] | None = None) -> torch.Tensor:
        """The tensor of this name; of this shape, if one is given."""
        value = self._typed(label, torch.Tensor, "a tensor")
        if shape is not None and tuple(value.shape) != shape:
            raise Mismatch(f"{label}: shape {tuple(value.shape)}, expected {shape}")
        return value

    def text(self, label: str) -> str:
        """The string of this name."""
        return self._typed(label, str, "a string")

    def flag(self, label: str) -> bool:
        """The bool of this name."""
        return self._typed(label, bool, "True or False")

    def whole(self, label: str) -> int:
        """The int of this name (a bool is none)."""
        value = self._get(label)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Mismatch(f"{label}: {describe_kind(value)}, expected an int")
        return value

    def number(self, label: str) -> float:
        """The finite int or float of this name."""
        value = self._get(label)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Mismatch(f"{label}: {describe_kind(value)}, expected a number")
        if not math.isfinite(value):
            raise Mismatch(f"{label}: {value}, expected a finite number")
        return float(value)

    def numbers(self, label: str) -> list[float]:
        """The list of finite numbers of this name."""
        items = self.sequence(label)
        return [Reply({f"{label}[{i}]": item}).number(f"{label}[{i}]") for i, item in enumerate(items)]

    def sequence(self, label: str) -> list[Any]:
        """The list or tuple of this name, as a list."""
        value = self._get(label)
        if not isinstance(value, list | tuple):
            raise Mismatch(f"{label}: {describe_kind(value)}, expected a list")
        return list(value)

    def _typed(self, label: str, kind: type[Kind], wanted: str) -> Kind:
        value = self._get(label)
        if not isinstance(value, kind):
            raise Mismatch(f"{label}: {describe_kind(value)}, expected {wanted}")
        return value

    def _get(self, label: str) -> Any:
        if not isinstance(self.values, dict) or label not in self.values:
            raise Mismatch(f"{label} is missing from the answer")
        return self.values[label]
