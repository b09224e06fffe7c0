"""Strides by hand; searchsorted as the encoder; batches come as an iterable object with __len__ and __iter__."""
import torch
from typing import NamedTuple


class Batch(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


class Batches:
    __slots__ = ("views", "n")

    def __init__(self, views, n):
        self.views, self.n = views, n

    def __len__(self):
        return self.n

    def __iter__(self):
        yield from (Batch(*(view[k].clone() for view in self.views)) for k in range(self.n))


def build_vocab(text):
    codes = sorted({ord(c) for c in text})
    if len(codes) < 1:
        raise ValueError("empty text, empty vocabulary")
    return {chr(code): i for i, code in enumerate(codes)}, [chr(code) for code in codes]


def encode(text, char_to_idx):
    if not text:
        return torch.LongTensor()
    chars = sorted(char_to_idx)
    known = torch.tensor([ord(c) for c in chars] or [-1])
    asked = torch.tensor([ord(c) for c in text])
    places = torch.searchsorted(known, asked).clamp(max=len(known) - 1)
    wrong = (known[places] != asked).nonzero()
    if len(wrong):
        raise ValueError("not in the vocabulary: " + ascii(text[wrong[0].item()]))
    return torch.tensor([char_to_idx[c] for c in chars])[places]


def decode(indices, idx_to_char):
    letters = []
    for index in indices:
        letters.append(idx_to_char[int(index)])
    return "".join(letters)


def create_batches(data, batch_size, seq_len):
    if batch_size < 1:
        raise ValueError("batch_size must be 1 or more")
    if seq_len < 1:
        raise ValueError("seq_len must be 1 or more")
    n, _ = divmod(len(data) - 1, batch_size * seq_len)
    if n < 1:
        raise ValueError("no batch")
    data = data.contiguous()
    shape, strides = (n, batch_size, seq_len), (seq_len, n * seq_len, 1)
    offset = data.storage_offset()
    return Batches([data.as_strided(shape, strides, offset + shift) for shift in (0, 1)], n)
