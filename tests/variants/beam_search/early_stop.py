"""Per-parent top-k, float32 tensors as scores, an exact early stop, deep copies of states."""

import copy

import torch


def normalise(score, n, alpha):
    return float(score) / (n**alpha if alpha else 1.0)


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if length < 1:
        raise ValueError("length")
    if beam_width < 1:
        raise ValueError("width")
    if not seed:
        raise ValueError("seed")
    for c in seed:
        if c not in char_to_idx:
            raise ValueError(c)
    training = model.training
    model.eval()
    grad = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        states, out = None, None
        for c in seed:
            out, states = model(torch.tensor([[char_to_idx[c]]], device=device), states)
        live = [(torch.zeros(()), "", out[0, -1], states)]
        best_text, best = None, float("-inf")
        for n in range(1, length + 1):
            candidates = []
            for score, text, row, states in live:
                lp = torch.log_softmax(row.cpu(), dim=-1)
                values, indices = torch.topk(lp, min(beam_width, len(lp)))
                for value, index in zip(values, indices):
                    candidates.append((score + value, text, int(index), states))
            candidates.sort(key=lambda c: c[0].item(), reverse=True)
            live = []
            for score, text, index, states in candidates[:beam_width]:
                char = idx_to_char[index]
                if end_char is not None and char == end_char:
                    if normalise(score, n, length_penalty) > best:
                        best_text, best = text, normalise(score, n, length_penalty)
                    continue
                if n == length:
                    if normalise(score, n, length_penalty) > best:
                        best_text, best = text + char, normalise(score, n, length_penalty)
                    continue
                live.append((score, text + char, index, states))
            live = [c for c in live if normalise(c[0], length, length_penalty) >= best]  # the others can't win any more
            if not live:
                break
            grown = []
            for score, text, index, states in live:
                logits, new = model(torch.tensor([[index]], device=device), copy.deepcopy(states))
                grown.append((score, text, logits[0, 0], new))
            live = grown
        return seed + best_text
    finally:
        torch.set_grad_enabled(grad)
        model.train(training)
