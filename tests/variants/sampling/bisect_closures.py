"""accumulate and bisect over floats; closures; the text as a fold; decorated with inference_mode; in Spanish."""
from bisect import bisect_right
from functools import reduce
from itertools import accumulate
from math import exp

import torch


def moneda(generador, dispositivo):
    """Una función que da un número en [0, 1) cada vez."""
    return lambda: torch.empty((), dtype=torch.float64, device=dispositivo).uniform_(generator=generador).item()


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("la temperatura no puede ser negativa")
    números = logits.tolist()
    máximo = max(números)
    if not temperature:
        return next(i for i, número in enumerate(números) if número == máximo)
    sumas = list(accumulate(exp((número - máximo) / temperature) for número in números))
    lugar = bisect_right(sumas, moneda(generator, logits.device)() * sumas[-1])
    return lugar if lugar < len(sumas) else números.index(máximo)


@torch.inference_mode()
def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if length < 0 or not seed:
        raise ValueError("longitud negativa o semilla vacía")
    desconocidos = [c for c in seed if c not in char_to_idx]
    if desconocidos:
        raise ValueError(f"caracteres desconocidos: {desconocidos}")
    estaba = model.training

    def leer(índices, estados):
        logits, estados = model(torch.tensor([índices], device=device), states=estados)
        return logits[0][-1], estados

    def seguir(hasta_ahora, _):
        texto, logits, estados = hasta_ahora
        índice = sample_next(logits, temperature, generator)
        return (texto + idx_to_char[índice], *leer([índice], estados))

    try:
        model.eval()
        return reduce(seguir, range(length), (seed, *leer([char_to_idx[c] for c in seed], None)))[0]
    finally:
        model.train(estaba)
