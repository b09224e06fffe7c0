"""Beam search with heaps, one hypothesis at a time, in plain Python floats."""

import heapq
import itertools
import math

import torch


class Hyp:
    __slots__ = ("logp", "text", "states", "ended")

    def __init__(self, logp, text, states, ended=False):
        self.logp, self.text, self.states, self.ended = logp, text, states, ended


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu",
                length_penalty=0.0, end_char=None):
    if not isinstance(seed, str) or len(seed) == 0:
        raise ValueError("empty seed")
    if length <= 0:
        raise ValueError("length")
    if beam_width <= 0:
        raise ValueError("beam_width")
    try:
        ids = [char_to_idx[c] for c in seed]
    except KeyError as error:
        raise ValueError(f"unknown character {error}") from None
    mode = model.training
    model.train(False)
    ticket = itertools.count()
    final = []

    def keep(hyp):
        heapq.heappush(final, (-hyp.logp / len(hyp.text) ** length_penalty, next(ticket), hyp))

    try:
        with torch.inference_mode():
            states = None
            for i in ids:
                logits, states = model(torch.tensor([[i]], device=device), states)
            beam = [(Hyp(0.0, [], states), logits[0, -1].tolist())]
            for step in range(length):
                heap = []
                for hyp, row in beam:
                    top = max(row)
                    z = top + math.log(sum(math.exp(v - top) for v in row))
                    for index, value in enumerate(row):
                        entry = (hyp.logp + value - z, next(ticket), hyp, index)
                        if len(heap) < beam_width:
                            heapq.heappush(heap, entry)
                        elif entry[0] > heap[0][0]:
                            heapq.heapreplace(heap, entry)
                beam = []
                for logp, _, parent, index in sorted(heap, key=lambda e: -e[0]):
                    ch = idx_to_char[index]
                    child = Hyp(logp, parent.text + [ch], parent.states, ch == end_char)
                    if child.ended:
                        keep(child)
                    elif step == length - 1:
                        keep(child)
                    else:
                        logits, child.states = model(torch.tensor([[index]], device=device), parent.states)
                        beam.append((child, logits[0, 0].tolist()))
                if not beam:
                    break
        best = heapq.heappop(final)[2]
        text = best.text[:-1] if best.ended else best.text
        return seed + "".join(text)
    finally:
        model.train(mode)
