"""The beam as a batch of constant size from the first seed character on; dead rows score minus infinity."""

import torch
import torch.nn.functional as F


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if beam_width < 1 or length < 1 or not seed or any(c not in char_to_idx for c in seed):
        raise ValueError("bad arguments")
    k = beam_width
    end = char_to_idx.get(end_char, -1) if end_char is not None else -1
    was = model.training
    model.eval()
    with torch.no_grad():
        tokens = torch.tensor([char_to_idx[c] for c in seed], device=device).repeat(k, 1)
        logits, states = model(tokens)
        scores = torch.full((k,), float("-inf"), device=device)
        scores[0] = 0.0
        sequences = torch.zeros((k, 0), dtype=torch.long, device=device)
        pool = []
        for n in range(1, length + 1):
            lp = F.log_softmax(logits[:, -1, :], dim=-1)
            vocab = lp.size(-1)
            total = (scores.unsqueeze(1) + lp).view(-1)
            top, index = total.topk(k)  # there are always k * V
            parent = torch.div(index, vocab, rounding_mode="floor")
            token = index % vocab
            sequences = torch.cat([sequences[parent], token.unsqueeze(1)], dim=1)
            ended = (token == end) & torch.isfinite(top)
            for row in ended.nonzero().flatten().tolist():
                pool.append((top[row].item() / n**length_penalty, sequences[row, :-1].tolist()))
            scores = top.masked_fill(ended, float("-inf"))
            if torch.isinf(scores).all():
                break
            if n == length:
                for row in range(k):
                    if torch.isfinite(scores[row]):
                        pool.append((scores[row].item() / n**length_penalty, sequences[row].tolist()))
                break
            states = [(h.index_select(0, parent), c.index_select(0, parent)) for h, c in states]
            logits, states = model(token.unsqueeze(1), states)
    model.train(was)
    best = max(pool, key=lambda p: p[0])
    return seed + "".join(idx_to_char[i] for i in best[1])
