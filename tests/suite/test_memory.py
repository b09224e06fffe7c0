"""An oracle's answers are kept by what was asked, to the last bit, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch

from grader.suite import memory
from grader.suite.memory import remembered


@dataclass(frozen=True)
class Case:
    name: str
    weights: dict[str, torch.Tensor]
    notes: list[str] = field(default_factory=list, compare=False)


@pytest.fixture
def asked():
    """A remembering function, and the list of the questions that it had to work on."""
    worked_on = []

    @remembered
    def oracle(*question, **more):
        worked_on.append((question, more))
        return object()

    return oracle, worked_on


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
        (torch.zeros(2, 3), torch.zeros(3, 2)),
        (torch.zeros(2, dtype=torch.float32), torch.zeros(2, dtype=torch.int32)),
        (torch.tensor([1.0]), torch.nextafter(torch.tensor([1.0]), torch.tensor([2.0]))),
        (Case("a", {"W": torch.ones(2)}), Case("b", {"W": torch.ones(2)})),
        (Case("a", {"W": torch.ones(2)}), Case("a", {"U": torch.ones(2)})),
        (Case("a", {"W": torch.ones(2)}), Case("a", {"W": torch.zeros(2)})),
        ([1, [2]], [[1], 2]),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        (None, ""),
    ],
)
def test_another_question_is_another_answer(asked, one, other):
    oracle, worked_on = asked
    assert oracle(one) is not oracle(other)
    assert len(worked_on) == 2


def test_the_same_question_in_other_objects_is_the_same(asked):
    oracle, worked_on = asked
    leaf = torch.ones(2).requires_grad_()
    questions = [Case("a", {"W": torch.ones(2)}), Case("a", {"W": leaf}, notes=["no part of what is compared"])]
    assert oracle(questions[0], steps=[1, 2]) is oracle(questions[1], steps=[1, 2])
    assert oracle(questions[0], steps=[1, 3]) is not oracle(questions[0], steps=[1, 2])
    assert len(worked_on) == 2


def test_a_question_that_was_changed_since_is_another_one(asked):
    oracle, _ = asked
    case = Case("a", {"W": torch.ones(2)})
    before = oracle(case)
    case.weights["W"][0] = 5
    assert oracle(case) is not before


def test_no_more_is_kept_than_the_limit(asked, monkeypatch):
    oracle, worked_on = asked
    monkeypatch.setattr(memory, "KEPT", 3)
    for number in [0, 1, 2, 3, 3, 2, 1, 0]:
        oracle(number)
    assert [question for (question,), _ in worked_on] == [0, 1, 2, 3, 0]


def test_what_has_no_content_to_go_by_is_refused(asked):
    oracle, _ = asked
    with pytest.raises(TypeError, match="Generator"):
        oracle(torch.Generator())
