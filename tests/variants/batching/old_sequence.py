"""The old sequence protocol: an object with __getitem__ and __len__ only; Counter, chain and bisect for the rest."""

from bisect import bisect_left
from collections import Counter, OrderedDict
from functools import reduce

import torch


class CharacterList:
    def __init__(self, chars):
        self.chars = chars

    def __getitem__(self, index):
        return self.chars[int(index)]


def build_vocab(text):
    counts = Counter(text)
    if sum(counts.values()) == 0:
        raise ValueError("no characters")
    chars = []
    for ch in counts:
        chars.insert(bisect_left(chars, ch), ch)
    return OrderedDict((ch, number) for number, ch in enumerate(chars)), CharacterList(chars)


def encode(text, char_to_idx):
    numbers = []
    for ch in text:
        number = char_to_idx.get(ch)
        if number is None:
            raise ValueError(f"U+{ord(ch):04X} ({ch}) was never seen")
        numbers.append(number)
    return torch.tensor(numbers).long()


def decode(indices, idx_to_char):
    return reduce(lambda text, index: text + idx_to_char[int(index)], indices, "")


class Batches:
    def __init__(self, data, batch_size, seq_len):
        self.data, self.batch_size, self.seq_len = data, batch_size, seq_len
        self.n = 0
        if batch_size > 0 and seq_len > 0:
            self.n = (len(data) - 1) // (batch_size * seq_len)

    def __len__(self):
        return self.n

    def __getitem__(self, k):
        if self.n < 1:
            raise ValueError("there is no first batch")
        if k >= self.n:
            raise IndexError(k)
        starts = [b * self.n * self.seq_len + k * self.seq_len for b in range(self.batch_size)]
        x = torch.stack([self.data.narrow(0, start, self.seq_len) for start in starts])
        y = torch.stack([self.data.narrow(0, start + 1, self.seq_len) for start in starts])
        return x, y


def create_batches(data, batch_size, seq_len):
    return Batches(data, batch_size, seq_len)
