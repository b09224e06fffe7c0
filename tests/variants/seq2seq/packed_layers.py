from itertools import islice, takewhile

import torch
from torch import nn
from torch.nn.functional import nll_loss


class _Base(nn.Module):
    """One library layer for both; time comes first, and the decoder feeds it sequences of length 1."""

    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        if cell_type not in {"rnn", "lstm", "gru"}:
            raise ValueError(cell_type)
        super().__init__()
        self.one_hot_to_vector = nn.Linear(vocab_size, embed_size, bias=False)
        self.recurrent = getattr(nn, cell_type.upper())(embed_size, hidden_size)
        self.vocab_size = vocab_size
        self.dropout = nn.Dropout(0.3)

    def embed(self, tokens):
        hot = nn.functional.one_hot(tokens, self.vocab_size).to(self.one_hot_to_vector.weight.dtype)
        return self.dropout(self.one_hot_to_vector(hot))

    def unpack(self, state):
        return (state[0].squeeze(0), state[1].squeeze(0)) if type(state) is tuple else (state.squeeze(0),) * 2


class Encoder(_Base):
    def forward(self, source):
        return self.unpack(self.recurrent(self.embed(source).transpose(0, 1))[1])


class Decoder(_Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.to_logits = nn.LazyLinear(self.vocab_size)
        self.to_logits(torch.zeros(1, self.recurrent.hidden_size))

    def forward(self, token, state):
        h, c = (part.unsqueeze(0) for part in state)
        given = (h.contiguous(), c.contiguous()) if isinstance(self.recurrent, nn.LSTM) else h.contiguous()
        out, after = self.recurrent(self.embed(token).unsqueeze(0), given)
        return self.to_logits(out.squeeze(0)), self.unpack(after)


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    state, said, log_probs = encoder(source), target[:, 0], []
    for number, truth in enumerate(target[:, :-1].unbind(1)):
        drawn = torch.empty((), device=target.device).uniform_(generator=generator)
        logits, state = decoder(truth if number == 0 or drawn < teacher_forcing_prob else said, state)
        said = torch.argmax(logits, -1)
        log_probs += [logits.log_softmax(-1)]
    return nll_loss(torch.cat(log_probs), target[:, 1:].T.reshape(-1))


def _words(encoder, decoder, source, token):
    state = encoder(source)
    while True:
        logits, state = decoder(token, state)
        token = logits.argmax(1)
        yield token


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    flags = [(part, part.training) for part in (encoder, decoder)]
    grad = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        for part, _ in flags:
            part.train(False)
        start = source.new_full(source.shape[:1], start_token)
        steps = [step.tolist() for step in islice(_words(encoder, decoder, source, start), max_len)]
        return [list(takewhile(lambda t: t != end_token, [s[b] for s in steps])) for b in range(len(source))]
    finally:
        torch.set_grad_enabled(grad)
        for part, flag in flags:
            part.train(flag)


class BadSchedule(ValueError):
    pass


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    import math

    def linear():
        return 1.0 - min(step, total_steps) / total_steps

    def exponential():
        if not (k and 0 < k < 1):
            raise BadSchedule("k")
        return math.pow(k, step)

    def inverse_sigmoid():
        if not (k and k >= 1):
            raise BadSchedule("k")
        return 1 / (1 + math.exp(min(step / k - math.log(k), 709)))

    try:
        chosen = {"linear": linear, "exponential": exponential, "inverse_sigmoid": inverse_sigmoid}[schedule]
    except KeyError as unknown:
        raise BadSchedule(schedule) from unknown
    return chosen()
