import torch


class Hypothesis:
    def __init__(self, score, tokens, logits, states):
        self.score, self.tokens, self.logits, self.states = score, tokens, logits, states

    def __lt__(self, other):
        return self.score.item() < other.score.item()

    def children(self):
        chances = torch.log_softmax(self.logits, dim=-1)
        for token in range(len(chances)):
            yield Hypothesis(self.score + chances[token], self.tokens + (token,), None, self.states)


class Pool:
    def __init__(self, penalty):
        self.penalty, self.items = penalty, []

    def value(self, score, n):
        return score.item() / n ** self.penalty

    def add(self, hypothesis):
        self.items.append((self.value(hypothesis.score, len(hypothesis.tokens)), hypothesis.tokens))

    def beats(self, beam, length):
        """Whether nothing in the beam can still win: a score never rises, and no text is longer than length."""
        return bool(self.items) and max(self.items)[0] >= self.value(max(beam).score, length)

    def best(self):
        return max(self.items)[1]
