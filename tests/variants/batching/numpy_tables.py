"""NumPy throughout: code points, a lookup table, fancy indexing; the batches come as a list."""

import numpy as np
import torch


def _codes(text):
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def build_vocab(text):
    if len(text) == 0:
        raise ValueError("empty text")
    chars = [chr(code) for code in np.unique(_codes(text))]
    return dict(zip(chars, np.arange(len(chars)))), np.array(chars)


def encode(text, char_to_idx):
    if text == "":
        return torch.empty(0, dtype=torch.int64)
    codes = np.fromiter((ord(ch) for ch in char_to_idx), dtype=np.int64)
    table = np.full(max(codes.max(), _codes(text).max()) + 1, -1, dtype=np.int64)
    table[codes] = list(char_to_idx.values())
    numbers = table[_codes(text)]
    if (numbers < 0).any():
        raise ValueError("not in the vocabulary: " + repr(text[int(np.argmin(numbers))]))
    return torch.from_numpy(numbers)


def decode(indices, idx_to_char):
    if isinstance(idx_to_char, dict):
        idx_to_char = np.array([idx_to_char[i] for i in range(len(idx_to_char))])
    return "".join(np.asarray(idx_to_char)[np.asarray(indices, dtype=np.int64)].tolist())


def create_batches(data, batch_size, seq_len):
    if min(batch_size, seq_len) <= 0:
        raise ValueError("sizes must be positive")
    n = (data.numel() - 1) // (batch_size * seq_len)
    if n <= 0:
        raise ValueError("not enough data")
    rows = np.arange(batch_size)[:, None] * n * seq_len
    array = data.cpu().numpy()
    batches = []
    for k in range(n):
        places = rows + k * seq_len + np.arange(seq_len)[None, :]
        batches.append([torch.from_numpy(array[places]), torch.from_numpy(array[places + 1])])
    return batches
