"""Sampling text: draw the next character with a temperature, and let a model write.

`sample_next` turns logits into one index; `generate_text` feeds a seed to a model and then its own
draws, one by one, with the model's states carried along.
"""

import torch

# BEGIN SOLUTION NO PROMPT


def seed_indices(seed, char_to_idx):
    """The seed as a list of indices. Raises ValueError for an empty one and for an unknown character."""
    if not seed:
        raise ValueError("the seed is empty: the model needs at least one character to start from")
    for character in seed:
        if character not in char_to_idx:
            raise ValueError(f"the seed's character {character!r} is not in the vocabulary")
    return [char_to_idx[character] for character in seed]


# END SOLUTION


def sample_next(logits, temperature=1.0, generator=None):
    """Draw an index from softmax(logits / temperature).

    logits: (V,), left as they are; temperature: 0 takes the largest logit, below 0 is a ValueError;
    generator: a torch.Generator on the logits' device, to draw with in place of the global one.
    Returns an int from 0 to V - 1.
    """
    # BEGIN SOLUTION
    if temperature < 0:
        raise ValueError(f"the temperature is {temperature}, it cannot be below 0")
    if temperature == 0:
        return int(logits.argmax())
    scaled = logits / temperature
    probabilities = torch.softmax(scaled, dim=-1)
    draw = torch.multinomial(probabilities, num_samples=1, generator=generator)
    return draw.item()
    # END SOLUTION


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
    # BEGIN SOLUTION
    if length < 0:
        raise ValueError(f"the length is {length}, it cannot be negative")
    indices = seed_indices(seed, char_to_idx)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            written = []
            states = None
            x = torch.tensor([indices], device=device)  # the whole seed at once: (1, T)
            for _ in range(length):
                logits, states = model(x, states)
                index = sample_next(logits[0, -1], temperature, generator)  # only the last answer looks ahead
                written.append(idx_to_char[index])
                x = torch.tensor([[index]], device=device)  # from now on one character at a time: (1, 1)
    finally:
        model.train(was_training)
    return seed + "".join(written)
    # END SOLUTION
