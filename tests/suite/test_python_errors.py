"""Errors that students meet are explained: each is provoked here, with the torch that is installed, never pasted."""

from __future__ import annotations

import copy
import math
import random

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grader.course import SOLUTIONS
from grader.diagnosis import explain
from grader.diagnosis.python_errors import EXPLANATIONS
from grader.sandbox.inside.session import describe
from tests.support import rows_of

GIVEN = {"__name__": "student", "torch": torch, "nn": nn, "F": F, "math": math, "copy": copy, "random": random}
GIVEN |= {"B": 2, "T": 3, "I": 5, "H": 4, "V": 7}


def function(call: str, returns: str = "return d @ w, d.T @ x", *, takes: str = "ctx, d", saves: str = "x, w") -> str:
    """A product with a backward pass of one's own, and what is done with it."""
    lines = (
        "class Product(torch.autograd.Function):",
        "  @staticmethod",
        f"  def forward(ctx, x, w): ctx.save_for_backward({saves}); return x @ w.T",
        "  @staticmethod",
        f"  def backward({takes}): x, w = {takes.split(',')[0]}.saved_tensors; {returns}",
        "x, w = torch.ones(B, I, requires_grad=True), torch.ones(H, I, requires_grad=True)",
        call,
    )
    return "\n".join(lines)


