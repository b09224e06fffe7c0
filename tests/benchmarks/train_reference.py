"""Trains the reference solutions on a real text at the lesson's hyperparameters, and says how it goes.

    python -m tests.benchmarks.train_reference TEXT [--epochs 20] [--stop-below 1.6] [--device cpu]

Prints one line an epoch: mean loss over the epoch in nats per character, seconds. The text is split
90 : 10, and the loss on the held-out tenth is shown beside it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from grader.diagnosis import LocalStudent


class Enough(Exception):
    """The loss asked for has been reached."""


def main() -> int:
    """Train until `--epochs` or `--stop-below` is reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--stop-below", type=float, default=0.0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    solution = LocalStudent("training")
    batching, models, training = (solution.module(name) for name in ("batching", "language_model", "training"))
    text = options.text.read_text(encoding="utf-8")
    char_to_idx, _ = batching.build_vocab(text)
    data = batching.encode(text, char_to_idx)
    held_out = data[len(data) * 9 // 10 :].to(options.device)
    model = models.CharLSTM(len(char_to_idx), embed_size=64, hidden_size=256, num_layers=2)
    print(
        f"{len(text):,} characters, {len(char_to_idx)} distinct, {sum(p.numel() for p in model.parameters()):,} weights"
    )
    started = time.perf_counter()

    def report(epoch: int, loss: float) -> None:
        seconds = time.perf_counter() - started
        fresh = evaluate(model, held_out)
        print(f"epoch {epoch + 1:2d}: {loss:.3f} nats, held out {fresh:.3f}, after {seconds:.0f} s", flush=True)
        if loss < options.stop_below:
            raise Enough

    try:
        training.train(
            model, data[: len(data) * 9 // 10], num_epochs=options.epochs, device=options.device, on_epoch=report
        )
    except Enough:
        return 0
    return 1 if options.stop_below else 0


@torch.no_grad()
def evaluate(model: torch.nn.Module, data: torch.Tensor, rows: int = 50) -> float:
    """Mean loss on text the model was not trained on, in `rows` parallel pieces."""
    length = (len(data) - 1) // rows
    x, y = data[: rows * length].view(rows, length), data[1 : rows * length + 1].view(rows, length)
    total, states = 0.0, None
    for start in range(0, length, 100):
        logits, states = model(x[:, start : start + 100], states)
        total += F.cross_entropy(logits.flatten(0, 1), y[:, start : start + 100].flatten(), reduction="sum").item()
    return total / (rows * length)


if __name__ == "__main__":
    sys.exit(main())
