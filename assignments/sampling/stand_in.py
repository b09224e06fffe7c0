"""A sampler that stands in for a student's own, so that `generate_text` can be graded on its own.

It has the contract's interface but another idea of a draw, so it gives no answer away: all indices
whose logit is at most 2 * temperature below the largest are equally likely, and no others ever come.
The tests of texts reckon with it. It is added below the student's module and its one name takes the
place of theirs; so whatever it uses stands inside.
"""


def sample_next(logits, temperature=1.0, generator=None):
    import torch

    row = logits.flatten()
    near = (row >= row.max() - 2 * temperature).nonzero().flatten()
    return int(near[torch.randint(len(near), (1,), generator=generator, device=row.device)])
