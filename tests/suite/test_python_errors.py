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

# What a student writes, and words of what should be said about it.
PROVOKED = [
    ("torch.ones(B, I) @ torch.ones(H, I)", "missing its transpose"),
    ("F.linear(torch.ones(B, I), torch.ones(I, H))", "missing its transpose"),
    ("torch.ones(H, I) @ torch.ones(H)", "missing its transpose"),
    ("torch.bmm(torch.ones(B, T, I), torch.ones(B, H, I))", "missing its transpose"),
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
    ("if torch.ones(B) > 0: pass", "one number is needed"),
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
    ("w = torch.ones(H, requires_grad=True); L = (w * w).sum(); L.backward(); L.backward()", "one graph twice"),
    ("bias = nn.Parameter(torch.zeros(H)); bias += 1", "parameter was changed in place"),
    ("bias = nn.Parameter(torch.zeros(H)); bias[1] = 1", "parameter was changed in place"),
    ("w = torch.ones(H, requires_grad=True); h = w.tanh(); h += 1; h.sum().backward()", "still needs was changed"),
    ("F.cross_entropy(torch.ones(B, V), torch.zeros(B).long()).backward()", "no graph behind it"),
    ("(torch.ones(B, V, requires_grad=True) * 2).backward()", "starts from one number"),
    ("torch.ones(H, requires_grad=True).numpy()", "part of a graph. Detach"),
    ("copy.deepcopy(torch.ones(H, requires_grad=True) * 2)", "can't be deep-copied"),
    ("with torch.inference_mode(): x = torch.ones(1)\n(x * nn.Parameter(x)).sum()", "inference mode came back"),
    ("torch.optim.Adam([])", "nothing to train"),
    ("torch.multinomial(torch.tensor([-1.0, 2.0]), 1)", "not a distribution"),
    ("torch.multinomial(torch.softmax(torch.tensor([1.0, 2.0]) * float('inf'), 0), 1)", "not a distribution"),
    ("torch.multinomial(torch.zeros(V), 1)", "All probabilities are 0"),
    ("torch.distributions.Categorical(logits=torch.tensor([0.0, 1.0]) / 0)", "not numbers any more"),
    ("math.exp(1000)", "too large for a float"),
    ("torch.ones(3).topk(5)", "More candidates were asked for"),
    ("nn.Embedding(V, I)(torch.tensor([V]))", "not below the size of the embedding"),
    ("F.cross_entropy(torch.ones(B, V), torch.tensor([0, V]))", "behind the end of a tensor"),
    ("torch.ones(B, T)[:, T]", "behind the end of a tensor"),
    ("states = [(1, 2)]; states[1]", "A list is shorter"),
    ("'abc'[3]", "A list is shorter"),
    ("['a', 'b'][torch.tensor([1, 0])]", "where one index is needed"),
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
    ("states = None\nfor h, c in states: pass", "`return`, or states that were never made? The"),
    ("None + torch.ones(B)", "`return`, or states that were never made? The"),
    ("torch.ones(B) * None", "`return`, or states that were never made? The"),
    ("torch.ones(H, requires_grad=True).grad.norm()", "a gradient that never arrived"),
    ("(lambda x_t, h_prev, c_prev: 1)(1, 2)", "fewer arguments"),
    ("(lambda x_t, h_prev: 1)(1, 2, 3)", "more arguments"),
    ("(lambda x_t: 1)(x_t=1, states=None)", "by that name"),
    ("class A(nn.Module):\n  def __init__(self): self.W_x = nn.Parameter(torch.ones(H))\nA()", "has to come first"),
    ("class Model(nn.Module):\n  def __init__(self): self.fc = nn.Linear(1, 1)\nModel()", "has to come first"),
    ("nn.Linear(I, H).W_x", "missing or has another name"),
    ("[torch.ones(B)].detach()", "used like a tensor"),
    ("(torch.ones(B), torch.ones(B)).shape", "used like a tensor"),
    ("torch.ones(B).append(1)", "has nothing of that name"),
    ("fc = nn.Linear(I, H); fc.weight = torch.ones(H, I)", "replaced by a plain tensor"),
    ("nn.ModuleList([nn.Linear])", "holds modules only"),
    ("torch.tanh(1.0)", "something that is no tensor"),
    ("logits = torch.ones(B); logits(1)", "called that is no function"),
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


@pytest.mark.parametrize(("code", "words"), PROVOKED, ids=[code.split("\n")[0][:60] for code, _ in PROVOKED])
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here to be on another device of")
def test_a_mismatch_of_devices_is_explained():
    said = explain(provoke("torch.ones(B, I, device='cuda') @ torch.ones(I, H)"))
    assert said is not None and "on another device" in said


STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("h = torch.tanh(x_t @ self.W_x + h_prev @ self.W_h.T + self.bias)", "missing its transpose"),
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
