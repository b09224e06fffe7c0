"""Types everywhere, assertions, a log, prints, and a check of one's own below `if __name__`."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Literal, NamedTuple, TypeAlias

import torch
import torch.nn as nn
from torch import Tensor

log: Final = logging.getLogger(__name__)
Size: TypeAlias = "tuple[int, ...]"


class Gate(IntEnum):
    INPUT = 0
    FORGET = 1
    CANDIDATE = 2
    OUTPUT = 3


class Result(NamedTuple):
    hidden: Tensor
    cell: Tensor


@dataclass(frozen=True, slots=True)
class Sizes:
    inputs: int
    hidden: int

    def __post_init__(self) -> None:
        assert isinstance(self.inputs, int) and isinstance(self.hidden, int)
        assert self.inputs > 0 and self.hidden > 0, f"impossible sizes {self}"


class Cell(nn.Module, ABC):
    KIND: ClassVar[Literal["rnn", "lstm", "gru"]]

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.sizes = Sizes(input_size, hidden_size)
        log.info("a new %s cell", self.KIND)
        print("making", self.KIND, self.sizes, file=sys.stderr)

    def checked(self, x: Tensor, h: Tensor) -> None:
        assert isinstance(x, Tensor) and x.dim() == 2 and x.shape[1] == self.sizes.inputs, x.shape
        assert isinstance(h, Tensor) and h.shape == (x.shape[0], self.sizes.hidden), h.shape
        assert x.dtype == h.dtype and x.device == h.device

    def matrix(self, rows: int, columns: int) -> nn.Parameter:
        return nn.Parameter(nn.init.orthogonal_(torch.empty(rows, columns)))

    @abstractmethod
    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Tensor | None = None) -> Result: ...


class RNNCellFromScratch(Cell):
    KIND = "rnn"

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.W_x: nn.Parameter = self.matrix(hidden_size, input_size)
        self.W_h: nn.Parameter = self.matrix(hidden_size, hidden_size)
        self.bias: nn.Parameter = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Tensor | None = None) -> Result:
        self.checked(x_t, h_prev)
        h = nn.functional.tanh(nn.functional.linear(x_t, self.W_x, self.bias) + nn.functional.linear(h_prev, self.W_h))
        return Result(h, h)


class LSTMCellFromScratch(Cell):
    KIND = "lstm"

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.W_x = self.matrix(len(Gate) * hidden_size, input_size)
        self.W_h = self.matrix(len(Gate) * hidden_size, hidden_size)
        self.bias = nn.Parameter(torch.cat([torch.full((hidden_size,), float(g is Gate.FORGET)) for g in Gate]))

    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Tensor | None = None) -> Result:
        self.checked(x_t, h_prev)
        assert c_prev is not None
        sums: dict[Gate, Tensor] = dict(
            zip(Gate, (x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias).split(self.sizes.hidden, dim=1), strict=True)
        )
        c = sums[Gate.FORGET].sigmoid() * c_prev + sums[Gate.INPUT].sigmoid() * sums[Gate.CANDIDATE].tanh()
        return Result(hidden=sums[Gate.OUTPUT].sigmoid() * c.tanh(), cell=c)


class GRUCellFromScratch(Cell):
    KIND = "gru"

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.W_x_gates, self.W_x_cand = self.matrix(2 * hidden_size, input_size), self.matrix(hidden_size, input_size)
        self.W_h_gates, self.W_h_cand = self.matrix(2 * hidden_size, hidden_size), self.matrix(hidden_size, hidden_size)
        self.b_gates, self.b_cand = nn.Parameter(torch.zeros(2 * hidden_size)), nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Tensor | None = None) -> Result:
        self.checked(x_t, h_prev)
        z, r = torch.sigmoid(x_t @ self.W_x_gates.T + h_prev @ self.W_h_gates.T + self.b_gates).chunk(2, dim=-1)
        n = torch.tanh(x_t @ self.W_x_cand.T + (r * h_prev) @ self.W_h_cand.T + self.b_cand)
        h = torch.lerp(h_prev, n, z)
        return Result(h, h)


def compare_with_library() -> None:
    mine, theirs = LSTMCellFromScratch(3, 4), nn.LSTMCell(3, 4)
    theirs.load_state_dict(
        {"weight_ih": mine.W_x, "weight_hh": mine.W_h, "bias_ih": mine.bias, "bias_hh": torch.zeros(16)}
    )
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mine(x, h, c), theirs(x, (h, c))))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    compare_with_library()
    print("looks right")
