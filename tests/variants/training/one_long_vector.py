"""All weights as one vector for Adam and for the norm; the reward is maximised instead of the loss minimised."""
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from batching import create_batches


class _Run:
    def __init__(self, model, rate, clip, device):
        self.model = model.to(device)
        self.weights = [p for p in model.parameters()]
        self.vector = parameters_to_vector(self.weights).detach().clone()
        self.optimizer = torch.optim.Adam([self.vector], lr=rate, maximize=True)
        self.clip, self.device = clip, device

    def batch(self, x, y, states):
        logits, states = self.model(x.to(self.device), states)
        y = torch.nn.functional.one_hot(y.to(self.device), logits.shape[-1]).to(logits.dtype)
        reward = (torch.log_softmax(logits, -1) * y).sum(-1).mean()
        slopes = torch.autograd.grad(reward, self.weights, materialize_grads=True, allow_unused=True)
        long = torch.cat([s.reshape(-1) for s in slopes])
        self.vector.grad = long * min(1.0, self.clip / max(float(long.norm()), 1e-300))
        self.optimizer.step()
        vector_to_parameters(self.vector, self.weights)
        return -reward.item(), [(h.detach(), c.detach()) for (h, c) in states]


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    run = _Run(model, learning_rate, grad_clip, device)
    history = []
    while len(history) < num_epochs:
        model.train()
        states, losses = None, []
        for x, y in create_batches(data, batch_size, seq_len):
            loss, states = run.batch(x, y, states)
            losses.append(loss)
        history.append(torch.tensor(losses, dtype=torch.float64).mean().item())
        if on_epoch is not None:
            on_epoch(len(history) - 1, history[-1])
    return history
