"""Tensor.unfold makes all windows of T + 1 at once; a defaultdict, a missing key made explicit by __missing__."""
from collections import defaultdict

import torch


class Numbers(dict):
    def __missing__(self, ch):
        raise ValueError(f"{ch!r} has no number")


def build_vocab(text):
    if text == "":
        raise ValueError("there is nothing in an empty text")
    alphabet = sorted(set(text))
    idx_to_char = defaultdict(lambda: "\N{REPLACEMENT CHARACTER}", enumerate(alphabet))
    char_to_idx = Numbers((ch, i) for i, ch in idx_to_char.items())
    return char_to_idx, idx_to_char


def encode(text, char_to_idx):
    table = Numbers(char_to_idx)
    return torch.tensor(list(map(table.__getitem__, text)) if set(text) <= set(table) else [table[c] for c in text], dtype=torch.long)


def decode(indices, idx_to_char):
    return str().join(idx_to_char[i.item() if torch.is_tensor(i) else i] for i in indices)


def create_batches(data, batch_size, seq_len):
    B, T = batch_size, seq_len
    if B <= 0 or T <= 0:
        raise ValueError(f"{B=} and {T=} have to be positive")
    n = (data.shape[0] - 1) // (B * T)
    if not n:
        raise ValueError("the text is too short")
    windows = data[: B * n * T + 1].unfold(0, T + 1, T)  # (B·n, T + 1), each overlapping the next by one
    for window in windows.unflatten(0, (B, n)).unbind(1):
        yield window[:, :-1], window[:, 1:]
