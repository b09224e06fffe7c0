"""Vocabulary and batches: text becomes numbers, and the numbers become batches to train on.

A vocabulary is a pair of maps between the characters of a text and the numbers 0 … V−1. The batches
of one pass over the text are cut so that each row reads on where it stopped in the batch before:
that is what lets a model carry its hidden state from batch to batch.
"""

import torch


def build_vocab(text):
    """Number the distinct characters of a text from 0, in code-point order.

    Returns (char_to_idx, idx_to_char): `build_vocab("hello")` gives
    ({"e": 0, "h": 1, "l": 2, "o": 3}, {0: "e", 1: "h", 2: "l", 3: "o"}).
    Raises ValueError for an empty text.
    """
    # BEGIN SOLUTION
    if not text:
        raise ValueError("an empty text has no vocabulary")
    chars = sorted(set(text))
    char_to_idx = {ch: i for i, ch in enumerate(chars)}
    idx_to_char = dict(enumerate(chars))
    return char_to_idx, idx_to_char
    # END SOLUTION


def encode(text, char_to_idx):
    """Write a text of N characters as numbers: a LongTensor (N,), empty for an empty text.

    Raises ValueError that names the character if one is not in the vocabulary.
    """
    # BEGIN SOLUTION
    for ch in text:
        if ch not in char_to_idx:
            raise ValueError(f"the character {ch!r} is not in the vocabulary")
    numbers = [char_to_idx[ch] for ch in text]
    return torch.tensor(numbers, dtype=torch.long)  # without the dtype, an empty list would become floats
    # END SOLUTION


def decode(indices, idx_to_char):
    """Read numbers as text again: the str of their characters.

    indices: a tensor (N,) or a sequence of N ints; idx_to_char: maps an index to its character.
    """
    # BEGIN SOLUTION
    if isinstance(indices, torch.Tensor):
        indices = indices.tolist()  # a dict knows the key 3, not the key tensor(3)
    return "".join(idx_to_char[i] for i in indices)
    # END SOLUTION


def create_batches(data, batch_size, seq_len):
    """Yield the batches (x, y) of one pass over the data, for training with carried states.

    data: LongTensor (N,). With B = batch_size and T = seq_len there are n = (N − 1) // (B·T)
    batches; x and y are (B, T). Laid end to end, row b of x is data[b·n·T : (b+1)·n·T], and y is
    the same positions one later: the character that each character of x should predict.
    Raises ValueError if B or T is below 1 or the data is too short for one batch.
    """
    # BEGIN SOLUTION
    if batch_size < 1 or seq_len < 1:
        raise ValueError(f"batch_size and seq_len must be at least 1, not {batch_size} and {seq_len}")
    n = (len(data) - 1) // (batch_size * seq_len)  # minus 1: the last character is nobody's input
    if n < 1:
        raise ValueError(
            f"{len(data)} characters are too few for one batch of {batch_size} × {seq_len} and its targets"
        )
    used = batch_size * n * seq_len
    x_rows = data[:used].reshape(batch_size, n * seq_len)  # a row is one long piece of the text
    y_rows = data[1 : used + 1].reshape(batch_size, n * seq_len)  # shifted before it is cut: rows end in full
    for start in range(0, n * seq_len, seq_len):
        x = x_rows[:, start : start + seq_len]
        y = y_rows[:, start : start + seq_len]
        yield x, y
    # END SOLUTION
