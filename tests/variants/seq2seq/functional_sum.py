"""Losses gathered in place and divided at the end; decoding into one tensor with a mask."""
import torch
import torch.nn as nn
import torch.nn.functional as F

UNITS = dict(rnn=nn.RNNCell, lstm=nn.LSTMCell, gru=nn.GRUCell)


class Encoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        if cell_type not in UNITS:
            raise ValueError("cell_type")
        self.emb = nn.Embedding(vocab_size, embed_size)
        self.unit = UNITS[cell_type](embed_size, hidden_size)

    def forward(self, source):
        state = None
        for x in self.emb(source.t()):
            state = self.unit(x, state)
        if torch.is_tensor(state):
            return state, state.clone()
        return state


class Decoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        if cell_type not in UNITS:
            raise ValueError("cell_type")
        self.emb = nn.Embedding(vocab_size, embed_size)
        self.unit = UNITS[cell_type](embed_size, hidden_size)
        self.W = nn.Parameter(torch.empty(vocab_size, hidden_size).uniform_(-0.1, 0.1))
        self.b = nn.Parameter(torch.zeros(vocab_size))

    def forward(self, token, state):
        if isinstance(self.unit, nn.LSTMCell):
            state = self.unit(self.emb(token), (state[0], state[1]))
        else:
            h = self.unit(self.emb(token), state[0])
            state = (h, h)
        return F.linear(state[0], self.W, self.b), state


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    h, c = encoder(source)
    loss = torch.zeros(len(target), target.size(1) - 1, device=source.device)
    choice = target[:, 0]
    for t in range(target.size(1) - 1):
        u = torch.rand([], generator=generator, device=target.device) if t else 0.0
        if t == 0 or u < teacher_forcing_prob:
            fed = target[:, t]
        else:
            fed = choice
        logits, (h, c) = decoder(fed, (h, c))
        choice = logits.max(1)[1]
        loss[:, t] += F.cross_entropy(logits, target[:, t + 1], reduction="none")
    return loss.mean()


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    modes = {part: part.training for part in (encoder, decoder)}
    for part in modes:
        part.eval()
    with torch.no_grad():
        B = source.size(0)
        text = torch.full((B, max_len + 1), start_token, dtype=torch.long, device=source.device)
        over = torch.zeros(B, dtype=torch.bool, device=source.device)
        lengths = torch.zeros(B, dtype=torch.long, device=source.device)
        state = encoder(source)
        for t in range(max_len):
            logits, state = decoder(text[:, t], state)
            text[:, t + 1] = torch.where(over, torch.full_like(over, end_token, dtype=torch.long), logits.argmax(1))
            over |= text[:, t + 1] == end_token
            lengths += ~over
            if bool(over.all()):
                break
    for part, mode in modes.items():
        part.train(mode)
    return [text[b, 1 : 1 + int(n)].tolist() for b, n in enumerate(lengths)]


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    if schedule == "linear":
        p = 1 - step / total_steps
    elif schedule == "exponential":
        if k is None or k <= 0 or k >= 1:
            raise ValueError("k must lie between 0 and 1")
        p = k**step
    elif schedule == "inverse_sigmoid":
        if k is None or k < 1:
            raise ValueError("k must be 1 or more")
        p = torch.sigmoid(torch.tensor(k, dtype=torch.float64).log() - step / k).item()
    else:
        raise ValueError(f"no schedule {schedule!r}")
    return float(min(1.0, max(0.0, p)))
