"""Beam search as a recursion over the steps, in an object, with numpy for the arithmetic."""

from dataclasses import dataclass, field

import numpy as np
import torch


@dataclass
class Searcher:
    model: object
    width: int
    length: int
    alpha: float
    end: object
    device: object
    done: list = field(default_factory=list)

    def ask(self, tokens, states):
        logits, states = self.model.forward(torch.as_tensor(tokens, device=self.device), states)
        z = logits[:, -1, :].cpu().numpy().astype(np.float64)
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True)), states

    def step(self, beam, log_probs, states, n):
        """beam: list of (score, tuple of indices)."""
        scores = np.array([score for score, _ in beam])[:, None] + log_probs
        flat = np.argsort(-scores, axis=None, kind="stable")[: self.width]
        rows, columns = np.unravel_index(flat, scores.shape)
        alive, parents = [], []
        for r, c in zip(rows, columns):
            item = (float(scores[r, c]), beam[r][1] + (int(c),))
            if int(c) == self.end:
                self.done.append((item[0] / n**self.alpha, item[1][:-1]))
            elif n == self.length:
                self.done.append((item[0] / n**self.alpha, item[1]))
            else:
                alive.append(item)
                parents.append(int(r))
        if not alive:
            return max(self.done, key=lambda pair: pair[0])[1]
        states = [tuple(part[parents] for part in layer) for layer in states]
        log_probs, states = self.ask([[text[-1]] for _, text in alive], states)
        return self.step(alive, log_probs, states, n + 1)


@torch.no_grad()
def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", *rest, **named):
    options = dict(zip(("length_penalty", "end_char"), rest), **named)
    if min(length, beam_width) < 1:
        raise ValueError("width and length start at 1")
    if seed == "":
        raise ValueError("a seed, please")
    unknown = set(seed) - set(char_to_idx)
    if unknown:
        raise ValueError(f"unknown: {sorted(unknown)}")
    end_char = options.get("end_char")
    searcher = Searcher(model, beam_width, length, options.get("length_penalty", 0.0), char_to_idx.get(end_char), device)
    training = model.training
    try:
        model.eval()
        prefix = [char_to_idx[c] for c in seed]
        if prefix[:-1]:
            _, states = searcher.ask([prefix[:-1]], None)
        else:
            states = None
        log_probs, states = searcher.ask([prefix[-1:]], states)
        best = searcher.step([(0.0, ())], log_probs, states, 1)
    finally:
        model.train(training)
    return seed + "".join(map(idx_to_char.__getitem__, best))