# What a student writes, and words of what should be said about it.
PROVOKED = [
    ("torch.ones(B, I) @ torch.ones(H, I)", "transpose missing"),
    ("F.linear(torch.ones(B, I), torch.ones(I, H))", "transpose missing"),
    ("torch.ones(H, I) @ torch.ones(H)", "transpose missing"),
    ("torch.ones(I) @ torch.ones(H)", "transpose missing"),
    ("nn.Linear(I, V)(torch.ones(B, H))", "a layer made for another size"),
    ("torch.mm(torch.ones(B, T, I), torch.ones(I, H))", "multiplies two matrices"),
    ("torch.linalg.eigvals(torch.ones(H, I))", "Only a square matrix"),
    ("torch.linalg.inv(torch.ones(H, I))", "Only a square matrix"),
    ("torch.bmm(torch.ones(B, T, I), torch.ones(B, H, I))", "transpose missing"),
    ("torch.einsum('bi,hi->bh', torch.ones(B, I), torch.ones(I, H))", "letters of an einsum"),
    ("torch.einsum('bi,hi->bh', torch.ones(B, T, I), torch.ones(H, I))", "letters of an einsum"),
    ("torch.ones(B, H) * torch.ones(B, I)", "combined elementwise"),
    ("h = torch.ones(B, H); h += torch.ones(T, B, H)", "combined elementwise"),
    ("torch.stack([torch.ones(B, H), torch.ones(1, H)])", "can't be stacked"),
    ("torch.stack([])", "An empty list was stacked"),
    ("torch.cat([])", "An empty list was concatenated"),
    ("torch.cat([torch.ones(B, I), torch.ones(T, H)], 1)", "concatenated along one dimension"),
    ("torch.cat([torch.ones(B, I), torch.ones(I)], 1)", "concatenated along one dimension"),
    ("out = torch.zeros(B, T); out[:, 0] = torch.ones(H)", "does not fit the place"),
    ("torch.arange(13).reshape(B, T, -1)", "too few numbers for that shape"),
    ("torch.arange(13).view(B, -1)", "too few numbers for that shape"),
    ("torch.arange(7).split([3, 3])", "too few numbers for that shape"),
    ("torch.ones(B, T).T.view(-1)", "needs contiguous memory"),
    ("torch.ones(1, H).squeeze().mT", "can't be transposed"),
    ("torch.ones(H).sum(dim=1)", "fewer dimensions"),
    ("torch.ones(H)[0, 1]", "fewer dimensions"),
    ("F.cross_entropy(torch.ones(B, T, V), torch.zeros(B, T).long())", "wants (N, V) logits"),
    ("F.cross_entropy(torch.ones(B * T, V), torch.zeros(B).long())", "not as many targets"),
    ("torch.ones(B, T).item()", "one number is needed"),
    ("if torch.ones(B) > 0: pass", "A condition was given a whole tensor"),
    ("sorted([(1.0, torch.ones(H)), (1.0, torch.ones(H))])", "equal scores are told apart by the tensors"),
    ("nn.LSTM(I, H)(torch.ones(B, T, I, 1))", "with `batch_first=True`. Print the input's shape"),
    ("nn.RNN(I, H)(torch.ones(I))", "with `batch_first=True`. Print the input's shape"),
    ("nn.LSTM(I, H)(torch.ones(T, B, H))", "not the size it was made for"),
    ("nn.LSTMCell(I, H)(torch.ones(B, H))", "not the size it was made for"),
    ("nn.LSTM(I, H)(torch.ones(B, T, I), (torch.ones(1, B, H), torch.ones(1, B, H)))", "states do not fit the input"),
    ("nn.LSTM(I, H)(torch.ones(T, B, I), (torch.ones(B, H), torch.ones(B, H)))", "states do not fit the input"),
    ("nn.GRU(I, H)(torch.ones(B, T, I), torch.ones(1, B, H))", "states do not fit the input"),
    ("nn.GRU(I, H)(torch.ones(B, I), torch.ones(1, B, H))", "states do not fit the input"),
    ("nn.LSTMCell(I, H)(torch.ones(B, T, I))", "a dimension too many"),
    ("nn.LSTMCell(I, H)(torch.ones(B, I), (torch.ones(1, B, H), torch.ones(1, B, H)))", "a dimension too many"),
    ("nn.GRUCell(I, H)(torch.ones(B, I), torch.ones(1, B, H))", "a dimension too many"),
    ("nn.LSTMCell(I, H)(torch.ones(B, I), (torch.ones(B, I), torch.ones(B, I)))", "of a library cell are (B, H)"),
    ("nn.GRUCell(I, H)(torch.ones(B, I), torch.ones(1, H))", "of a library cell are (B, H)"),
    ("nn.LSTMCell(I, H)(torch.ones(B, I), torch.ones(B, H))", "as one pair (h, c)"),
    ("nn.LSTMCell(I, H)(torch.ones(B, I), torch.ones(B, H), torch.ones(B, H))", "one thing more, the states"),
    ("nn.LSTM(I, H)(torch.ones(T, B, I), torch.ones(1, B, H), torch.ones(1, B, H))", "one thing more, the states"),
    ("nn.LSTM(I, H)(torch.zeros(B, T).long())", "indices that were not embedded"),
    ("nn.LSTM(I, H)(torch.ones(T, B, I).double())", "did float64 meet float32"),
    ("nn.LSTMCell(I, H)(torch.zeros(B, I).long())", "Whole numbers and floats met"),
    ("torch.zeros(B, I).long() @ torch.ones(I, H)", "Whole numbers and floats met"),
    ("torch.ones(B, I) @ torch.ones(I, H).double()", "float32 and float64 met"),
    ("nn.Linear(I, H)(torch.ones(B, I).double())", "float32 and float64 met"),
    ("torch.bmm(torch.ones(B, T, I).double(), torch.ones(B, I, H))", "float32 and float64 met"),
    ("nn.Embedding(V, I)(torch.tensor([1.0]))", "have to be whole numbers"),
    ("F.cross_entropy(torch.ones(B, V), torch.zeros(B).int())", "have to be whole numbers"),
    ("torch.ones(B, V).gather(1, torch.zeros(B, 1))", "have to be whole numbers"),
    ("torch.ones(V)[torch.tensor([1.0])]", "have to be whole numbers. Make"),
    ("torch.softmax(torch.tensor([1, 2]), 0)", "are for floats"),
    ("torch.tensor([1, 2]).div_(2)", "result with a fraction"),
    ("torch.tensor([1, 2], requires_grad=True)", "Only floats can have gradients"),
    ("torch.ones(B, H, device='meta') + torch.ones(B, H)", "on another device"),
    ("torch.ones(B, H, device='xpu')", "asks for a GPU, and there is none"),
    ("w = torch.ones(H, requires_grad=True); L = (w * w).sum(); L.backward(); L.backward()", "one graph twice"),
    ("bias = nn.Parameter(torch.zeros(H)); bias += 1", "a parameter or an input, was changed"),
    ("x = torch.ones(B, I, requires_grad=True); x.add_(1)", "a parameter or an input, was changed"),
    ("bias = nn.Parameter(torch.zeros(H)); bias[1] = 1", "a parameter or an input, was changed"),
    ("w = torch.ones(H, requires_grad=True); h = w.tanh(); h += 1; h.sum().backward()", "still needs was changed"),
    ("w = torch.ones(T, H, requires_grad=True); i, f, g = (w * 2).unbind(0); i += 1", "A piece of a tensor was"),
    ("w = torch.ones(T, H, requires_grad=True); i, f, g = (w * 2).split(1); i.sigmoid_()", "A piece of a tensor was"),
    ("bias = nn.Parameter(torch.zeros(4 * H)); bias.chunk(4)[1].fill_(1)", "A piece of a tensor was"),
    ("w = torch.ones(T, H, requires_grad=True)\nfor step in w * 2: step += 1", "A piece of a tensor was"),
    ("F.cross_entropy(torch.ones(B, V), torch.zeros(B).long()).backward()", "no graph behind it"),
    ("(torch.ones(B, V, requires_grad=True) * 2).backward()", "starts from one number"),
    ("h = torch.ones(B, H, requires_grad=True); torch.autograd.grad(h * 2, h)", "starts from one number"),
    ("h = torch.ones(H, requires_grad=True); torch.autograd.grad(h.sum(), [])", "gradients of no tensors at all"),
    ("h = torch.ones(T, H, requires_grad=True); torch.autograd.grad(h[0].sum(), h[1])", "was not computed from"),
    ("h = torch.ones(H); w = nn.Parameter(h); torch.autograd.grad((w * h).sum(), h)", "has no part in any graph"),
    ("torch.ones(H, requires_grad=True).numpy()", "part of a graph. Detach"),
    ("copy.deepcopy(torch.ones(H, requires_grad=True) * 2)", "can't be deep-copied"),
    ("with torch.inference_mode(): x = torch.ones(1)\n(x * nn.Parameter(x)).sum()", "inference mode came back"),
    ("torch.optim.Adam([])", "nothing to train"),
    (function("Product()(x, w)"), "its class has `.apply` for that"),
    (function("Product.apply(x, w).sum().backward()", "return d @ w"), "one gradient for each argument"),
    (function("Product.apply(x, w).sum().backward()", "pass"), "one gradient for each argument"),
    (function("Product.apply(x, w).sum().backward()", "return d @ w, d @ w"), "A gradient has the shape of what"),
    (function("Product.apply(x, w).sum().backward()", "return d @ w, (d.T @ x, None)"), "Something else is among them"),
    (function("Product.apply(x, w)", saves="[x, w]"), "put a `*` before a list"),
    (function("Product.apply(x, w).sum().backward()", "return d @ ctx.weight, d.T @ x"), "`ctx` has nothing"),
    (function("Product.apply(x, w).sum().backward()", takes="ctx, d, d_c"), "Autograd calls a Function's `backward`"),
    (function("Product.apply(x, w).sum().backward()", takes="d"), "Autograd calls a Function's `backward`"),
    (function("Product.apply(x, w).sum().backward()").replace("backward(ctx", "backwards(ctx"), "has no `backward`"),
    (function("Product.forward(x, w)"), "is called by `.apply`"),
    (function("Product.apply(x, w)").replace("forward(ctx, ", "forward("), "in a Function `ctx`"),
    (function("Product(x, w).tolist()"), "a Function called without `.apply`"),
    ("torch.multinomial(torch.tensor([-1.0, 2.0]), 1)", "not a distribution"),
    ("torch.multinomial(torch.softmax(torch.tensor([1.0, 2.0]) * float('inf'), 0), 1)", "not a distribution"),
    ("torch.multinomial(torch.zeros(V), 1)", "All probabilities are 0"),
    ("torch.distributions.Categorical(logits=torch.tensor([0.0, 1.0]) / 0)", "not numbers any more"),
    ("math.exp(1000)", "too large for a float"),
    ("torch.ones(3).topk(5)", "More candidates were asked for"),
    ("nn.Embedding(V, I)(torch.tensor([V]))", "not below the size of the embedding"),
    ("F.cross_entropy(torch.ones(B, V), torch.tensor([0, V]))", "behind the end of a tensor"),
    ("torch.ones(B, T)[:, T]", "behind the end of a tensor"),
    ("states = [(1, 2)]; states[1]", "shorter than that line expects"),
    ("beams = []; beams[0]", "or empty"),
    ("beams = []; beams.pop()", "out of an empty list or heap"),
    ("import collections; collections.deque().popleft()", "out of an empty list or heap"),
    ("import heapq; heapq.heappop([])", "out of an empty list or heap"),
    ("'abc'[3]", "shorter than that line expects"),
    ("['a', 'b'][torch.tensor([1, 0])]", "where one index is needed"),
    ("out = nn.LSTM(I, H)(torch.ones(T, B, I)); out[0, -1]", "A tuple stands where a tensor"),
    ("rows = [[1, 2]]; rows[0, 1]", "no whole number"),
    ("text = 'abc'; text['a']", "no whole number"),
    ("{1: 'a'}[torch.tensor(1)]", "still inside a tensor"),
    ("{'a': 1}['z']", "A key is missing"),
    ("{0: 'a'}[1]", "A number is missing"),
    ("{[1, 2]: 'a'}", "A list can't be the key"),
    ("h, c = (1, 2, 3)", "more or fewer values"),
    ("i, f, g, o = torch.ones(B, 3).chunk(4, dim=1)", "more or fewer values"),
    ("h, c = (lambda: None)()", "gave back None where a pair"),
    ("h, c = 3", "given a single one"),
    ("states = None\nfor h, c in states: pass", "`return`, an argument that was left out, or states"),
    ("on_epoch = None; on_epoch(0, 1.5)", "None was called like a function"),
    ("k = None; k < 1", "`return`, an argument that was left out, or states"),
    ("F.linear(None, torch.ones(H, I))", "`return`, an argument that was left out, or states"),
    ("torch.stack([None, None])", "`return`, an argument that was left out, or states"),
    ("None + torch.ones(B)", "`return`, an argument that was left out, or states"),
    ("torch.ones(B) * None", "`return`, an argument that was left out, or states"),
    ("torch.ones(H, requires_grad=True).grad.norm()", "a gradient that never arrived"),
    ("(lambda x_t, h_prev, c_prev: 1)(1, 2)", "fewer arguments"),
    ("(lambda x_t, h_prev: 1)(1, 2, 3)", "more arguments"),
    ("(lambda x_t: 1)(x_t=1, states=None)", "by that name"),
    ("class A(nn.Module):\n  def __init__(self): self.W_x = nn.Parameter(torch.ones(H))\nA()", "has to come first"),
    ("class Model(nn.Module):\n  def __init__(self): self.fc = nn.Linear(1, 1)\nModel()", "has to come first"),
    ("nn.Linear(I, H).W_x", "missing or has another name"),
    ("data = [3, 1, 2]; data.to('cpu')", "A list is used like a tensor"),
    ("rows = [torch.ones(B)]; rows.shape", "A list is used like a tensor"),
    ("rows = [torch.ones(B)]; rows.unsqueeze(0)", "A list is used like a tensor"),
    ("states = [(torch.ones(B), torch.ones(B))]; states.detach()", "A list is used like a tensor"),
    ("(torch.ones(B), torch.ones(B)).shape", "A tuple stands where a tensor"),
    ("nn.GRU(I, H)(torch.ones(T, B, I), (torch.ones(1, B, H), torch.ones(1, B, H)))", "A tuple stands where a tensor"),
    ("loss = 0; loss.item()", "A plain number is used like a tensor"),
    ("loss = torch.ones(1).item(); loss.backward()", "A plain number is used like a tensor"),
    ("model = nn.Linear(I, H); model.init_hidden(B)", "no method that makes the first states"),
    ("class Model: pass\nModel().init_states(B)", "no method that makes the first states"),
    ("text = 'abc'; text.unsqueeze(0)", "Something that is no tensor is used like one"),
    ("cell = nn.Linear(I, H); cell.shape", "Something that is no tensor is used like one"),
    ("beams = []; beams.apend(1)", "list or a tuple has nothing of that name"),
    ("(1, 2).append(3)", "list or a tuple has nothing of that name"),
    ("torch.ones(B).append(1)", "has nothing of that name"),
    ("fc = nn.Linear(I, H); fc.weight = torch.ones(H, I)", "replaced by a plain tensor"),
    ("nn.ModuleList([nn.Linear])", "holds modules only"),
    ("nn.Linear(H, V)(nn.LSTM(I, H)(torch.ones(T, B, I)))", "A tuple stands where a tensor"),
    ("torch.tanh(1.0)", "something that is no tensor"),
    ("logits = torch.ones(B); logits(1)", "called that is no function"),
    ("x = torch.ones(B); x.shape()", "do brackets stand behind a plain value"),
    ("sorted([(0.5, {'h': 1}), (0.5, {'h': 2})])", "compared that have no order"),
    ("import heapq; heapq.heapify([(0.5, {'h': 1}), (0.5, {'h': 2})])", "compared that have no order"),
    ("class Beam: pass\nmax((0.5, Beam()), (0.5, Beam()))", "compared that have no order"),
    ("len(x for x in [])", "A generator can be walked"),
    ("''.join([1, 2])", "joined from characters only"),
    ("'a' + 1", "joined from characters only"),
    ("state = (1, 2); state[0] = 3", "A tuple can't be changed"),
    ("range(13 / 2)", "count is a float"),
    ("torch.zeros(4 / 2)", "count is a float"),
    ("torch.tensor([torch.ones(2), torch.ones(2)])", "not of tensors"),
    ("torch.tensor([[1, 2], [3]])", "not of tensors"),
    ("max([])", "smallest of nothing"),
    ("sum([]) / len([])", "divided by zero"),
    ("len([1]) // 0", "divided by zero"),
    ("def search(n): return search(n + 1)\nsearch(0)", "calls itself"),
    ("def f():\n  for h in []: last = h\n  return last\nf()", "before anything was assigned"),
    ("hidden_size", "never defined"),
    ("import tqdm_that_is_not_there", "A module is imported that is not there"),
    ("from torch import LSTMCellFromScratch", "does not define the name"),
    ("compile('def f():\\nreturn 1', 'cells.py', 'exec')", "indentation of this line"),
    ("compile('h = (1, 2', 'cells.py', 'exec')", "can't read this line"),
]  # fmt: skip


