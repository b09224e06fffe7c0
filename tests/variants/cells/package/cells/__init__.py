"""A package: one module a cell."""
from .gru import GRUCellFromScratch
from .lstm import LSTMCellFromScratch
from .rnn import RNNCellFromScratch

__all__ = ["GRUCellFromScratch", "LSTMCellFromScratch", "RNNCellFromScratch"]
