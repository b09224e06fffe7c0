"""A trellis of back pointers in lists of dataclasses; the text is read off backwards at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterator, Optional

import torch
from torch import Tensor


@dataclass(order=True, slots=True)
class Node:
    score: float
    depth: int
    token: int
    parent: Optional["Node"]
    states: Any = None

    def tokens(self) -> Iterator[int]:
        node: Optional[Node] = self
        while node is not None and node.parent is not None:
            yield node.token
            node = node.parent

    def value(self, penalty: float) -> float:
        return self.score / math.pow(self.depth, penalty)


class Searcher:
    def __init__(self, model: torch.nn.Module, device: Any, width: int) -> None:
        self.model, self.device, self.width = model, torch.device(device), width

    def ask(self, tokens: list[int], states: Any) -> tuple[list[float], Any]:
        logits: Tensor
        logits, states = self.model(torch.tensor(tokens, device=self.device)[None], states)
        row = logits[0, -1].double()
        return (row - torch.logsumexp(row, dim=0)).tolist(), states

    def expand(self, node: Node, seed: list[int]) -> Iterator[Node]:
        tokens = [node.token] if node.parent else seed
        chances, states = self.ask(tokens, node.states)
        for token, chance in enumerate(chances):
            yield Node(node.score + chance, node.depth + 1, token, node, states)


def beam_search(
    model: torch.nn.Module,
    char_to_idx: dict[str, int],
    idx_to_char: Any,
    seed: str = "The ",
    length: int = 200,
    beam_width: int = 5,
    device: str = "cpu",
    length_penalty: float = 0.0,
    end_char: Optional[str] = None,
) -> str:
    if min(beam_width, length) < 1:
        raise ValueError("beam_width and length are positive")
    if len(seed) == 0 or not all(char in char_to_idx for char in seed):
        raise ValueError("seed")
    numbers = [char_to_idx[char] for char in seed]
    end = None if end_char is None else char_to_idx[end_char]
    searcher = Searcher(model, device, beam_width)
    was = model.training
    model.eval()
    with torch.no_grad():
        try:
            live = [Node(0.0, 0, -1, None)]
            done: list[Node] = []
            for _ in range(length):
                children = [child for node in live for child in searcher.expand(node, numbers)]
                children.sort(key=lambda node: node.score, reverse=True)
                kept = children[:beam_width]
                done += [node for node in kept if node.token == end]
                live = [node for node in kept if node.token != end]
                if not live:
                    break
        finally:
            model.train(was)
    winner = max(done + live, key=lambda node: node.value(length_penalty))
    text = [idx_to_char[token] for token in winner.tokens()][::-1]
    if winner.token == end:
        text.pop()
    return seed + "".join(text)
