"""The model's answers are kept by prefix, states and all; hypotheses are tuples of indices in a dictionary."""
import torch


class Oracle:
    """Answers with log-probabilities after a prefix; each prefix is fed once, after its parent."""

    def __init__(self, model, seed, device):
        self.model, self.device = model, device
        self.kept = {}
        self.seed = seed

    def __call__(self, prefix):
        if prefix not in self.kept:
            if prefix:
                self(prefix[:-1])
                states, feed = self.kept[prefix[:-1]][1], [prefix[-1]]
            else:
                states, feed = None, self.seed
            logits, states = self.model(torch.LongTensor([feed]).to(self.device), states)
            self.kept[prefix] = torch.log_softmax(logits[0, -1].double(), 0).tolist(), states
        return self.kept[prefix][0]


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    problems = {
        "beam_width must be at least 1": beam_width < 1,
        "length must be at least 1": length < 1,
        "seed must not be empty": seed == "",
        "seed has unknown characters": any(c not in char_to_idx for c in seed),
    }
    for problem, there in problems.items():
        if there:
            raise ValueError(problem)
    end = char_to_idx.get(end_char) if end_char else None
    mode = model.training
    grad = torch.is_grad_enabled()
    model.train(mode=False)
    torch.set_grad_enabled(False)
    try:
        ask = Oracle(model, [char_to_idx[c] for c in seed], device)
        live, finished = {(): 0.0}, {}
        for _ in range(length):
            grown = {}
            for prefix, score in live.items():
                for index, chance in enumerate(ask(prefix)):
                    grown[(*prefix, index)] = score + chance
            kept = dict(sorted(grown.items(), key=lambda item: -item[1])[:beam_width])
            finished.update({text: score for text, score in kept.items() if text[-1] == end})
            live = {text: score for text, score in kept.items() if text[-1] != end}
            if not live:
                break
    finally:
        torch.set_grad_enabled(grad)
        model.train(mode=mode)
    everything = {**finished, **live}
    best = max(everything, key=lambda text: everything[text] / len(text) ** length_penalty)
    return seed + "".join(idx_to_char[index] for index in best if index != end)
