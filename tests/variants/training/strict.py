"""Everything torch can check is switched on: anomaly detection, deterministic algorithms; warnings are errors."""
import warnings

import torch
from torch import nn

from batching import create_batches

warnings.simplefilter("error")


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    torch.manual_seed(1234)
    torch.use_deterministic_algorithms(True)
    model.to(device)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=(0.9, 0.999), eps=1e-08, weight_decay=0)
    criterion = nn.CrossEntropyLoss()
    epoch_losses = []
    try:
        for epoch in range(1, num_epochs + 1):
            model.train()
            hidden = None
            running, steps = 0.0, 0
            for inputs, targets in create_batches(data.to(device), batch_size, seq_len):
                inputs, targets = inputs.to(device), targets.to(device)
                if hidden is not None:
                    hidden = [tuple(state.detach() for state in layer) for layer in hidden]
                with torch.autograd.set_detect_anomaly(True, check_nan=True):
                    output, hidden = model(inputs, hidden)
                    vocab = output.size(2)
                    loss = criterion(output.contiguous().view(-1, vocab), targets.contiguous().view(-1))
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
                optimizer.step()
                running += loss.item()
                steps += 1
            epoch_losses.append(running / steps)
            if on_epoch is not None:
                on_epoch(epoch - 1, epoch_losses[-1])
    finally:
        torch.use_deterministic_algorithms(False)
    return epoch_losses