def provoke(code: str) -> dict[str, object]:
    """What a session would tell about the exception that this code raises."""
    try:
        exec(compile(code, "<student>", "exec"), dict(GIVEN))
    except Exception as problem:
        return describe(problem, "<")
    pytest.fail(f"this raises nothing: {code}")


@pytest.mark.parametrize(("code", "words"), PROVOKED, ids=[code.split("\n")[-1][:60] for code, _ in PROVOKED])
def test_an_error_is_explained(code, words):
    said = explain(provoke(code))
    assert said is not None and words in said, said


def test_every_explanation_is_provoked():
    said = {explain(provoke(code)) for code, _ in PROVOKED}
    assert {says for _, _, says in EXPLANATIONS} == said


def test_explanations_are_short_and_name_a_next_step():
    for kind, fragments, says in EXPLANATIONS:
        assert fragments and kind.isidentifier()
        assert 40 < len(says) < 240 and says.endswith((".", "?")), says


def test_what_is_not_known_is_not_explained():
    assert explain(None) is None
    assert explain(provoke("raise ValueError('my own words')")) is None
    assert explain(provoke("raise type('Odd', (Exception,), {})('shapes cannot be multiplied')")) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("[3].split(2)", "used like a tensor"),  # a tensor has that too, but so has a string
        ("class Cell(nn.Module):\n  def forward(self, x): return self.tanh(x)\nCell()(1)", "no tensor"),
        ("class Model: pass\nModel().to('cpu')", "no tensor"),  # a module would have it
        ("torch.ones(1, requires_grad=True).backward(1, 2, 3, 4, 5)", "Autograd calls"),
        ("sorted([1, '2'])", "no order"),
    ],
)
def test_an_explanation_does_not_fit_what_is_only_like_it(code, words):
    assert words not in (explain(provoke(code)) or "")


