"""Known wrong measurements of the gradient flow, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

FLOW, SINGULAR = "hidden_gradient_norms", "largest_singular_value"

START = "    h = c = x.new_zeros(x.shape[0], cell.hidden_size)\n"
STEP = "            h, c = cell(x_t, h, c)\n"
KEEP = "            states.append(h)\n"
LOSS = "torch.autograd.grad(h.sum(), states)"
NORMS = "return torch.stack([gradient.norm() for gradient in gradients])"
VALUE = "return torch.linalg.matrix_norm(W.detach(), ord=2).item()"

MISCONCEPTIONS = (
    Misconception(
        "flow-loss-is-a-mean",
        FLOW,
        ((LOSS, LOSS.replace("h.sum()", "h.mean()")),),
        "Everything is too small by the factor B·H.",
        "Every norm is too small by the same factor. L is the sum of the last hidden state, over all rows and units, "
        "and not its mean.",
    ),
    Misconception(
        "flow-loss-of-every-step",
        FLOW,
        ((LOSS, LOSS.replace("h.sum()", "torch.stack(states).sum()")),),
        "Only the last norm is right; early ones no longer vanish.",
        "It looks as if L sums the hidden states of all steps. Then every state has a short way to L of its own, and "
        "nothing can vanish. Only the last state counts.",
    ),
    Misconception(
        "flow-loss-is-squared",
        FLOW,
        ((LOSS, LOSS.replace("h.sum()", "(h * h).sum()")),),
        "The last norm depends on the state.",
        "L seems to be a sum of squares. The last norm should be √(B·H) whatever the cell does: the plain sum has the "
        "slope 1 in every unit.",
    ),
    Misconception(
        "flow-reversed",
        FLOW,
        ((NORMS, NORMS.replace("in gradients", "in reversed(gradients)")),),
        "The right numbers, last step first.",
        "The numbers are right but begin with the last step. Backpropagation meets the steps in that order; the "
        "result should have them in the order in which x does.",
    ),
    Misconception(
        "flow-squared-norm",
        FLOW,
        ((NORMS, NORMS.replace("gradient.norm()", "gradient.pow(2).sum()")),),
        "The last entry is B·H.",
        "Every entry is the square of what it should be. A root is missing from the norm.",
    ),
    Misconception(
        "flow-sum-of-sizes",
        FLOW,
        ((NORMS, NORMS.replace("gradient.norm()", "gradient.abs().sum()")),),
        "The last entry is B·H; the others are too large by no fixed factor.",
        "It looks as if the sizes of the gradient's entries are added. The Frobenius norm adds their squares and takes "
        "the root of that.",
    ),
    Misconception(
        "flow-mean-over-rows",
        FLOW,
        ((NORMS, NORMS.replace("gradient.norm()", "gradient.norm(dim=1).mean()")),),
        "Right for B = 1.",
        "It looks as if each row's norm is taken and the rows averaged. There is one norm for the whole (B, H) "
        "gradient; with one row you would not see the difference.",
    ),
    Misconception(
        "flow-spectral-norm",
        FLOW,
        ((NORMS, NORMS.replace("gradient.norm()", "torch.linalg.matrix_norm(gradient, ord=2)")),),
        "Right for B = 1 and for the last step, whose gradient has rank 1.",
        "The gradient of each step seems to be measured by its largest singular value. That is for W; here it is the "
        "Frobenius norm, which counts every entry.",
    ),
    Misconception(
        "flow-relative-to-the-last",
        FLOW,
        ((NORMS, "norms = torch.stack([gradient.norm() for gradient in gradients])\n    return norms / norms[-1]"),),
        "The last entry is 1.",
        "The norms come divided by the last one. As ratios they make a fine picture, but the promise is the norms "
        "themselves: the last is √(B·H).",
    ),
    Misconception(
        "flow-of-the-cell-state",
        FLOW,
        ((KEEP, "            states.append(c)\n"),),
        "Only an LSTM shows it: its c is another tensor than its h.",
        "For an LSTM these look like the gradients of its cell states. They take a path of their own; what is asked "
        "for is dL/dh_t.",
    ),
    Misconception(
        "flow-of-the-inputs",
        FLOW,
        (
            (STEP, "            x_t = x_t.detach().requires_grad_()\n            h, c = cell(x_t, h, c)\n"),
            (KEEP, "            states.append(x_t)\n"),
        ),
        "The last entry depends on W_x.",
        "These look like the gradients of the inputs x_t. They have passed through W_x once more; what is asked for is "
        "the gradient of the hidden states.",
    ),
    Misconception(
        "flow-one-step-early",
        FLOW,
        (
            (START, START + "    h.requires_grad_()\n"),
            (STEP, "            states.append(h)\n" + STEP),
            (KEEP + "        grad", "        grad"),
        ),
        "The norms of h_0 to h_{T-1}: the last is not √(B·H).",
        "The norms seem to belong to the states that go into each step. The first of those is the zero state, and the "
        "last hidden state is missing. t counts from the state that comes out of the first step.",
    ),
    Misconception(
        "flow-detached-states",
        FLOW,
        ((STEP, "            h, c = cell(x_t, h.detach(), c.detach())\n"),),
        "Every step begins a graph of its own; autograd finds no way back.",
        "The last h seems not to be computed from the states that are asked about. Are they detached between the "
        "steps, as truncation does in training, or copies (a stack, a slice) of those that the cell was given? Here "
        "the whole way back is what is to be measured.",
    ),
    Misconception(
        "flow-grad-of-no-leaf",
        FLOW,
        (("gradients = " + LOSS, "h.sum().backward()\n        gradients = [None for state in states]"),),
        "None has no norm: autograd keeps gradients for leaves only.",
        "A state has None where its gradient should be. It is no leaf, and in the middle of a graph no gradient is "
        "kept unless it is asked for beforehand; a copy that L was not made from has none at all. The first hint of "
        "the handout knows two ways.",
    ),
    Misconception(
        "flow-drops-the-cell-state",
        FLOW,
        ((STEP, "            h, c = cell(x_t, h, torch.zeros_like(c))\n"),),
        "RNN and GRU are right; an LSTM forgets at each step.",
        "The LSTM seems to begin every step with a fresh c. What the cell returns beside h is its memory, and it wants "
        "it back at the next step.",
    ),
    Misconception(
        "flow-random-start",
        FLOW,
        ((START, "    h = c = torch.randn(x.shape[0], cell.hidden_size, dtype=x.dtype, device=x.device)\n"),),
        "Other numbers at every call.",
        "The walk seems to begin with random states. It should begin with zeros, so that the same x gives the same "
        "norms.",
    ),
    Misconception(
        "flow-time-first",
        FLOW,
        (("x.unbind(dim=1)", "x.unbind(dim=0)"),),
        "Takes rows for steps: an error unless B = T or B = 1.",
        "It looks as if the rows of the batch were taken for the time steps. x is (B, T, I): the steps lie along its "
        "second dimension.",
    ),
    Misconception(
        "flow-float32-states",
        FLOW,
        ((START, "    h = c = torch.zeros(x.shape[0], cell.hidden_size)\n"),),
        "An error for float64.",
        "The first states seem to be float32 whatever x is. Make them like x: `x.new_zeros(…)` follows its dtype and "
        "device.",
    ),
    Misconception(
        "flow-list-of-floats",
        FLOW,
        ((NORMS, "return [gradient.norm().item() for gradient in gradients]"),),
        "The numbers are right, the container is not.",
        "The norms come as a list. They should be one tensor of shape (T,), in x's dtype.",
    ),
    Misconception(
        "flow-result-in-float32",
        FLOW,
        ((NORMS, "return torch.tensor([gradient.norm().item() for gradient in gradients])"),),
        "The numbers are right, in float32 whatever x is.",
        "The norms seem to come in float32 whatever x is. A tensor made of plain numbers knows nothing of where they "
        "come from: stack tensors, or say which dtype it is to have.",
    ),
    Misconception(
        "flow-hook-left",
        FLOW,
        (
            (
                "    states = []\n",
                "    states = []\n    cell.register_forward_hook(lambda cell, given, came: states.append(came[0]))\n",
            ),
            (KEEP, ""),
        ),
        "The first call is right; the cell keeps a hook that goes on collecting.",
        "A hook stays on the cell after the call, and every later use of the cell feeds it. Keep the handle that "
        "registering returns and remove it, or do without a hook: the loop sees every h anyway.",
    ),
    Misconception(
        "flow-eval-left",
        FLOW,
        (("    states = []\n", "    states = []\n    cell.eval()\n"),),
        "The numbers are right; a training run goes on in evaluation mode.",
        "Afterwards the cell is not in the mode, training or evaluation, in which it came. Whoever was training it "
        "might go on without dropout: leave the mode alone or put it back.",
    ),
    Misconception(
        "flow-gradients-left-on",
        FLOW,
        (("with torch.enable_grad():", "if torch.set_grad_enabled(True):"),),
        "The numbers are right; gradients stay on for whoever had switched them off.",
        "Where gradients were off before the call they are on afterwards. Use a `with` block, which puts things back.",
    ),
    Misconception(
        "flow-states-left",
        FLOW,
        ((NORMS, "cell.states = states\n    " + NORMS),),
        "The numbers are right; the cell keeps the whole graph alive.",
        "Something new hangs on the cell as an attribute after the call. If it holds states, it holds their whole "
        "graph in memory too. A local variable will do.",
    ),
    Misconception(
        "singular-frobenius",
        SINGULAR,
        ((VALUE, VALUE.replace("ord=2", 'ord="fro"')),),
        "Right for matrices of rank 1. Also what norm() gives unasked.",
        "This is the Frobenius norm of W, all singular values taken together. Only the largest is asked for.",
    ),
    Misconception(
        "singular-eigenvalue",
        SINGULAR,
        ((VALUE, "return torch.linalg.eigvals(W.detach()).abs().max().item()"),),
        "Right for symmetric matrices, an error for those that are not square.",
        "This looks like the largest eigenvalue. A matrix can stretch a vector by more than that, and one that is not "
        "square has singular values but no eigenvalues.",
    ),
    Misconception(
        "singular-squared",
        SINGULAR,
        ((VALUE, "return torch.linalg.eigvalsh(W.detach().T @ W.detach()).max().item()"),),
        "Eigenvalues of WᵀW.",
        "The value is the square of the right one. The eigenvalues of WᵀW are the squares of the singular values.",
    ),
    Misconception(
        "singular-smallest",
        SINGULAR,
        ((VALUE, "return torch.linalg.svdvals(W.detach())[-1].item()"),),
        "Right where there is one singular value only.",
        "This is the smallest singular value. They come in falling order.",
    ),
    Misconception(
        "singular-largest-entry",
        SINGULAR,
        ((VALUE, "return W.detach().abs().max().item()"),),
        "Right for diagonal matrices.",
        "This is the largest entry of W. For a diagonal matrix that is the largest stretch too; for others a vector "
        "can gain from several entries at once.",
    ),
    Misconception(
        "singular-tensor",
        SINGULAR,
        ((VALUE, "return torch.linalg.matrix_norm(W, ord=2)"),),
        "The number is right, the type is not.",
        "The value comes as a tensor, perhaps with a graph behind it. A Python float is promised: `.item()` gives one.",
    ),
    Misconception(
        "singular-number-of-numpy",
        SINGULAR,
        ((VALUE, "return __import__('numpy').linalg.norm(W.detach().cpu().numpy(), 2)"),),
        "A float for a W in float64, and none for one in float32.",
        "The value seems to be a number of NumPy. Its float64 passes for a Python float, its float32 does not: "
        "`float(…)` makes one of either.",
    ),
    Misconception(
        "singular-needs-no-gradient",
        SINGULAR,
        ((VALUE, "return float(__import__('numpy').linalg.norm(W.numpy(), 2))"),),
        "An error for a parameter.",
        "The value of a plain tensor is right, but W may be a parameter of a cell, and those require gradients. Detach "
        "it before it leaves torch.",
    ),
)
