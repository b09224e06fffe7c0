"""Beam search: the best continuation of a text that a narrow, deterministic search can find.

Greedy decoding keeps one hypothesis and can't take a step back. A beam keeps `beam_width` of them,
extends each by every character, and lets all the results compete for the next `beam_width` places.
"""

import torch


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
    raise NotImplementedError("beam_search: write beam_search, then type: grader check -a beam_search")
