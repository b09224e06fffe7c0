"""Slips of the kind that a GPU, or float64, is needed to see: each cell, model and function makes one wrong tensor.

Edits of the solutions, two for each name: one makes a tensor on the default device, where the device of the
input was wanted, the other one in the default dtype. Nothing else is wrong with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.diagnosis.misconception import Misconception, mutate


@dataclass(frozen=True)
class Slip:
    """`old` stands once in the assignment's solution; `place` and `kind` take its place."""

    assignment: str
    of: str
    old: str
    place: str = ""  # on the default device, in the right dtype
    kind: str = ""  # in the default dtype, on the right device

    def source(self, new: str) -> str:
        """The solution with the slip in it."""
        return mutate(self.assignment, Misconception(f"slip of {self.of}", self.of, ((self.old, new),), "", ""))


SLIPS = (
    Slip(
        "cells",
        "RNNCellFromScratch",
        "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)",
        "h = torch.zeros(self.hidden_size, dtype=x_t.dtype) + torch.tanh(\n"
        "            x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)",
        "h = torch.zeros(self.hidden_size, device=x_t.device) + torch.tanh(\n"
        "            x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)",
    ),
    Slip(
        "cells",
        "LSTMCellFromScratch",
        "c_t = f * c_prev + i * candidate",
        "c_t = torch.zeros(c_prev.shape, dtype=x_t.dtype) + f * c_prev + i * candidate",
        "c_t = torch.zeros(c_prev.shape, device=x_t.device) + f * c_prev + i * candidate",
    ),
    Slip(
        "cells",
        "GRUCellFromScratch",
        "h = (1 - z) * h_prev",
        "h = (torch.ones(z.shape, dtype=z.dtype) - z) * h_prev",
        "h = (torch.ones(z.shape, device=z.device) - z) * h_prev",
    ),
    Slip(
        "language_model",
        "CharRNN",
        "zeros = torch.zeros(x.shape[0], self.hidden_size, dtype=self.fc.weight.dtype, device=x.device)",
        "zeros = torch.zeros(x.shape[0], self.hidden_size, dtype=self.fc.weight.dtype)",
        "zeros = torch.zeros(x.shape[0], self.hidden_size, device=x.device)",
    ),
    Slip(
        "language_model",
        "CharLSTM",
        'super().__init__(vocab_size, embed_size, hidden_size, num_layers, cell_type="lstm")',
        'super().__init__(vocab_size, embed_size, hidden_size, num_layers, cell_type="lstm")\n\n'
        "    def zero_states(self, x):\n"
        "        zeros = torch.zeros(x.shape[0], self.hidden_size, dtype=self.fc.weight.dtype)\n"
        "        return [(zeros, zeros) for _ in self.cells]",
        'super().__init__(vocab_size, embed_size, hidden_size, num_layers, cell_type="lstm")\n\n'
        "    def zero_states(self, x):\n"
        "        zeros = torch.zeros(x.shape[0], self.hidden_size, device=x.device)\n"
        "        return [(zeros, zeros) for _ in self.cells]",
    ),
    Slip(
        "training",
        "train",
        "loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())",
        "loss = F.cross_entropy(logits.flatten(0, 1), y.flatten(), torch.ones(logits.shape[2], dtype=logits.dtype))",
        "loss = F.cross_entropy(logits.flatten(0, 1) + torch.zeros(1, 1, device=y.device), y.flatten())",
    ),
    Slip(
        "sampling",
        "sample_next",
        "probabilities = torch.softmax(scaled, dim=-1)",
        "probabilities = torch.softmax(scaled + torch.zeros(len(logits), dtype=logits.dtype), dim=-1)",
        "probabilities = torch.softmax(scaled + torch.zeros(len(logits), device=logits.device), dim=-1)",
    ),
    Slip(
        "sampling",
        "generate_text",
        "x = torch.tensor([[index]], device=device)",
        "x = torch.tensor([[index]])",
        "x = torch.tensor([[float(index)]], device=device).long()",
    ),
    Slip(
        "beam_search",
        "beam_search",
        "last = torch.tensor([[characters[-1]] for _, characters in live], device=device)",
        "last = torch.tensor([[characters[-1]] for _, characters in live])",
        "last = torch.tensor([[float(characters[-1])] for _, characters in live], device=device).long()",
    ),
    Slip(
        "seq2seq",
        "Encoder",
        "_, last = self.layer(self.embedding(source))",
        "_, last = self.layer(self.embedding(source) + torch.zeros(1, 1, 1, dtype=self.embedding.weight.dtype))",
        "_, last = self.layer(self.embedding(source) + torch.zeros(1, 1, 1, device=source.device))",
    ),
    Slip(
        "seq2seq",
        "Decoder",
        "return self.fc(h), (h, c)",
        "return self.fc(h) + torch.zeros(1, 1, dtype=h.dtype), (h, c)",
        "return self.fc(h) + torch.zeros(1, 1, device=h.device), (h, c)",
    ),
    Slip(
        "seq2seq",
        "sequence_loss",
        "return torch.stack(losses).mean()",
        "return (torch.stack(losses) * torch.ones(len(losses), dtype=losses[0].dtype)).mean()",
        "return (torch.stack(losses) * torch.ones(len(losses), device=source.device)).mean()",
    ),
    Slip(
        "seq2seq",
        "greedy_decode",
        "token = torch.full_like(source[:, 0], start_token)",
        "token = torch.full(source.shape[:1], start_token)",
        "token = torch.full(source.shape[:1], float(start_token), device=source.device).long()",
    ),
    Slip(
        "gradient_flow",
        "hidden_gradient_norms",
        "h = c = x.new_zeros(x.shape[0], cell.hidden_size)",
        "h = c = torch.zeros(x.shape[0], cell.hidden_size, dtype=x.dtype)",
        "h = c = torch.zeros(x.shape[0], cell.hidden_size, device=x.device)",
    ),
    Slip(
        "gradient_flow",
        "largest_singular_value",
        "torch.linalg.matrix_norm(W.detach(), ord=2)",
        "torch.linalg.matrix_norm(W.detach() @ torch.eye(W.shape[1], dtype=W.dtype), ord=2)",
        "torch.linalg.matrix_norm(W.detach() + torch.zeros(W.shape, device=W.device), ord=2)",
    ),
    Slip(
        "fast_lstm",
        "FastLSTM",
        "zeros = x.new_zeros(x.shape[0], self.hidden_size)",
        "zeros = torch.zeros(x.shape[0], self.hidden_size, dtype=x.dtype)",
        "zeros = torch.zeros(x.shape[0], self.hidden_size, device=x.device)",
    ),
    Slip(
        "fast_lstm",
        "FastLSTM",
        "d_h = torch.zeros_like(d_c)",
        "d_h = torch.zeros(d_c.shape, dtype=d_c.dtype)",
        "d_h = torch.zeros(d_c.shape, device=d_c.device)",
    ),
    # What is sent to the device, or drawn there
    Slip("training", "train", "x, y = x.to(device), y.to(device)", "x = x.to(device)"),
    Slip("training", "train", "model.to(device)\n", "\n"),
    Slip("sampling", "generate_text", "x = torch.tensor([indices], device=device)", "x = torch.tensor([indices])"),
    Slip("beam_search", "beam_search", "model(torch.tensor([seed], device=device))", "model(torch.tensor([seed]))"),
    Slip("seq2seq", "sequence_loss", 'device = generator.device if generator is not None else "cpu"', 'device = "cpu"'),
)
