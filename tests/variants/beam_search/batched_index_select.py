"""One batch for the whole beam, states by index_select, histories as a tensor, seed character by character."""
import torch
import torch.nn.functional as F


@torch.no_grad()
def _search(model, seed_ids, length, width, device, alpha, end_id, V):
    states = None
    for i in seed_ids:
        logits, states = model(torch.tensor([[i]], device=device), states)
    histories = torch.empty(1, 0, dtype=torch.long, device=device)
    scores = torch.zeros(1, dtype=torch.float64, device=device)
    best_value, best_tokens = None, None

    def consider(score, tokens, n):
        nonlocal best_value, best_tokens
        value = score / n ** alpha
        if best_value is None or value > best_value:
            best_value, best_tokens = value, tokens

    for step in range(1, length + 1):
        logp = F.log_softmax(logits[:, -1, :].double(), dim=-1)
        flat = (scores.unsqueeze(1) + logp).reshape(-1)
        top, where = torch.sort(flat, descending=True, stable=True)
        top, where = top[:width], where[:width]
        parents, tokens = torch.div(where, V, rounding_mode="floor"), where % V
        histories = torch.cat([histories.index_select(0, parents), tokens.unsqueeze(1)], dim=1)
        ended = tokens == end_id
        for score, row in zip(top[ended].tolist(), histories[ended].tolist()):
            consider(score, row[:-1], step)
        going = ~ended
        if not going.any():
            break
        histories, scores, parents, tokens = histories[going], top[going], parents[going], tokens[going]
        if step == length:
            for score, row in zip(scores.tolist(), histories.tolist()):
                consider(score, row, step)
            break
        states = [(h.index_select(0, parents), c.index_select(0, parents)) for h, c in states]
        logits, states = model(tokens.unsqueeze(1), states)
    return best_tokens


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if not seed:
        raise ValueError("seed is empty")
    unknown = [c for c in seed if c not in char_to_idx]
    if unknown:
        raise ValueError(f"unknown: {unknown}")
    if beam_width < 1:
        raise ValueError("beam_width < 1")
    if length < 1:
        raise ValueError("length < 1")
    end_id = char_to_idx[end_char] if end_char is not None else -1
    training = model.training
    model.eval()
    try:
        ids = _search(model, [char_to_idx[c] for c in seed], length, beam_width, device, length_penalty, end_id, len(char_to_idx))
    finally:
        model.train(training)
    return seed + "".join(idx_to_char[i] for i in ids)
