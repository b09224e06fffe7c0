"""RNN, LSTM and GRU cells from scratch."""
