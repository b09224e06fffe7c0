import torch


def create_batches(data, batch_size, seq_len):
    if batch_size < 1 or seq_len < 1 or (len(data) - 1) // (batch_size * seq_len) < 1:
        raise ValueError("no batches")
    n = (len(data) - 1) // (batch_size * seq_len)
    used = n * batch_size * seq_len
    x = data[:used].reshape(batch_size, n, seq_len).permute(1, 0, 2)
    y = data[1:used + 1].reshape(batch_size, n, seq_len).permute(1, 0, 2)
    return torch.stack([x, y], dim=1)  # iterating gives pairs
