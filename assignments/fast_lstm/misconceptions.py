"""Known wrong or wasteful fast LSTMs, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

FAST = "FastLSTM"

INPUTS = "inputs = x.transpose(0, 1).flatten(0, 1)"
BLOCKS = "blocks = torch.addmm(bias, inputs, W_x.T).view(T, B, -1)"
STEP = "torch.addmm(blocks[t], h, W_h.T).chunk(4, dim=1)"
APPLY = "hs, c = LSTMWalk.apply(x, *state, self.W_x, self.W_h, self.bias)"
RETURN = "return hs.transpose(0, 1), (hs[-1], c)"
GRADIENTS = "return d_x, d_h, d_c, d_W_x, d_W_h, d_blocks.sum(dim=0)"
C_SLOPE = "d_c = d_c + d_h * o * (1 - squashed * squashed)  # c reaches"
BY_AUTOGRAD = "hs, c = LSTMWalk.forward(Keeper(), x, *state, self.W_x, self.W_h, self.bias)"
KEEPER = (
    "class FastLSTM(nn.Module):",
    "class Keeper:\n    def save_for_backward(self, *tensors):\n        pass\n\n\nclass FastLSTM(nn.Module):",
)

MISCONCEPTIONS = (
    Misconception(
        "fast-gate-order",
        FAST,
        (
            ("i, f, candidate, o = torch.addmm", "i, f, o, candidate = torch.addmm"),
            (
                "                    d_c * i * (1 - candidate * candidate),\n"
                "                    d_h * squashed * o * (1 - o),\n",
                "                    d_h * squashed * o * (1 - o),\n"
                "                    d_c * i * (1 - candidate * candidate),\n",
            ),
        ),
        "The order i, f, o, g of some courses.",
        "The third and fourth block seem to have changed places. As in LSTMCellFromScratch, the output block is last.",
    ),
    Misconception(
        "fast-no-bias",
        FAST,
        ((BLOCKS, "blocks = (inputs @ W_x.T).view(T, B, -1)"),),
        "The bias went missing when the projection moved out of the loop.",
        "The bias seems to play no part. It belongs to the projection of all inputs now, once for each step.",
    ),
    Misconception(
        "fast-bias-twice",
        FAST,
        ((STEP, STEP.replace("blocks[t]", "blocks[t] + bias")),),
        "Two biases, as nn.LSTM has them, but both the same.",
        "The bias seems to be added twice: once with the inputs' projection and once more at every step.",
    ),
    Misconception(
        "fast-reshape-for-transpose",
        FAST,
        (
            (INPUTS, "inputs = x.reshape(T * B, -1)"),
            ("d_x = (d_blocks @ W_x).view(T, B, -1).transpose(0, 1)", "d_x = (d_blocks @ W_x).view(B, T, -1)"),
        ),
        "Right for one row or one step: rows and steps are dealt out in the wrong order.",
        "The inputs seem to get mixed between rows and steps. A (B, T, …) tensor viewed as (T, B, …) has the right "
        "shape and the wrong order: transpose, then flatten.",
    ),
    Misconception(
        "fast-needs-contiguous-input",
        FAST,
        ((INPUTS, "inputs = x.view(B * T, -1).view(B, T, -1).transpose(0, 1).flatten(0, 1)"),),
        "An error for an x that is not contiguous.",
        "`.view` needs contiguous memory, and x may be a transposed or sliced tensor. `.reshape` takes any.",
    ),
    Misconception(
        "fast-outputs-time-first",
        FAST,
        ((RETURN, "return hs, (hs[-1], c)"),),
        "nn.LSTM without batch_first.",
        "The outputs seem to come as (T, B, H). Here the batch is first, in x and in the outputs.",
    ),
    Misconception(
        "fast-states-with-a-layer",
        FAST,
        ((RETURN, "return hs.transpose(0, 1), (hs[-1:], c[None])"),),
        "nn.LSTM's shape (1, B, H).",
        "The last states come with a dimension for layers in front, as nn.LSTM has it. There is one layer here: "
        "(B, H).",
    ),
    Misconception(
        "fast-returns-c-first",
        FAST,
        ((RETURN, "return hs.transpose(0, 1), (c, hs[-1])"),),
        "Everything of the right shape, swapped.",
        "The two last states seem to come back in the other order. The hidden state goes first.",
    ),
    Misconception(
        "fast-state-ignored",
        FAST,
        (("if state is None:", "if True:"),),
        "Right without a state.",
        "The state that is given seems to have no influence: the walk begins with zeros all the same.",
    ),
    Misconception(
        "fast-float32-zeros",
        FAST,
        (("zeros = x.new_zeros(x.shape[0], self.hidden_size)", "zeros = torch.zeros(x.shape[0], self.hidden_size)"),),
        "An error for float64 without a state.",
        "Something seems to be float32 whatever x is, most likely the zeros to start from. `x.new_zeros(…)` follows "
        "its dtype and device.",
    ),
    Misconception(
        "fast-state-in-place",
        FAST,
        (("c = f * c + i * candidate", "c = c.mul_(f).add_(i * candidate)"),),
        "The caller's c changes, and so do the cell states that the backward pass needs.",
        "The cell state is changed in place, the one that was given too. Whoever gave it still needs it, and so does "
        "the backward pass.",
    ),
    Misconception(
        "fast-forget-bias-zero",
        FAST,
        (("        bias[hidden_size : 2 * hidden_size] = 1.0\n", ""),),
        "A fresh module forgets half of its memory at each step.",
        "The fresh bias is zero everywhere. As in LSTMCellFromScratch its forget block starts at 1.",
    ),
    Misconception(
        "fast-backward-drops-the-carried-c",
        FAST,
        (("            d_c = d_c * f\n", "            d_c = torch.zeros_like(d_c)\n"),),
        "Right for one step; the LSTM's road for gradients is closed.",
        "In the backward pass nothing seems to go from one step's c to the c before it. c_t = f ∘ c_{t−1} + …: that is "
        "the road the LSTM was built for.",
    ),
    Misconception(
        "fast-backward-drops-the-carried-h",
        FAST,
        (("            d_h = d_blocks[t] @ W_h\n", "            d_h = torch.zeros_like(d_h)\n"),),
        "Right for one step, but for the gradient of h_0.",
        "In the backward pass nothing seems to go from one step's blocks to the h before it. That h went into all "
        "four blocks, through W_h.",
    ),
    Misconception(
        "fast-backward-ignores-last-c",
        FAST,
        (("        d_h = torch.zeros_like(d_c)\n", "        d_h = torch.zeros_like(d_c)\n        d_c = d_h\n"),),
        "Right as long as nobody differentiates the returned c.",
        "A loss that uses the returned c seems to have no effect on the gradients. c has to come back on the graph, "
        "and backward, which is given a gradient for each result of forward, begins with that of c, not with zeros.",
    ),
    Misconception(
        "fast-backward-ignores-last-states",
        FAST,
        (
            ("        d_h = torch.zeros_like(d_c)\n", "        d_h = torch.zeros_like(d_c)\n        d_c = d_h\n"),
            (RETURN, "return hs.transpose(0, 1), (hs[-1].detach() + 0 * hs[-1], c)"),
        ),
        "Right for losses on the outputs only.",
        "Only the outputs seem to send a gradient back. A loss may use the returned h and c too: backward is given a "
        "gradient for each result of forward, and begins with those of h and c, not with zeros.",
    ),
    Misconception(
        "fast-backward-ignores-early-outputs",
        FAST,
        (("            d_h = d_h + d_hs[t]\n", "            d_h = d_h + d_hs[t] * (t == T - 1)\n"),),
        "Right for losses on the last output only.",
        "Only the last output seems to send a gradient back. Each of them may be in the loss: on arriving at a step, "
        "add what the loss asks of its h to what comes from the step after.",
    ),
    Misconception(
        "fast-c-slope-of-tanh",
        FAST,
        ((C_SLOPE, "d_c = d_c + d_h * o  # c reaches"),),
        "The slope of the tanh between c and h is missing.",
        "The gradient seems to pass from h to c as if h were o ∘ c. There is a tanh between them, and it has a slope.",
    ),
    Misconception(
        "fast-gate-slope-of-tanh",
        FAST,
        (("d_c * candidate * i * (1 - i)", "d_c * candidate * (1 - i * i)"),),
        "The input gate is differentiated like a tanh.",
        "The input gate seems to be differentiated as a tanh. The slope of a sigmoid that gave s is s (1 − s); that of "
        "a tanh that gave s is 1 − s².",
    ),
    Misconception(
        "fast-recurrent-gradient-a-step-late",
        FAST,
        (
            (
                "before = torch.cat([start, hs[:-1].flatten(0, 1)])  # each block met the h of the step before",
                "before = hs.flatten(0, 1)",
            ),
        ),
        "Everything right but the gradient of W_h.",
        "The gradient of W_h seems to pair each step's blocks with the h that came out of that step. They were made "
        "from the h before it.",
    ),
    Misconception(
        "fast-recurrent-gradient-forgets-the-start",
        FAST,
        (("torch.cat([start, hs", "torch.cat([torch.zeros_like(start), hs"),),
        "Right without a state.",
        "The gradient of W_h seems to leave out the first step, as if it had begun with zeros. It met the h that was "
        "given.",
    ),
    Misconception(
        "fast-no-gradient-for-x",
        FAST,
        ((GRADIENTS, GRADIENTS.replace("return d_x,", "return None,")),),
        "The parameters learn; whatever lies below, an embedding say, does not.",
        "No gradient reaches x. The layer below, an embedding perhaps, could never learn.",
    ),
    Misconception(
        "fast-no-gradient-for-the-state",
        FAST,
        ((GRADIENTS, GRADIENTS.replace("d_h, d_c,", "None, None,")),),
        "Nothing flows into the state that was given.",
        "No gradient reaches the state that was given. An encoder whose state this is could never learn.",
    ),
    Misconception(
        "fast-no-gradient-for-the-bias",
        FAST,
        ((GRADIENTS, GRADIENTS.replace("d_blocks.sum(dim=0)", "None")),),
        "The bias keeps its first values.",
        "No gradient reaches the bias. It was added to the blocks of every row and step, so its gradient is their sum.",
    ),
    Misconception(
        "fast-projection-in-the-loop",
        FAST,
        (
            (BLOCKS, "inputs_by_step = inputs.view(T, B, -1)"),
            (STEP, "torch.addmm(torch.addmm(bias, inputs_by_step[t], W_x.T), h, W_h.T).chunk(4, dim=1)"),
        ),
        "The numbers are right; 2T products forward.",
        "The numbers are right, but the inputs seem to be projected step by step. All of x is known before the first "
        "step: one product can do it for all of them.",
    ),
    Misconception(
        "fast-joined-product",
        FAST,
        (
            (BLOCKS, "inputs_by_step, joined = inputs.view(T, B, -1), torch.cat([W_x, W_h], dim=1).T"),
            (STEP, "torch.addmm(bias, torch.cat([inputs_by_step[t], h], dim=1), joined).chunk(4, dim=1)"),
        ),
        "The numbers are right; T products of inner size I + H.",
        "The numbers are right, and input and state share one product at every step. That is few products, but each "
        "carries the inputs along: take them out of the loop, all steps at once.",
    ),
    Misconception(
        "fast-weight-gradient-at-every-step",
        FAST,
        (
            (
                "        d_W_h = d_blocks.T @ before\n",
                "        d_W_h = sum(d.T @ h for d, h in zip(d_blocks.split(B), before.split(B)))\n",
            ),
        ),
        "The gradients are right; T products for W_h alone.",
        "The gradients are right, but one of them, of a weight or of x, is made of one product for every step. Keep "
        "what each step contributes, and multiply once after the loop, all steps at once.",
    ),
    Misconception(
        "fast-backward-by-autograd",
        FAST,
        (KEEPER, (APPLY, BY_AUTOGRAD)),
        "Right, and hoisted; autograd makes two products for each forward one: 3T + 3 in all.",
        "The numbers are right and the forward pass is lean. The backward pass is autograd's: it makes two products in "
        "every step, one of them for the gradient of W_h. Collecting that into one takes an autograd.Function.",
    ),
    Misconception(
        "fast-nothing-hoisted",
        FAST,
        (
            KEEPER,
            (APPLY, BY_AUTOGRAD),
            (BLOCKS, "inputs_by_step = inputs.view(T, B, -1)"),
            (STEP, "torch.addmm(torch.addmm(bias, inputs_by_step[t], W_x.T), h, W_h.T).chunk(4, dim=1)"),
        ),
        "The cell, stepped: right, with 2T products forward and 4T backward.",
        "The numbers are right, as a stepped cell gives them, and half of the points with them. Now look at the "
        "products in the loop and ask which of them has to wait for the step before. The others can be one product.",
    ),
    Misconception(
        "fast-products-out-of-sight",
        FAST,
        ((STEP, "(blocks[t] + (h[:, None] * W_h).sum(dim=2)).chunk(4, dim=1)"),),
        "Products written as a broadcast and a sum: no fewer, only slower, and not to be counted.",
        "The numbers are right, but products are made where they can't be seen: as a broadcast and a sum, in NumPy or "
        "in a thread of their own. That is no fewer products, and mostly slower ones.",
    ),
)
