import torch


class Spelling:
    def __init__(self, char_to_idx, idx_to_char):
        self.forth, self.back = char_to_idx, idx_to_char

    def numbers(self, text):
        if not text:
            raise ValueError("nothing to spell")
        try:
            return [self.forth[c] for c in text]
        except KeyError as problem:
            raise ValueError(f"can't spell {problem.args[0]!r}") from problem

    def text(self, numbers):
        return "".join(self.back[n] for n in numbers)

    @staticmethod
    def go_on(model, numbers, length, device, pick):
        """Yields each new number; no_grad only around the model, so that it is not left on between two yields."""
        states, feed = None, list(numbers)
        for _ in range(length):
            with torch.no_grad():
                logits, states = model(torch.tensor(feed, device=device).view(1, -1), states)
            index = pick(logits[0, -1])
            yield index
            feed = [index]
