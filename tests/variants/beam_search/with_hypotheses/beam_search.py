"""Uses modules of its own; __lt__ makes hypotheses sortable; float32 scores on the device; prints its progress."""
import torch
from hypothesis_module import Hypothesis, Pool
import checks as _checks


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    _checks.at_least_one(beam_width=beam_width, length=length)
    indices = _checks.known(seed, char_to_idx)
    end = char_to_idx[end_char] if end_char is not None else None
    pool = Pool(length_penalty)
    with _checks.quietly(model), torch.no_grad():
        logits, states = model(torch.tensor([indices]).to(device))
        beam = [Hypothesis(torch.zeros((), device=device), (), logits[0, -1], states)]
        for n in range(length):
            print(f"step {n}: {len(beam)} hypotheses")
            offspring = sorted((child for h in beam for child in h.children()), reverse=True)[:beam_width]
            beam = []
            for child in offspring:
                if child.tokens[-1] == end or n + 1 == length:
                    pool.add(child)
                else:
                    beam.append(child)
            if not beam or pool.beats(beam, length):
                break
            x = torch.tensor([[child.tokens[-1]] for child in beam], device=device)
            together = [tuple(torch.cat(parts) for parts in zip(*layer)) for layer in zip(*(child.states for child in beam))]
            logits, states = model(x, together)
            for row, child in enumerate(beam):
                child.logits = logits[row, 0]
                child.states = [(h[row:row + 1], c[row:row + 1]) for h, c in states]
    tokens = pool.best()
    return seed + "".join(idx_to_char[t] for t in (tokens[:-1] if tokens[-1] == end else tokens))
