"""The beam as a generator of generations; nlargest, attrgetter, named tuples; every hypothesis asks for itself; a deep copy of the model."""
import copy
import heapq
from collections import namedtuple
from operator import attrgetter

import torch

Hypothesis = namedtuple("Hypothesis", "score text logits states finished", defaults=(False,))


def generations(first, grow, width):
    beam = [first]
    while beam:
        children = [child for parent in beam for child in grow(parent)]
        best = heapq.nlargest(width, children, key=attrgetter("score"))
        yield best
        beam = [hypothesis for hypothesis in best if not hypothesis.finished]


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if beam_width < 1 or length < 1:
        raise ValueError("both beam_width and length have to be at least one")
    if not seed:
        raise ValueError("there is no seed")
    for char in seed:
        if char not in char_to_idx:
            raise ValueError(f"there is no {char!r} in the vocabulary")
    net = copy.deepcopy(model)
    net.eval()

    def read(text, states):
        with torch.no_grad():
            logits, states = net(torch.tensor([[char_to_idx[c] for c in text]], device=device), states)
        return logits[0, -1].log_softmax(-1), states

    def grow(parent):
        if parent.logits is None:  # asked only when it is expanded
            logits, states = read(parent.text[-1], parent.states)
        else:
            logits, states = parent.logits, parent.states
        for index, chance in enumerate(logits.tolist()):
            char = idx_to_char[index]
            yield Hypothesis(parent.score + chance, parent.text + char, None, states, char == end_char)

    def worth(hypothesis):
        return hypothesis.score / (len(hypothesis.text) - len(seed)) ** length_penalty

    pool = []
    first = Hypothesis(0.0, seed, *read(seed, None))
    for n, beam in enumerate(generations(first, grow, beam_width), start=1):
        pool.extend(filter(attrgetter("finished"), beam))
        if n == length:
            pool.extend(hypothesis for hypothesis in beam if not hypothesis.finished)
            break
    winner = max(pool, key=worth)
    return winner.text[:-1] if winner.finished else winner.text
