"""NumPy for scores and histories, argpartition for the best; the seed as a batch of equal rows."""
import numpy as np
import torch


def log_softmax(a):
    a = a.astype(np.float64)
    a = a - a.max(axis=1, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=1, keepdims=True))


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if beam_width <= 0 or length <= 0 or not seed:
        raise ValueError("need a width, a length and a seed")
    if set(seed) - char_to_idx.keys():
        raise ValueError("unknown characters " + "".join(set(seed) - char_to_idx.keys()))
    flags = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            return seed + search(model, [char_to_idx[c] for c in seed], idx_to_char, length, beam_width, device, length_penalty, char_to_idx.get(end_char))
    finally:
        for module, flag in flags.items():
            module.training = flag


def search(model, seed, idx_to_char, length, K, device, penalty, end):
    logits, states = model(torch.tensor([seed] * K, device=device))
    scores = np.zeros(1)
    paths = np.zeros((1, 0), dtype=np.int64)
    states = [tuple(part[:1] for part in layer) for layer in states]
    logits = logits[:1]
    pool = []
    for n in range(1, length + 1):
        total = scores[:, None] + log_softmax(logits[:, -1].cpu().numpy())
        V = total.shape[1]
        flat = total.ravel()
        count = min(K, flat.size)
        best = np.argpartition(-flat, count - 1)[:count]
        best = best[np.argsort(-flat[best], kind="stable")]
        rows, chars = np.unravel_index(best, total.shape)
        paths = np.hstack([paths[rows], chars[:, None]])
        scores = flat[best]
        over = np.full(count, n == length) | (chars == (-1 if end is None else end))
        pool += [(s / n**penalty, p.tolist()) for s, p in zip(scores[over], paths[over])]
        if over.all():
            break
        paths, scores, rows, chars = paths[~over], scores[~over], rows[~over], chars[~over]
        index = torch.as_tensor(rows, device=device)
        states = [(h[index], c[index]) for h, c in states]
        logits, states = model(torch.as_tensor(chars[:, None], device=device), states)
    _, path = max(pool, key=lambda pair: pair[0])
    if end is not None and path[-1] == end:
        path = path[:-1]
    return "".join(idx_to_char[i] for i in path)
