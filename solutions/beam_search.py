"""Beam search: the best continuation of a text that a narrow, deterministic search can find.

Greedy decoding keeps one hypothesis and can't take a step back. A beam keeps `beam_width` of them,
extends each by every character, and lets all the results compete for the next `beam_width` places.
"""

import torch

# BEGIN SOLUTION NO PROMPT


def best_continuation(model, seed, length, beam_width, device, length_penalty, end):
    """The characters of the winner, as a list of indices, without the end character.

    seed: a list of S indices; end: the index of the end character, or None.
    A hypothesis is a pair (score, characters): a float and a list of indices.
    """

    def normalised(hypothesis):
        score, characters = hypothesis
        return score / len(characters) ** length_penalty

    logits, states = model(torch.tensor([seed], device=device))  # (1, S, V); states: [(h, c)], one a layer
    live, finished = [(0.0, [])], []  # row i of the states belongs to live[i]
    for n in range(1, length + 1):
        log_probs = torch.log_softmax(logits[:, -1].cpu().double(), dim=1)  # (K, V) for K live hypotheses
        so_far = torch.tensor([[score] for score, _ in live], dtype=torch.float64)  # (K, 1)
        scores = so_far + log_probs  # (K, V): every expansion
        best, places = scores.flatten().topk(min(beam_width, scores.numel()))
        survivors, parents = [], []
        for score, place in zip(best.tolist(), places.tolist(), strict=True):
            parent, token = divmod(place, scores.shape[1])
            hypothesis = (score, live[parent][1] + [token])  # a new list: siblings share their parent's
            if token == end:
                finished.append(hypothesis)
            else:
                survivors.append(hypothesis)
                parents.append(parent)
        live = survivors
        if n == length or not live:
            break
        # A score only falls, so no live hypothesis can end above its present score over the longest length.
        hope = max(score for score, _ in live) / length**length_penalty
        if finished and max(map(normalised, finished)) >= hope:
            break
        rows = torch.tensor(parents, device=device)  # row i of the states comes from row parents[i]
        states = [(h[rows], c[rows]) for h, c in states]
        last = torch.tensor([[characters[-1]] for _, characters in live], device=device)  # (K, 1)
        logits, states = model(last, states)
    _, characters = max(finished + live, key=normalised)
    return characters[:-1] if characters[-1] == end else characters


# END SOLUTION


def beam_search(
    model,
    char_to_idx,
    idx_to_char,
    seed="The ",
    length=200,
    beam_width=5,
    device="cpu",
    length_penalty=0.0,
    end_char=None,
):
    """The seed with the best continuation that a beam of `beam_width` hypotheses finds.

    model: called as `model(x, states)` with x (B, T) and the states it returned before, or none;
    returns logits (B, T, V) and states, a list of one (h, c) per layer, each with B rows.
    seed: at least one character; every one is fed exactly once.
    length: how many characters to generate at most, `end_char` counted.
    length_penalty: the winner has the highest score / n ** length_penalty, n its generated characters.
    end_char: a hypothesis that generates it is finished. It is not part of the text returned.
    Raises ValueError for a width or length below 1, an empty seed and an unknown character.
    """
    # BEGIN SOLUTION
    if beam_width < 1 or length < 1:
        raise ValueError(f"beam_width and length must be at least 1, not {beam_width} and {length}")
    if not seed:
        raise ValueError("the seed is empty, and the model needs a character to start from")
    for char in [*seed] if end_char is None else [*seed, end_char]:
        if char not in char_to_idx:
            raise ValueError(f"{char!r} is not in the vocabulary")
    indices = [char_to_idx[char] for char in seed]
    end = None if end_char is None else char_to_idx[end_char]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            best = best_continuation(model, indices, length, beam_width, device, length_penalty, end)
    finally:
        model.train(was_training)
    return seed + "".join(idx_to_char[index] for index in best)
    # END SOLUTION
