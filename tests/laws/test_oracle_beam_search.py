"""Laws of beam search: the solution and the oracle, which go different roads, agree on fresh tables."""

from __future__ import annotations

import inspect
import itertools

import pytest
import torch

from assignments.beam_search import oracle, probes, test_hidden, test_public
from assignments.beam_search.oracle import Case, Table
from grader.diagnosis import LocalStudent
from grader.diagnosis.local import replay
from grader.suite import Reply

STUDENT = LocalStudent("beam_search")
ENDS = (None, ".", ".", "b")
PENALTIES = (0.0, 0.6, 1.0, 2.0)
ABOUT_TIES = ("test_any_choice_between_equals", "test_drawn_tables_with_ties")
TESTS = {
    name: test
    for module in (test_public, test_hidden)
    for name, test in vars(module).items()
    if name.startswith("test_")
}


def answer(case: Case) -> str:
    """The solution's text."""
    return probes.search(STUDENT, **case.inputs)[0]


def case_number(number: int, rng: torch.Generator, **given: object) -> Case:
    """A drawn case; sizes, end and penalty go round with the number."""
    call = {
        "length": 1 + number % 5,
        "beam_width": 1 + number // 2 % 4,
        "length_penalty": PENALTIES[number // 3 % 4],
        "end_char": ENDS[number % 4],
    }
    alphabet, seed = ".abcd"[: 2 + number % 4], ("a", ".a", "aa.")[number % 3]
    return oracle.drawn(rng, alphabet, seed, **{**call, **given})


def test_solution_and_oracle_agree_on_1000_tables():
    rng = torch.Generator().manual_seed(11)
    for number in range(1000):
        case = case_number(number, rng)
        assert oracle.acceptable(case) == {answer(case)}, case


def test_relabelling_changes_nothing_else():
    rng = torch.Generator().manual_seed(12)
    for number in range(100):
        case = oracle.relabelled(case_number(number, rng), rng)
        assert oracle.acceptable(case) == {answer(case)}, case


def test_width_one_is_greedy():
    rng = torch.Generator().manual_seed(13)
    for number in range(300):
        case = case_number(number, rng, beam_width=1)
        assert answer(case) == oracle.greedy(case), case


def test_a_wide_beam_finds_the_global_optimum():
    rng = torch.Generator().manual_seed(14)
    for number in range(300):
        length = 1 + number % 3
        case = case_number(number, rng, length=length, beam_width=(2 + number % 4) ** (length - 1))
        assert answer(case) == oracle.global_optimum(case), case


def test_tied_answers_are_all_accepted():
    rng = torch.Generator().manual_seed(16)
    for number in range(300):
        call = {"length": 1 + number % 3, "beam_width": 1 + number % 4, "length_penalty": PENALTIES[number % 4]}
        case = oracle.tied(rng, ".ab"[: 2 + number % 2], "a", end_char=ENDS[number % 4 if number % 2 else 1], **call)
        assert answer(case) in oracle.acceptable(case), case


def test_oracle_names_every_text_of_a_uniform_table():
    table = Table("ab", {"": [0.0, 0.0]})
    case = Case(table, {"seed": "a", "length": 3, "beam_width": 2})
    assert oracle.acceptable(case) == {"a" + "".join(chars) for chars in itertools.product("ab", repeat=3)}


def test_an_unfinished_text_may_stand_where_nothing_can_win_any_more():
    # "." and a are equally good at first, and after a there is nothing but a: who stops early may name any.
    table = Table(".a", {"": [-60.0, 0.0], ".": [0.0, 0.0]})
    case = Case(table, {"seed": ".", "length": 3, "beam_width": 2, "end_char": "."})
    assert oracle.acceptable(case) == {".", ".a", ".aa", ".aaa"}
    assert answer(case) in oracle.acceptable(case)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 5))])
def test_no_test_turns_on_a_close_call(seed):
    """In no search of the suite could rounding change the answer, except where ties are the point."""

    class Watched:
        about_ties = False

        def run(self, probe, **inputs):
            reply, raised = replay(STUDENT, probe, inputs, seed)
            assert raised is None, raised
            for search in inputs.get("searches", {"": inputs}).values():
                if "call" in search and probe is not probes.under_two_seeds:
                    rows = dict(zip(search["endings"], search["logits"].tolist(), strict=True))
                    case = Case(Table(search["alphabet"], rows), search["call"])
                    assert self.about_ties or len(oracle.acceptable(case, oracle.CLEAR)) == 1, case
            return Reply(reply)

    for name, test in TESTS.items():
        drawn = {"rng": torch.Generator().manual_seed(seed)} if "rng" in inspect.signature(test).parameters else {}
        submission = Watched()
        submission.about_ties = name in ABOUT_TIES
        test(submission=submission, **drawn)
