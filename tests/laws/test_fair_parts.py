"""A mistake costs its own part and no other: the second law's "and nothing else".

The ordinary run takes samples; `pytest -m long tests/laws/test_fair_parts.py` takes every known mistake.
"""

from __future__ import annotations

import pytest

from tests.laws.fairness import COURSE, KNOWN, costs, lost_by_assignment

ONE_IN = 25  # of the known mistakes, in the ordinary run
CELLS = [(assignment, misconception) for assignment, misconception in KNOWN if assignment.name == "cells"]
WHOLE = CELLS[:: len(CELLS) // 2][:2]  # whole submissions that are graded in the ordinary run


def too_dear(found):
    """The mistakes that cost more than the class or function they sit in is worth."""
    return [str(cost) for cost in found if cost.altogether > cost.worth + 1e-9]


def lost_later(mistake, sandbox):
    """What a whole submission loses outside `cells` by a mistake in them; the mistake is seen in `cells`."""
    lost = lost_by_assignment(*mistake, sandbox)
    assert lost.pop("cells") > 0
    return lost


def test_a_sample_of_mistakes_costs_no_more_than_its_part(trusted_sandbox):
    assert too_dear(costs(KNOWN[::ONE_IN], trusted_sandbox)) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("assignment", COURSE, ids=[assignment.name for assignment in COURSE])
def test_no_mistake_costs_more_than_its_part(assignment, trusted_sandbox):
    mine = [(owner, misconception) for owner, misconception in KNOWN if owner is assignment]
    assert too_dear(costs(mine, trusted_sandbox)) == []


@pytest.mark.parametrize("mistake", WHOLE, ids=[misconception.id for _, misconception in WHOLE])
def test_a_mistake_in_cells_costs_nothing_later(mistake, trusted_sandbox):
    assert lost_later(mistake, trusted_sandbox) == {}


@pytest.mark.long
@pytest.mark.parametrize("mistake", CELLS, ids=[misconception.id for _, misconception in CELLS])
def test_no_mistake_in_cells_costs_anything_later(mistake, trusted_sandbox):
    assert lost_later(mistake, trusted_sandbox) == {}
