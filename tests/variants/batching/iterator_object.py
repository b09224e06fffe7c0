"""Classes: an iterator object that checks at construction, a str for idx_to_char, recursion for decode."""

import torch


class UnknownCharacter(ValueError):
    def __str__(self):
        return "cannot encode " + ascii(self.args[0])


def build_vocab(text):
    if not text:
        raise ValueError
    found = ""
    for ch in text:
        if ch not in found:
            found += ch
    ordered = "".join(sorted(found, key=ord))
    return {ch: ordered.index(ch) for ch in ordered}, ordered


def encode(text, char_to_idx):
    out = torch.zeros(len(text), dtype=torch.long)
    for place, ch in enumerate(text):
        try:
            out[place] = char_to_idx[ch]
        except KeyError as problem:
            raise UnknownCharacter(ch) from problem
    return out


def decode(indices, idx_to_char):
    if len(indices) == 0:
        return ""
    return idx_to_char[int(indices[0])] + decode(indices[1:], idx_to_char)


class create_batches:  # noqa: N801
    def __init__(self, data, batch_size, seq_len):
        if batch_size < 1:
            raise ValueError("batch_size")
        if seq_len < 1:
            raise ValueError("seq_len")
        self.data, self.rows, self.steps = data.tolist(), batch_size, seq_len
        self.count = max(0, len(data) - 1) // (batch_size * seq_len)
        if self.count == 0:
            raise ValueError("too short")
        self.next_batch = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.next_batch == self.count:
            raise StopIteration
        x = torch.empty(self.rows, self.steps, dtype=torch.int64)
        y = torch.empty_like(x)
        for b in range(self.rows):
            for t in range(self.steps):
                place = b * self.count * self.steps + self.next_batch * self.steps + t
                x[b, t], y[b, t] = self.data[place], self.data[place + 1]
        self.next_batch += 1
        return x, y
