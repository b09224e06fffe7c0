"""A fast LSTM: few matrix products, and a backward pass by hand."""