def test_a_flood_of_text_is_not_searched_to_its_end():
    flood = {"type": "TypeError", "text": ".backward() takes " * 50_000}
    assert explain(flood) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU, so that nothing is wrong with asking for one")
@pytest.mark.parametrize(
    "code",
    [
        "torch.ones(B).cuda()",
        "nn.Linear(I, H).to('cuda')",
        pytest.param(
            "torch.Generator('cuda')",
            marks=pytest.mark.skipif(torch.version.cuda is not None, reason="this torch is made for CUDA and has them"),
        ),
    ],
)
def test_a_gpu_that_is_not_there_is_explained(code):
    said = explain(provoke(code))
    assert said is not None and "asks for a GPU, and there is none" in said


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here to be on another device of")
def test_a_mismatch_of_devices_is_explained():
    said = explain(provoke("torch.ones(B, I, device='cuda') @ torch.ones(I, H)"))
    assert said is not None and "on another device" in said


STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("h = torch.tanh(x_t @ self.W_x + h_prev @ self.W_h.T + self.bias)", "transpose missing"),
        ("h = torch.softmax((x_t @ self.W_x.T).long(), -1)", "are for floats"),
        ("h, _ = None", "gave back None"),
    ],
)
def test_public_and_hidden_tests_show_the_explanation(step, words, grade_own):
    source = (SOLUTIONS / "cells.py").read_text()
    rows = rows_of(grade_own({"cells.py": source.replace(STEP, step)}, ["cells"]))
    for test in ("test_rnn_one_step", "test_rnn_matches_nn_rnn"):
        assert rows[test]["status"] == "error" and words in rows[test]["message"], rows[test]["message"]


def test_an_import_that_fails_is_explained(grade_own):
    rows = rows_of(grade_own({"cells.py": "import not_there\n"}, ["cells"]))
    assert all("their own files" in row["message"] for row in rows.values())
