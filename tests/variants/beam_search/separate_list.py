"""Plain lists: live and finished ones kept apart, named tuples, a generator of expansions."""

from collections import namedtuple

import torch

Hypothesis = namedtuple("Hypothesis", "score chars logits states")


def check(char_to_idx, seed, length, beam_width):
    assert_ = {"beam_width": beam_width >= 1, "length": length >= 1, "seed": bool(seed) and all(c in char_to_idx for c in seed)}
    for name, fine in assert_.items():
        if not fine:
            raise ValueError(f"{name} is not acceptable")


def expansions(live):
    for parent in live:
        for index, log_prob in enumerate(torch.nn.functional.log_softmax(parent.logits, 0).double().tolist()):
            yield parent.score + log_prob, index, parent


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    check(char_to_idx, seed, length, beam_width)
    dropouts = [m for m in model.modules() if m.training]
    for m in dropouts:
        m.training = False
    try:
        with torch.no_grad():
            x = torch.tensor([char_to_idx[c] for c in seed], dtype=torch.long, device=device)[None]
            logits, states = model(x, None)
            live, finished = [Hypothesis(0.0, "", logits[0, -1], states)], []
            for _ in range(length):
                best = sorted(expansions(live), key=lambda e: e[0])[::-1][:beam_width]
                live = []
                for score, index, parent in best:
                    char = idx_to_char[index]
                    if char == end_char:
                        finished.append(Hypothesis(score, parent.chars + char, None, None))
                    else:
                        logits, states = model(torch.tensor([[index]], device=device), parent.states)
                        live.append(Hypothesis(score, parent.chars + char, logits[0, -1], states))
                if not live:
                    break
    finally:
        for m in dropouts:
            m.training = True
    winner = max(finished + live, key=lambda h: h.score / len(h.chars) ** length_penalty)
    chars = winner.chars
    return seed + (chars[:-1] if winner.states is None else chars)
