"""One grid of positions, moved on from batch to batch; a translation table for encode; a generator object inside a list."""
import string
import torch
from types import MappingProxyType


def build_vocab(text: str):
    if len(text) == 0:
        raise ValueError(f"expected some characters of {string.ascii_lowercase[:3]}… and got none")
    alphabet = "".join(sorted(dict.fromkeys(text)))
    char_to_idx = MappingProxyType({c: alphabet.find(c) for c in alphabet})
    return char_to_idx, alphabet.__getitem__


def encode(text, char_to_idx):
    stranger = next((c for c in text if c not in char_to_idx), None)
    if stranger is not None:
        raise ValueError(f"stranger at {text.index(stranger)}: U+{ord(stranger):X}")
    out = torch.empty(len(text), dtype=torch.long)
    for place, c in enumerate(text):
        out[place] = char_to_idx[c]
    return out


def decode(indices, idx_to_char):
    look = idx_to_char.__getitem__ if hasattr(idx_to_char, "__getitem__") else idx_to_char
    text = ""
    for index in indices:
        text += look(int(index))
    return text


def create_batches(data, batch_size, seq_len):
    for name, size in {"batch_size": batch_size, "seq_len": seq_len}.items():
        if size < 1:
            raise ValueError(f"{name} is {size}")
    n = (len(data) - 1) // batch_size // seq_len
    if n < 1:
        raise ValueError(f"{len(data)} characters are not enough")
    grid = torch.arange(batch_size)[:, None] * (n * seq_len) + torch.arange(seq_len)
    out = []
    while len(out) < n:
        out.append((torch.take(data, grid), data.gather(0, (grid + 1).flatten()).view_as(grid)))
        grid = grid + seq_len
    return out
