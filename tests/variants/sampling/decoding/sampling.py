"""A thin module over helpers: classes with __call__ and __slots__; types and assertions."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from sampler import Sampler, Greedy
from vocabulary import Spelling


def sample_next(logits: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None) -> int:
    if temperature < 0:
        raise ValueError("temperature is below zero")
    assert logits.dim() == 1
    pick = Sampler(temperature, generator) if temperature > 0 else Greedy()
    return pick(logits)


def generate_text(
    model: nn.Module,
    char_to_idx: dict[str, int],
    idx_to_char: dict[int, str] | list[str],
    seed: str = "The ",
    length: int = 500,
    temperature: float = 1.0,
    device: str = "cpu",
    generator: torch.Generator | None = None,
) -> str:
    spelling = Spelling(char_to_idx, idx_to_char)
    numbers = spelling.numbers(seed)
    if length < 0:
        raise ValueError("length is below zero")
    before = model.training
    model.train(False)
    try:
        for index in spelling.go_on(model, numbers, length, device, lambda logits: sample_next(logits, temperature, generator)):
            numbers.append(index)
    finally:
        model.train(before)
    return spelling.text(numbers)


if __name__ == "__main__":
    counts = torch.bincount(torch.tensor([sample_next(torch.tensor([0.0, 1.0, 2.0])) for _ in range(1000)]))
    print(counts / 1000)
