"""A trainer object, a generator of losses, CrossEntropyLoss on permuted logits, AdamW without decay, a closure."""
from itertools import islice
import torch
from torch import nn
from batching import create_batches as batches_of


class Trainer:
    def __init__(self, model, rate, clip, device):
        self.device = device
        self.model = model.to(device)
        self.weights = list(model.parameters())
        self.optimizer = torch.optim.AdamW(self.weights, lr=rate, weight_decay=0.0, foreach=True)
        self.clip = clip
        self.criterion = nn.CrossEntropyLoss()

    def losses(self, data, B, T):
        states = None
        for x, y in batches_of(data.to(self.device), B, T):
            with torch.no_grad():
                states = states and [(torch.clone(h), torch.clone(c)) for h, c in states]
            keep = {}

            def closure():
                self.optimizer.zero_grad(set_to_none=False)
                logits, keep["states"] = self.model(x, states)
                loss = self.criterion(logits.permute(0, 2, 1), y)
                loss.backward()
                nn.utils.clip_grad_norm_(self.weights, self.clip, foreach=True)
                return loss

            yield self.optimizer.step(closure)
            states = keep["states"]

    def epoch(self, data, B, T):
        self.model.train()
        total, count = torch.zeros(()), 0
        for loss in self.losses(data, B, T):
            total += loss.detach().cpu()
            count += 1
        return (total / count).item()


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    trainer = Trainer(model, learning_rate, grad_clip, device)
    result = []

    def forever():
        while True:
            yield trainer.epoch(data, batch_size, seq_len)

    for number, loss in enumerate(islice(forever(), num_epochs)):
        result.append(loss)
        if callable(on_epoch):
            on_epoch(number, loss)
    return result
