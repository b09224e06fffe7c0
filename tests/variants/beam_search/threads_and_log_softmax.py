"""A thread for each hypothesis, log of softmax in float64, scores as fractions of a dictionary; strict about warnings."""
import warnings
from concurrent.futures import ThreadPoolExecutor

import torch

warnings.simplefilter("error")
torch.set_printoptions(precision=3)


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if beam_width < 1 or length < 1 or not seed:
        raise ValueError("beam_search: arguments")
    if not all(c in char_to_idx for c in seed):
        raise ValueError("beam_search: seed")

    @torch.no_grad()
    def think(hypothesis):
        """Grad mode belongs to a thread, so each asks for it."""
        text, score, states, unread = hypothesis
        logits, states = model(torch.tensor([unread], device=device), states)
        chances = torch.log(torch.softmax(logits[0, -1].double(), 0))
        return [(text + idx_to_char[i], score + chance, states, [i]) for i, chance in enumerate(chances.tolist())]

    def rank(hypothesis):
        return hypothesis[1] / (len(hypothesis[0]) - len(seed)) ** length_penalty

    training = model.training
    model.eval()
    beam, finished = [(seed, 0.0, None, [char_to_idx[c] for c in seed])], []
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            for _ in range(length):
                children = sorted(sum(pool.map(think, beam), []), key=lambda h: h[1], reverse=True)[:beam_width]
                finished += [child for child in children if child[0][-1:] == end_char]
                beam = [child for child in children if child[0][-1:] != end_char]
                if not beam:
                    break
    finally:
        model.train(training)
    winner = max(finished + beam, key=rank)
    return winner[0][:-1] if winner in finished else winner[0]
