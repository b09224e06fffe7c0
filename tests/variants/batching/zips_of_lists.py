"""Plain lists, slices and zip until the last moment; recursion-free decode with str.translate-like maps."""
import itertools as it
import torch


def build_vocab(text):
    chars = [k for k, _ in it.groupby(sorted(text))]
    if chars == []:
        raise ValueError("build_vocab: empty text")
    forth = dict(zip(chars, it.count()))
    back = dict(map(reversed, forth.items()))
    return forth, back


def encode(text, char_to_idx):
    ids = [char_to_idx.get(c, c) for c in text]
    bad = [i for i in ids if isinstance(i, str)]
    if bad:
        raise ValueError("these characters are unknown:", bad)
    return torch.tensor(ids, dtype=torch.int64)


def decode(indices, idx_to_char):
    if hasattr(indices, "tolist"):
        indices = indices.tolist()
    return "".join(map(idx_to_char.get if hasattr(idx_to_char, "get") else idx_to_char.__getitem__, indices))


def create_batches(data, batch_size, seq_len):
    if not (batch_size >= 1 and seq_len >= 1):
        raise ValueError("create_batches: sizes")
    numbers = data.tolist()
    n = (len(numbers) - 1) // (batch_size * seq_len)
    if n == 0:
        raise ValueError("create_batches: too few characters")
    width = n * seq_len

    def rows(shift):
        return [numbers[b * width + shift:(b + 1) * width + shift] for b in range(batch_size)]

    def windows(shift):
        columns = zip(*rows(shift))
        return zip(*[columns] * seq_len)  # T columns at a time

    def tensor(window):
        return torch.tensor(list(zip(*window)))

    return zip(map(tensor, windows(0)), map(tensor, windows(1)))
