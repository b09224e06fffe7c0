"""An IterableDataset; encode by NumPy's unique inverse; columns cut by tensor_split; errors of one's own class."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset


class VocabularyError(ValueError, KeyError):
    def __init__(self, char: str) -> None:
        super().__init__(char)
        self.char = char

    def __str__(self) -> str:
        return f"character {self.char} (code point {ord(self.char)}) is outside the vocabulary"


def build_vocab(text: str) -> tuple[dict[str, int], np.ndarray]:
    if not text:
        raise ValueError("no text")
    array = np.array(list(text), dtype=object)
    chars = np.unique(array)
    return {c: int(i) for i, c in np.ndenumerate(chars) for i in i}, chars


def encode(text: str, char_to_idx: dict[str, int]) -> Tensor:
    if not text:
        return torch.zeros((0,), dtype=torch.long)
    distinct, inverse = np.unique(np.array(list(text), dtype=object), return_inverse=True)
    try:
        numbers = np.array([char_to_idx[c] for c in distinct], dtype=np.int64)
    except KeyError as problem:
        raise VocabularyError(problem.args[0]) from None
    return torch.from_numpy(numbers[inverse.reshape(-1)])


def decode(indices: Tensor | list[int], idx_to_char: object) -> str:
    return "".join([idx_to_char[int(i)] for i in np.asarray(indices).tolist()])


class Stream(IterableDataset):
    def __init__(self, data: Tensor, batch_size: int, seq_len: int) -> None:
        assert data.ndim == 1
        self.n = (data.numel() - 1) // (batch_size * seq_len)
        used = batch_size * self.n * seq_len
        self.pair = [data.narrow(0, shift, used).view(batch_size, -1) for shift in (0, 1)]

    def __iter__(self):
        return zip(*(rows.tensor_split(self.n, dim=1) for rows in self.pair))


def create_batches(data: Tensor, batch_size: int, seq_len: int) -> Stream:
    if not batch_size > 0 < seq_len:
        raise ValueError("sizes below 1")
    if len(data) <= batch_size * seq_len:
        raise ValueError("text too short for one batch")
    return Stream(data, batch_size, seq_len)
