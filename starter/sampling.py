"""Sampling text: draw the next character with a temperature, and let a model write.

`sample_next` turns logits into one index; `generate_text` feeds a seed to a model and then its own
draws, one by one, with the model's states carried along.
"""

import torch


def sample_next(logits, temperature=1.0, generator=None):
    """Draw an index from softmax(logits / temperature).

    logits: (V,), left as they are; temperature: 0 takes the largest logit, below 0 is a ValueError;
    generator: a torch.Generator on the logits' device, to draw with in place of the global one.
    Returns an int from 0 to V - 1.
    """
    raise NotImplementedError("sampling: write sample_next, then type: grader check -a sampling")


def generate_text(
    model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None
):
    """Write `length` characters after `seed`.

    model: called as model(x (1, T), states) -> (logits (1, T, V), states), states None at first;
    char_to_idx and idx_to_char: from a character to its index and back; seed: at least one
    character; temperature and generator: as in `sample_next`.
    Returns the seed and what was written, one string. Raises ValueError for an empty seed, a
    character outside the vocabulary and a negative length.
    """
    raise NotImplementedError("sampling: write generate_text, then type: grader check -a sampling")
