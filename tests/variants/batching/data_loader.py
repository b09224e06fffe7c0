"""torch's own machinery: unique, unfold, Dataset and DataLoader; idx_to_char is a function."""

import torch
from torch.utils.data import DataLoader, Dataset


def build_vocab(text):
    if not text:
        raise ValueError("build_vocab needs some text")
    codes = torch.unique(torch.tensor([ord(ch) for ch in text])).tolist()
    lookup = {chr(code): torch.tensor(i) for i, code in enumerate(codes)}
    return lookup, lambda index: chr(codes[index])


def encode(text, char_to_idx):
    strangers = sorted(set(text) - set(char_to_idx))
    if strangers:
        raise ValueError(f"unknown characters: {', '.join(strangers)}")
    return torch.as_tensor([int(char_to_idx[ch]) for ch in text], dtype=torch.int64)


def decode(indices, idx_to_char):
    ask = idx_to_char if callable(idx_to_char) else idx_to_char.__getitem__
    return "".join(map(ask, torch.as_tensor(indices, dtype=torch.int64).tolist()))


class Windows(Dataset):
    def __init__(self, data, batch_size, seq_len):
        self.n = (len(data) - 1) // (batch_size * seq_len)
        if self.n < 1:
            raise ValueError("no batch fits")
        used = self.n * batch_size * seq_len
        pairs = torch.stack([data[:-1], data[1:]])[:, :used]
        self.windows = pairs.reshape(2, batch_size, self.n, seq_len)

    def __len__(self):
        return self.n

    def __getitem__(self, k):
        if k >= self.n:
            raise IndexError
        return self.windows[0, :, k], self.windows[1, :, k]


def create_batches(data, batch_size, seq_len):
    if batch_size < 1 or seq_len < 1:
        raise ValueError("sizes must be at least 1")
    return DataLoader(Windows(data, batch_size, seq_len), batch_size=None, shuffle=False)
