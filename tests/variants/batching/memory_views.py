"""array and memoryview for the numbers, a UserDict that is its own inverse, batches through a deque."""
import array
from collections import UserDict, deque

import torch


class Both(UserDict):
    """Knows characters and numbers alike."""

    def __getitem__(self, key):
        return self.data[int(key)] if not isinstance(key, str) else self.data[key]


def build_vocab(text):
    if not len(text):
        raise ValueError("Empty text!")
    chars = list(set(text))
    chars.sort()
    both = Both()
    for number, char in enumerate(chars):
        both[number] = char
    return {char: number for number, char in both.items()}, both


def encode(text, char_to_idx):
    numbers = array.array("q")
    for char in text:
        if char in char_to_idx:
            numbers.append(char_to_idx[char])
        else:
            raise ValueError("can't encode %r" % char)
    return torch.tensor(memoryview(numbers).tolist(), dtype=torch.long)


def decode(indices, idx_to_char):
    from io import StringIO

    out = StringIO()
    for index in torch.as_tensor(indices).reshape(-1).int().tolist():
        out.write(idx_to_char[index])
    return out.getvalue()


def create_batches(data, batch_size, seq_len):
    total = len(data) - 1
    if batch_size < 1 or seq_len < 1 or total < batch_size * seq_len:
        raise ValueError("nothing to cut: N = %d, B = %d, T = %d" % (len(data), batch_size, seq_len))
    n = total // (batch_size * seq_len)
    memory = memoryview(data.numpy())
    queue = deque()
    for k in range(n):
        x, y = array.array("q"), array.array("q")
        for b in range(batch_size):
            start = (b * n + k) * seq_len
            x.extend(memory[start:start + seq_len])
            y.extend(memory[start + 1:start + 1 + seq_len])
        queue.append([torch.frombuffer(part, dtype=torch.int64).view(batch_size, seq_len) for part in (x, y)])
    while queue:
        yield queue.popleft()
