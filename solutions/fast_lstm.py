"""An LSTM over whole sequences that wastes no matrix product.

Stepping a cell makes two small matrix products at every step, and autograd four more on the way back.
Most of these need not be made step by step: one large product does what T small ones did, in a fraction
of the time. What is left:

    x W_xᵀ for all steps at once                                  1 product of inner size I
    h_{t-1} W_hᵀ, step by step, for each needs the last           T products of inner size H
    on the way back, dh_{t-1} = dblocks_t W_h, step by step       T products
    dx, dW_x, dW_h, each for all steps at once                    3 products

together 2T + 4. The numbers and the gradients are those of stepping `LSTMCellFromScratch`.
"""

import torch
from torch import nn

# BEGIN SOLUTION NO PROMPT
INITIAL_SCALE = 0.1


class LSTMWalk(torch.autograd.Function):
    """The walk over all steps as one operation with a derivative of its own.

    `LSTMWalk.apply(x, h, c, W_x, W_h, bias)` gives every h (T, B, H) and the last c (B, H). Here time
    comes first, so that what belongs to one step lies together.
    """

    @staticmethod
    def forward(ctx, x, h, c, W_x, W_h, bias):
        """x: (B, T, I); h and c: (B, H)."""
        B, T, _ = x.shape
        inputs = x.transpose(0, 1).flatten(0, 1)
        blocks = torch.addmm(bias, inputs, W_x.T).view(T, B, -1)
        start, hs, cs, gates = h, [], [], []
        for t in range(T):
            i, f, candidate, o = torch.addmm(blocks[t], h, W_h.T).chunk(4, dim=1)
            i, f, candidate, o = i.sigmoid(), f.sigmoid(), candidate.tanh(), o.sigmoid()
            cs.append(c)
            c = f * c + i * candidate
            squashed = c.tanh()
            h = o * squashed
            hs.append(h)
            gates += i, f, candidate, o, squashed
        hs = torch.stack(hs)
        ctx.save_for_backward(W_x, W_h, inputs, start, hs, *cs, *gates)
        return hs, c

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, d_hs, d_c):
        """d_hs: (T, B, H) and d_c: (B, H), what the loss asks of every h and of the last c."""
        T, B, _ = d_hs.shape
        W_x, W_h, inputs, start, hs, *kept = ctx.saved_tensors
        cs, gates = kept[:T], kept[T:]
        d_h = torch.zeros_like(d_c)
        d_blocks = [None] * T
        for t in reversed(range(T)):
            i, f, candidate, o, squashed = gates[5 * t : 5 * t + 5]
            d_h = d_h + d_hs[t]
            d_c = d_c + d_h * o * (1 - squashed * squashed)  # c reaches the loss through h and through the next c
            d_blocks[t] = torch.cat(
                [
                    d_c * candidate * i * (1 - i),
                    d_c * cs[t] * f * (1 - f),
                    d_c * i * (1 - candidate * candidate),
                    d_h * squashed * o * (1 - o),
                ],
                dim=1,
            )
            d_h = d_blocks[t] @ W_h
            d_c = d_c * f
        d_blocks = torch.cat(d_blocks)  # (T·B, 4H), in the order of `inputs`
        d_x = (d_blocks @ W_x).view(T, B, -1).transpose(0, 1)
        d_W_x = d_blocks.T @ inputs
        before = torch.cat([start, hs[:-1].flatten(0, 1)])  # each block met the h of the step before
        d_W_h = d_blocks.T @ before
        return d_x, d_h, d_c, d_W_x, d_W_h, d_blocks.sum(dim=0)


# END SOLUTION


class FastLSTM(nn.Module):
    """One LSTM layer over a whole sequence.

    Parameters, as in `LSTMCellFromScratch`: W_x (4H, I), W_h (4H, H), bias (4H,). Their rows are four
    blocks of H in the order input, forget, candidate, output. A fresh bias is 1 in the forget block
    and 0 elsewhere.
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        # BEGIN SOLUTION
        self.W_x = nn.Parameter(torch.randn(4 * hidden_size, input_size) * INITIAL_SCALE)
        self.W_h = nn.Parameter(torch.randn(4 * hidden_size, hidden_size) * INITIAL_SCALE)
        bias = torch.zeros(4 * hidden_size)
        bias[hidden_size : 2 * hidden_size] = 1.0
        self.bias = nn.Parameter(bias)
        # END SOLUTION

    def forward(self, x, state=None):
        """Read the whole sequence.

        x: (B, T, I); state: the pair (h, c) to start from, each (B, H), or None for zeros.
        Returns (outputs, (h, c)): every h, (B, T, H), and the last h and c, each (B, H). Neither x
        nor the state is changed.
        """
        # BEGIN SOLUTION
        if state is None:
            zeros = x.new_zeros(x.shape[0], self.hidden_size)
            state = zeros, zeros
        hs, c = LSTMWalk.apply(x, *state, self.W_x, self.W_h, self.bias)
        return hs.transpose(0, 1), (hs[-1], c)
        # END SOLUTION
