import contextlib


def at_least_one(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}, but has to be at least 1")


def known(seed, char_to_idx):
    if not seed:
        raise ValueError("the seed is empty")
    missing = [c for c in seed if c not in char_to_idx]
    if missing:
        raise ValueError("not in the vocabulary: " + ", ".join(map(repr, missing)))
    return [char_to_idx[c] for c in seed]


@contextlib.contextmanager
def quietly(model):
    was = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was)
