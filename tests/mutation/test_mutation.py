"""Every small mistake costs points: a sample of the mutants here, all of them by `make mutants`."""

from __future__ import annotations

import pytest

from tests.mutation.operators import mutants
from tests.mutation.trial import accounts, every_mutant, stale, try_mutants

ONE_IN = 31  # of the mutants of all solutions, some twenty seconds
FIRST = 5

SOURCE = '''
def mean(values, skip=0):
    """The mean of some numbers."""
    total = sum(values[skip:])
    if not values or skip < 0:
        raise ValueError("nothing")
    with torch.no_grad():
        total = total.detach() / (len(values) - skip)
    return total, skip
'''


def test_every_operator_finds_its_places():
    found = {f"{mutant.before} -> {mutant.after}" for mutant in mutants("example", SOURCE)}
    assert found >= {
        "def mean(values, skip=0): -> def mean(values, skip=1):",
        "def mean(values, skip=0): -> def mean(values, skip):",
        "total = sum(values[skip:]) -> total = sum(values[:])",
        "total = sum(values[skip:]) -> pass",
        "if not values or skip < 0: -> if not values and skip < 0:",
        "if not values or skip < 0: -> if values or skip < 0:",
        "if not values or skip < 0: -> if not values or skip <= 0:",
        "if not values or skip < 0: -> if skip < 0:",
        "raise ValueError('nothing') -> pass",
        "with torch.no_grad(): -> total = total.detach() / (len(values) - skip)",
        "total = total.detach() / (len(values) - skip) -> total = total / (len(values) - skip)",
        "total = total.detach() / (len(values) - skip) -> total = total.detach() * (len(values) - skip)",
        "total = total.detach() / (len(values) - skip) -> total = total.detach() / (len(values) + skip)",
        "return (total, skip) -> return (skip, total)",
        "return (total, skip) -> return",
    }
    assert not any("nothing" in mutant.after or "The mean" in mutant.after for mutant in mutants("example", SOURCE))


def test_mutants_are_many_and_each_is_known_by_its_key():
    keys = [mutant.key for mutant in every_mutant()]
    assert len(keys) == len(set(keys)) > 2000


def test_every_account_is_of_a_mutant_that_there_is():
    assert stale(accounts()) == []


@pytest.mark.timeout(900)
def test_a_sample_of_the_mutants_loses_points(trusted_sandbox):
    listed = accounts()
    trials = list(try_mutants(every_mutant()[FIRST::ONE_IN], trusted_sandbox))
    assert [str(trial.mutant) for trial in trials if not trial.killer and trial.mutant.key not in listed] == []
    caught_after_all = [trial for trial in trials if trial.killer and trial.mutant.key in listed]
    assert [f"{trial.killer} catches {trial.mutant}" for trial in caught_after_all] == []
