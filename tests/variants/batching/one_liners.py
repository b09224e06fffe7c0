"""As short as it gets: zip, split, map; a batch is one tensor (2, B, T) that unpacks into x and y."""

import torch


def build_vocab(text):
    pairs = list(enumerate(sorted({*text})))
    if not pairs:
        raise ValueError("nothing to number")
    return {ch: i for i, ch in pairs}, tuple(ch for _, ch in pairs)


def encode(text, char_to_idx):
    try:
        return torch.LongTensor([*map(char_to_idx.__getitem__, text)])
    except KeyError as problem:
        raise ValueError(f"no number for {problem}") from None


def decode(indices, idx_to_char):
    return "".join(idx_to_char[int(i)] for i in indices)


def create_batches(data, batch_size, seq_len):
    n = (len(data) - 1) // (batch_size * seq_len) if min(batch_size, seq_len) > 0 else 0
    if n == 0:
        raise ValueError(f"cannot cut {len(data)} into {batch_size} x {seq_len}")
    length = batch_size * n * seq_len
    rows = torch.stack((data[:length], data[1 : length + 1])).view(2, batch_size, -1)
    return (batch.clone() for batch in rows.split(seq_len, dim=2))
