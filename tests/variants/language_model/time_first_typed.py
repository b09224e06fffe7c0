"""Time first inside, an Enum of cells, type hints and assertions, einsum for the projection, one-hot for the embedding."""

from __future__ import annotations

from enum import Enum
from typing import Optional, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cells import GRUCellFromScratch, LSTMCellFromScratch, RNNCellFromScratch

State = tuple[Tensor, Tensor]


class CellLike(Protocol):
    def __call__(self, x_t: Tensor, h_prev: Tensor, c_prev: Tensor) -> State: ...


class CellType(str, Enum):
    RNN = "rnn"
    LSTM = "lstm"
    GRU = "gru"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise ValueError(f"{value!r} is no cell type, those are " + " / ".join(member.value for member in cls))

    def make(self, input_size: int, hidden_size: int) -> nn.Module:
        match self:
            case CellType.RNN:
                return RNNCellFromScratch(input_size, hidden_size)
            case CellType.LSTM:
                return LSTMCellFromScratch(input_size, hidden_size)
            case CellType.GRU:
                return GRUCellFromScratch(input_size, hidden_size)


class CharRNN(nn.Module):
    embedding: nn.Embedding
    cells: nn.ModuleList
    fc: nn.Linear

    def __init__(
        self, vocab_size: int, embed_size: int, hidden_size: int, num_layers: int = 1, cell_type: str = "lstm"
    ) -> None:
        super().__init__()
        assert num_layers >= 1
        self.cell_type = CellType(cell_type)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList(self.cell_type.make(embed_size if not k else hidden_size, hidden_size) for k in range(num_layers))
        self.fc = nn.Linear(hidden_size, vocab_size)

    def _initial(self, like: Tensor) -> list[State]:
        return [(like.new_zeros(like.shape[1], self.fc.in_features),) * 2 for _ in range(len(self.cells))]

    def forward(self, x: Tensor, states: Optional[list[State]] = None) -> tuple[Tensor, list[State]]:
        assert x.dim() == 2 and x.dtype == torch.long
        sequence = F.one_hot(x.T, self.embedding.num_embeddings).to(self.embedding.weight.dtype) @ self.embedding.weight
        states = self._initial(sequence) if states is None else states
        assert len(states) == len(self.cells)
        finals: list[State] = []
        cell: CellLike
        for cell, (h, c) in zip(self.cells, states):
            outputs: list[Tensor] = []
            for x_t in sequence:
                h, c = cell(x_t, h, c)
                outputs.append(h)
            sequence = torch.stack(outputs)
            finals.append((h, c))
        logits = torch.einsum("tbh,vh->btv", sequence, self.fc.weight) + self.fc.bias
        return logits, finals


class CharLSTM(CharRNN):
    def __init__(self, vocab_size: int, embed_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__(vocab_size, embed_size, hidden_size, num_layers, CellType.LSTM)
