"""Known wrong cells, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

RNN, LSTM, GRU = "RNNCellFromScratch", "LSTMCellFromScratch", "GRUCellFromScratch"

RNN_STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"
RNN_BIAS = "self.bias = nn.Parameter(torch.zeros(hidden_size))"
RNN_END = "bias)\n        return h, h"
KEEPS_H = """if self.h is not None and self.h.shape == h_prev.shape:
            h_prev = self.h
        {step}"""

LSTM_SUM = "blocks = x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias"
LSTM_BIAS = "self.bias = nn.Parameter(bias)"
LSTM_BLOCKS = "i, f, candidate, o = blocks.chunk(4, dim=1)"
LSTM_SIGMOIDS = "        i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)\n"
LSTM_C = "c_t = f * c_prev + i * candidate"
LSTM_H = "h_t = o * torch.tanh(c_t)"
GRU_GATES = "gates = torch.sigmoid(x_t @ self.W_x_gates.T + h_prev @ self.W_h_gates.T + self.b_gates)"
GRU_BLOCKS = "z, r = gates.chunk(2, dim=1)"
GRU_BIAS = "self.b_cand = nn.Parameter(torch.zeros(hidden_size))"
GRU_CANDIDATE = "candidate = torch.tanh(x_t @ self.W_x_cand.T + (r * h_prev) @ self.W_h_cand.T + self.b_cand)"
GRU_H = "h = (1 - z) * h_prev + z * candidate"
GRU_END = "candidate\n        return h, h"
GRU_SWAPPED = "r, z = gates.chunk(2, dim=1)"
GRU_AFTER = GRU_CANDIDATE.replace("(r * h_prev) @ self.W_h_cand.T", "r * (h_prev @ self.W_h_cand.T)")
GRU_FLIPPED = "h = z * h_prev + (1 - z) * candidate"

MISCONCEPTIONS = (
    Misconception(
        "rnn-recurrent-transpose",
        RNN,
        ((RNN_STEP, RNN_STEP.replace("self.W_h.T", "self.W_h")),),
        "Right from a zero state, wrong after it: W_h is square, so no shape error tells.",
        "The hidden state seems to meet W_h the wrong way round. W_h is square, so both ways run. "
        "Compare with how x meets W_x: the handout writes a transpose on both.",
    ),
    Misconception(
        "rnn-no-bias",
        RNN,
        ((RNN_STEP, RNN_STEP.replace(" + self.bias", "")),),
        "Right while the bias is zero, which it is in a fresh cell.",
        "The bias seems to play no part in forward. A fresh cell's bias is zero, which hides it; "
        "these tests set it to something else.",
    ),
    Misconception(
        "rnn-ignores-state",
        RNN,
        ((RNN_STEP, RNN_STEP.replace(" + h_prev @ self.W_h.T", "")),),
        "The first step from a zero state is right, and there is no memory.",
        "The previous state seems to have no influence on the new one. Without it the cell has no memory.",
    ),
    Misconception(
        "rnn-no-tanh",
        RNN,
        ((RNN_STEP, "h = x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias"),),
        "States leave the interval from -1 to 1.",
        "The sum comes out as it is. Something should squash it to between −1 and 1 before it is returned.",
    ),
    Misconception(
        "rnn-tanh-each-term",
        RNN,
        ((RNN_STEP, "h = torch.tanh(x_t @ self.W_x.T + self.bias) + torch.tanh(h_prev @ self.W_h.T)"),),
        "States up to 2 in size.",
        "It looks as if tanh is taken of each term and the results added. Add first: one tanh of the whole sum.",
    ),
    Misconception(
        "rnn-sigmoid",
        RNN,
        ((RNN_STEP, RNN_STEP.replace("torch.tanh", "torch.sigmoid")),),
        "States are never negative.",
        "Every state is between 0 and 1, as a sigmoid would make it. The RNN cell's squashing function reaches "
        "from −1 to 1.",
    ),
    Misconception(
        "rnn-relu",
        RNN,
        ((RNN_STEP, RNN_STEP.replace("torch.tanh", "torch.relu")),),
        "States are never negative, and know no upper bound.",
        "No state is below 0 and some are above 1, as a ReLU would make them. The RNN cell's squashing function has "
        "bounds on both sides.",
    ),
    Misconception(
        "rnn-returns-c",
        RNN,
        ((RNN_END, RNN_END.replace("h, h", "h, c_prev")),),
        "An LSTM's habit: hands on what it should ignore.",
        "The second value that comes back seems to be the c_prev that came in. This cell has one state only, and "
        "returns it twice.",
    ),
    Misconception(
        "rnn-keeps-h",
        RNN,
        (
            (RNN_BIAS, f"{RNN_BIAS}\n        self.h = None"),
            (RNN_STEP, KEEPS_H.format(step=RNN_STEP)),
            (RNN_END, "bias)\n        self.h = h\n        return h, h"),
        ),
        "Right while one text is read; a second call from another state goes on from the first.",
        "The cell seems to remember the state of its last call and to go on from that, whatever it is handed. "
        "Who calls it decides which state a step starts from: nothing needs to be kept inside.",
    ),
    Misconception(
        "lstm-gate-order",
        LSTM,
        ((LSTM_BLOCKS, "i, f, o, candidate = blocks.chunk(4, dim=1)"),),
        "The order i, f, o, g of some courses; trains from its own weights, fails with given ones.",
        "The third and fourth block seem to have changed places. Courses differ here; ours, like nn.LSTM, "
        "has the output block last.",
    ),
    Misconception(
        "lstm-input-forget-swapped",
        LSTM,
        ((LSTM_BLOCKS, "f, i, candidate, o = blocks.chunk(4, dim=1)"),),
        "Remembers when it should write. Also the order forget, input of the weights.",
        "The first two blocks seem to have changed places: the cell remembers where it should write and writes "
        "where it should remember. The handout's table gives the order.",
    ),
    Misconception(
        "lstm-candidate-second",
        LSTM,
        ((LSTM_BLOCKS, "i, candidate, f, o = blocks.chunk(4, dim=1)"),),
        "The order i, g, f, o of TensorFlow's first LSTM cells.",
        "The second and third block seem to have changed places. Courses and libraries differ here; in ours, as in "
        "nn.LSTM, the forget block comes second.",
    ),
    Misconception(
        "lstm-order-of-the-equations",
        LSTM,
        ((LSTM_BLOCKS, "f, i, o, candidate = blocks.chunk(4, dim=1)"),),
        "The order f, i, o, g in which many texts list the equations.",
        "The blocks seem to be in the order forget, input, output, candidate, in which many texts list the equations. "
        "The handout's table has another.",
    ),
    Misconception(
        "lstm-blocks-reshaped",
        LSTM,
        ((LSTM_BLOCKS, "i, f, candidate, o = blocks.reshape(4, -1, self.hidden_size)"),),
        "Right for a batch of one row.",
        "With one row all is right, with more the blocks are mixed across the rows. The four blocks stand side by side "
        "in each row, and a reshape does not cut there.",
    ),
    Misconception(
        "lstm-no-sigmoid",
        LSTM,
        ((LSTM_SIGMOIDS, ""),),
        "Gates of any size and sign.",
        "The gates seem to be used as they come out of the sum. A gate says how much to let through, between nothing "
        "and all.",
    ),
    Misconception(
        "lstm-candidate-sigmoid",
        LSTM,
        (("candidate = torch.tanh(candidate)", "candidate = torch.sigmoid(candidate)"),),
        "c only grows.",
        "The candidate seems to pass through a sigmoid like the gates. It is no gate but new content, and "
        "content may be negative.",
    ),
    Misconception(
        "lstm-no-tanh-on-output",
        LSTM,
        ((LSTM_H, "h_t = o * c_t"),),
        "Small error at first; |h| > 1 once c is large.",
        "The cell state reaches h unsquashed. It may grow without bound; h may not.",
    ),
    Misconception(
        "lstm-output-from-old-c",
        LSTM,
        ((LSTM_H, "h_t = o * torch.tanh(c_prev)"),),
        "h lags one step behind.",
        "h seems to be made from the cell state that came in rather than from the one that goes out, so it "
        "is one step late.",
    ),
    Misconception(
        "lstm-forgets-c",
        LSTM,
        ((LSTM_C, "c_t = i * candidate"),),
        "The first step from zero is right; no memory.",
        "The old cell state seems to be lost: what the forget gate lets through has to be added to the new content.",
    ),
    Misconception(
        "lstm-coupled-gates",
        LSTM,
        ((LSTM_C, "c_t = f * c_prev + (1 - f) * candidate"),),
        "Trains plausibly; the input gate is unused.",
        "New content seems to be weighted by 1 − f, as in a coupled cell. Here the input gate decides on its own.",
    ),
    Misconception(
        "lstm-no-bias",
        LSTM,
        ((LSTM_SUM, LSTM_SUM.replace(" + self.bias", "")),),
        "The forget bias has no effect.",
        "The bias seems to play no part in forward: not even its forget block, which starts at 1, reaches a gate.",
    ),
    Misconception(
        "lstm-recurrent-transpose-missing",
        LSTM,
        ((LSTM_SUM, LSTM_SUM.replace("self.W_h.T", "self.W_h.reshape(self.hidden_size, -1)")),),
        "A reshape in place of a transpose: the right shape, scrambled contents.",
        "The shape is right but the numbers of W_h are in the wrong places. Reshape does not transpose: it deals the "
        "same numbers out in another order.",
    ),
    Misconception(
        "lstm-ignores-h",
        LSTM,
        ((LSTM_SUM, LSTM_SUM.replace(" + h_prev @ self.W_h.T", "")),),
        "The first step from a zero state is right; the gates never see what came before.",
        "The previous hidden state seems to have no influence. The gates and the candidate look at it as well as at "
        "the input.",
    ),
    Misconception(
        "lstm-candidate-no-tanh",
        LSTM,
        (("        candidate = torch.tanh(candidate)\n", ""),),
        "What is written into c is not between -1 and 1.",
        "The candidate seems to be written into the cell state as it comes out of the sum. Like a new state of the "
        "RNN cell it should be squashed first.",
    ),
    Misconception(
        "lstm-forget-flipped",
        LSTM,
        ((LSTM_C, "c_t = (1 - f) * c_prev + i * candidate"),),
        "f = 1 forgets, as the gate's name suggests.",
        "The forget gate seems to work the other way round. In spite of its name it says how much of the old cell "
        "state stays.",
    ),
    Misconception(
        "lstm-keeps-c",
        LSTM,
        (
            (LSTM_BIAS, f"{LSTM_BIAS}\n        self.c = None"),
            (
                LSTM_C,
                "if self.c is None or self.c.shape != c_prev.shape:\n            self.c = c_prev\n"
                "        c_t = self.c = f * self.c + i * candidate",
            ),
        ),
        "Right while one text is read; a second call from another state goes on from the first.",
        "The cell seems to remember the cell state of its last call and to go on from that, whatever it is handed. "
        "Who calls it decides which state a step starts from: nothing needs to be kept inside.",
    ),
    Misconception(
        "lstm-keeps-both-states",
        LSTM,
        (
            (LSTM_BIAS, f"{LSTM_BIAS}\n        self.states = None"),
            (
                LSTM_SUM,
                "if self.states is not None and self.states[0].shape == h_prev.shape:\n"
                f"            h_prev, c_prev = self.states\n        {LSTM_SUM}",
            ),
            ("return h_t, c_t", "self.states = h_t, c_t\n        return h_t, c_t"),
        ),
        "The same with both states.",
        "The cell seems to remember the states of its last call and to go on from those, whatever it is handed. "
        "Who calls it decides which states a step starts from: nothing needs to be kept inside.",
    ),
    Misconception(
        "lstm-returns-c-first",
        LSTM,
        (("return h_t, c_t", "return c_t, h_t"),),
        "Everything of the right shape, swapped.",
        "The two states seem to come back in the other order. The hidden state goes first.",
    ),
    Misconception(
        "lstm-returns-h-twice",
        LSTM,
        (("return h_t, c_t", "return h_t, h_t"),),
        "As the RNN cell does; the cell state is lost at every step.",
        "The second state that comes back seems to be the hidden state again. An LSTM has two, and the next step needs "
        "both.",
    ),
    Misconception(
        "lstm-forget-bias-zero",
        LSTM,
        (
            (
                "        bias[hidden_size : 2 * hidden_size] = 1.0  # start by remembering (Jozefowicz et al., 2015)\n",
                "",
            ),
        ),
        "A fresh cell forgets half of its memory at each step.",
        "The fresh bias is zero everywhere. One of its four blocks should start at 1, so that the cell begins by "
        "remembering.",
    ),
    Misconception(
        "lstm-forget-bias-first-block",
        LSTM,
        (("bias[hidden_size : 2 * hidden_size] = 1.0", "bias[:hidden_size] = 1.0"),),
        "The ones sit in the input block.",
        "There is a block of ones in the fresh bias, but not where the forget gate reads. Count the blocks from 0.",
    ),
    Misconception(
        "lstm-bias-all-ones",
        LSTM,
        (("bias = torch.zeros(4 * hidden_size)", "bias = torch.ones(4 * hidden_size)"),),
        "All gates begin open.",
        "The fresh bias is 1 everywhere. Only one of its four blocks should be: that of the gate that remembers.",
    ),
    Misconception(
        "gru-update-flipped",
        GRU,
        ((GRU_H, GRU_FLIPPED),),
        "nn.GRU's convention: z keeps the old state.",
        "The update gate seems to work the other way round, as nn.GRU has it. In this course z = 1 takes the "
        "candidate and z = 0 keeps the old state.",
    ),
    Misconception(
        "gru-gate-order",
        GRU,
        ((GRU_BLOCKS, GRU_SWAPPED),),
        "Invisible with equal weights.",
        "The two gates seem to have changed places. The update gate's rows come first.",
    ),
    Misconception(
        "gru-reset-after-product",
        GRU,
        ((GRU_CANDIDATE, GRU_AFTER),),
        "nn.GRU's convention: the gate after the product.",
        "The reset gate seems to act on the product with W_h_cand, as in nn.GRU. Here it acts on the state before "
        "the product.",
    ),
    Misconception(
        "gru-as-in-nn-gru",
        GRU,
        ((GRU_BLOCKS, GRU_SWAPPED), (GRU_CANDIDATE, GRU_AFTER), (GRU_H, GRU_FLIPPED)),
        "nn.GRU's convention throughout.",
        "This looks like nn.GRU, which differs from this course's cell in three places: the order of the gates, "
        "where the reset gate acts, and what z = 1 means. Go by the handout's equations.",
    ),
    Misconception(
        "gru-formulas-of-nn-gru",
        GRU,
        ((GRU_CANDIDATE, GRU_AFTER), (GRU_H, GRU_FLIPPED)),
        "nn.GRU's formulas, with the course's order of blocks.",
        "These look like the formulas of nn.GRU. Two of them are others here: where the reset gate acts, and what "
        "z = 1 means. Go by the handout's equations.",
    ),
    Misconception(
        "gru-flipped-and-gate-order",
        GRU,
        ((GRU_BLOCKS, GRU_SWAPPED), (GRU_H, GRU_FLIPPED)),
        "Two of nn.GRU's three differences.",
        "Two things seem to be as in nn.GRU: the reset gate comes first, and z = 1 keeps the old state. Here both "
        "are the other way round.",
    ),
    Misconception(
        "gru-no-sigmoid",
        GRU,
        ((GRU_GATES, GRU_GATES.replace("torch.sigmoid(", "(")),),
        "Gates of any size and sign.",
        "The gates seem to be used as they come out of the sum. A gate says how much to let through, between nothing "
        "and all.",
    ),
    Misconception(
        "gru-no-reset",
        GRU,
        ((GRU_CANDIDATE, GRU_CANDIDATE.replace("(r * h_prev)", "h_prev")),),
        "Right where r is near 1.",
        "The reset gate seems to have no effect on the candidate. Where r is near 0, the candidate should look at the "
        "input alone.",
    ),
    Misconception(
        "gru-candidate-gated-by-update",
        GRU,
        ((GRU_CANDIDATE, GRU_CANDIDATE.replace("(r * h_prev)", "(z * h_prev)")),),
        "Invisible while z and r are alike.",
        "The candidate seems to see the old state through the update gate. That is the other gate's task.",
    ),
    Misconception(
        "gru-no-interpolation",
        GRU,
        ((GRU_H, "h = candidate"),),
        "No long memory.",
        "The new state seems to be the candidate alone. Some of the old state should stay, as much as z says.",
    ),
    Misconception(
        "gru-candidate-sigmoid",
        GRU,
        ((GRU_CANDIDATE, GRU_CANDIDATE.replace("torch.tanh", "torch.sigmoid")),),
        "h drifts to positive values.",
        "The candidate seems to pass through a sigmoid like the gates. It is no gate but new content, and "
        "content may be negative.",
    ),
    Misconception(
        "gru-candidate-no-tanh",
        GRU,
        ((GRU_CANDIDATE, GRU_CANDIDATE.replace("torch.tanh(", "(")),),
        "States leave the interval from -1 to 1.",
        "The candidate seems to be used as it comes out of the sum. Like a new state of the RNN cell it should be "
        "squashed first.",
    ),
    Misconception(
        "gru-no-bias",
        GRU,
        (
            (GRU_GATES, GRU_GATES.replace(" + self.b_gates", "")),
            (GRU_CANDIDATE, GRU_CANDIDATE.replace(" + self.b_cand", "")),
        ),
        "Right while the biases are zero, which they are in a fresh cell.",
        "The biases seem to play no part in forward. A fresh cell's are zero, which hides it; these tests set them "
        "to something else.",
    ),
    Misconception(
        "gru-no-gate-bias",
        GRU,
        ((GRU_GATES, GRU_GATES.replace(" + self.b_gates", "")),),
        "Right while the bias is zero, which it is in a fresh cell.",
        "The gates seem to do without their bias. A fresh cell's is zero, which hides it; these tests set it to "
        "something else.",
    ),
    Misconception(
        "gru-no-candidate-bias",
        GRU,
        ((GRU_CANDIDATE, GRU_CANDIDATE.replace(" + self.b_cand", "")),),
        "Right while the bias is zero, which it is in a fresh cell.",
        "The candidate seems to do without its bias. A fresh cell's is zero, which hides it; these tests set it to "
        "something else.",
    ),
    Misconception(
        "gru-candidate-ignores-h",
        GRU,
        ((GRU_CANDIDATE, GRU_CANDIDATE.replace(" + (r * h_prev) @ self.W_h_cand.T", "")),),
        "Right where r is near 0.",
        "The candidate seems to look at the input alone. Where r is near 1, it should see the old state as well.",
    ),
    Misconception(
        "gru-returns-c",
        GRU,
        ((GRU_END, GRU_END.replace("h, h", "h, c_prev")),),
        "An LSTM's habit: hands on what it should ignore.",
        "The second value that comes back seems to be the c_prev that came in. This cell has one state only, and "
        "returns it twice.",
    ),
    Misconception(
        "gru-keeps-h",
        GRU,
        (
            (GRU_BIAS, f"{GRU_BIAS}\n        self.h = None"),
            (GRU_GATES, KEEPS_H.format(step=GRU_GATES)),
            (GRU_END, "candidate\n        self.h = h\n        return h, h"),
        ),
        "Right while one text is read; a second call from another state goes on from the first.",
        "The cell seems to remember the state of its last call and to go on from that, whatever it is handed. "
        "Who calls it decides which state a step starts from: nothing needs to be kept inside.",
    ),
    Misconception(
        "cell-in-place-state",
        LSTM,
        ((LSTM_C, "c_t = c_prev.mul_(f).add_(i * candidate)"),),
        "The caller's c changes; the backward pass may fail.",
        "The cell state that came in is changed in place. Whoever called the cell still needs it, and so does "
        "the backward pass.",
    ),
    Misconception(
        "lstm-detached-state",
        LSTM,
        ((LSTM_C, "c_t = f * c_prev.detach() + i * candidate"),),
        "Forward is exact; no gradient flows back through c.",
        "The numbers are right, but no gradient flows back through the cell state. Something cuts it off from "
        "the graph inside the cell.",
    ),
)
