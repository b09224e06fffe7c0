"""A TensorDataset and a BatchSampler of one's own; encode with itemgetter; the state of a cut in a dataclass."""
from dataclasses import dataclass
from operator import itemgetter

import torch
from torch.utils.data import DataLoader, Sampler, TensorDataset


def build_vocab(text):
    if len(text) < 1:
        raise ValueError("text is empty")
    ordered = list(dict.fromkeys(sorted(text)))
    char_to_idx = {}
    idx_to_char = {}
    for ch in ordered:
        idx_to_char[len(char_to_idx)] = ch
        char_to_idx[ch] = len(char_to_idx)
    return char_to_idx, idx_to_char


def encode(text, char_to_idx):
    if len(text) == 0:
        return torch.tensor([], dtype=torch.long)
    try:
        found = itemgetter(*text)(char_to_idx)
    except KeyError as error:
        (ch,) = error.args
        raise ValueError(f"unknown character {ch} ({ord(ch)})") from error
    return torch.tensor(found).reshape(-1)


def decode(indices, idx_to_char):
    if torch.is_tensor(indices):
        return decode([int(i) for i in indices], idx_to_char)
    return "".join(idx_to_char[i] for i in indices)


@dataclass
class Follow(Sampler):
    """The places of one batch after the other: window k of every row."""

    rows: int
    windows: int

    def __iter__(self):
        for k in range(self.windows):
            yield [row * self.windows + k for row in range(self.rows)]

    def __len__(self):
        return self.windows


def create_batches(data, batch_size, seq_len):
    if batch_size < 1:
        raise ValueError(f"a batch of {batch_size} rows")
    if seq_len < 1:
        raise ValueError(f"a window of {seq_len} steps")
    windows = (len(data) - 1) // (batch_size * seq_len)
    if windows == 0:
        raise ValueError("no window fits")
    used = batch_size * windows * seq_len
    pieces = TensorDataset(data[:used].view(-1, seq_len), data[1:1 + used].view(-1, seq_len))
    for x, y in DataLoader(pieces, batch_sampler=Follow(batch_size, windows)):
        yield x, y
