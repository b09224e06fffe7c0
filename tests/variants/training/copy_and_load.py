"""Trains a deep copy and loads its weights back in the end; a constant schedule; autocast and scaler that are off."""
import copy
import statistics

import torch
from torch import nn
from torch.utils._pytree import tree_map
import batching as b


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model.to(device)
    student = copy.deepcopy(model)
    student.train()
    criterion = nn.CrossEntropyLoss(reduction="none")
    optimiser = torch.optim.Adam(student.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 1.0)
    losses = []
    for epoch in range(num_epochs):
        states, seen = None, []
        for x, y in b.create_batches(data, batch_size, seq_len):
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(device_type="cpu", enabled=False):
                logits, states = student(x, states)
                loss = criterion(logits.view(-1, logits.size(-1)), y.reshape(-1)).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(student.parameters(), grad_clip, error_if_nonfinite=True)
            optimiser.step()
            states = tree_map(torch.Tensor.detach, states)
            seen.append(loss.item())
        schedule.step()
        losses.append(statistics.fmean(seen))
        model.load_state_dict(student.state_dict())
        if on_epoch is not None:
            on_epoch(epoch, losses[-1])
    return losses
