"""A class holds both maps; the functions of the handout are its methods in disguise."""
import torch


class Vocabulary:
    def __init__(self, text):
        if not text:
            raise ValueError("a vocabulary needs characters")
        self.chars = sorted(set(text))
        self.numbers = {c: i for i, c in enumerate(self.chars)}

    def __len__(self):
        return len(self.chars)

    def __getitem__(self, key):
        return self.numbers[key] if isinstance(key, str) else self.chars[key]

    def __contains__(self, ch):
        return ch in self.numbers


def build_vocab(text):
    vocabulary = Vocabulary(text)
    return vocabulary, vocabulary


def encode(text, char_to_idx):
    for ch in text:
        if ch not in char_to_idx:
            error = ValueError("the vocabulary lacks a character")
            error.add_note(f"it is {ch!r}")
            raise error
    return torch.tensor([char_to_idx[ch] for ch in text], dtype=torch.long)


def decode(indices, idx_to_char):
    return "".join([idx_to_char[i] for i in (indices.tolist() if isinstance(indices, torch.Tensor) else indices)])
