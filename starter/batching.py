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
    raise NotImplementedError("batching: write build_vocab, then type: grader check -a batching")


def encode(text, char_to_idx):
    """Write a text of N characters as numbers: a LongTensor (N,), empty for an empty text.

    Raises ValueError that names the character if one is not in the vocabulary.
    """
    raise NotImplementedError("batching: write encode, then type: grader check -a batching")


def decode(indices, idx_to_char):
    """Read numbers as text again: the str of their characters.

    indices: a tensor (N,) or a sequence of N ints; idx_to_char: maps an index to its character.
    """
    raise NotImplementedError("batching: write decode, then type: grader check -a batching")


def create_batches(data, batch_size, seq_len):
    """Yield the batches (x, y) of one pass over the data, for training with carried states.

    data: LongTensor (N,). With B = batch_size and T = seq_len there are n = (N − 1) // (B·T)
    batches; x and y are (B, T). Laid end to end, row b of x is data[b·n·T : (b+1)·n·T], and y is
    the same positions one later: the character that each character of x should predict.
    Raises ValueError if B or T is below 1 or the data is too short for one batch.
    """
    raise NotImplementedError("batching: write create_batches, then type: grader check -a batching")
