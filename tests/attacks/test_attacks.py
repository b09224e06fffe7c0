"""Every attack on every rung earns what it deserves and does no harm; what a rung can't hold is seen as a gap.

`make test-attacks` runs them all. Otherwise a few of each class run, on the best rung that this machine has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from _pytest.mark.structures import ParameterSet

from grader.sandbox import RUNGS, SandboxError
from tests.attacks.attack import EFFECTS, Attack
from tests.attacks.range import KINDS, Range, is_root, load_attacks

EVERY = load_attacks()
QUICK_OF_EACH_KIND = 3
BEST = "the best rung"


def cases() -> Iterator[ParameterSet]:
    """(rung, attack): a few attacks on the best rung, and every one on every rung, which takes long."""
    for attack in quick():
        yield pytest.param(BEST, attack, id=f"{BEST}-{attack.name}")
    every = sorted(EVERY.values(), key=lambda attack: attack.setting != "shared")
    for rung in reversed(RUNGS):
        for attack in every:
            yield pytest.param(rung, attack, id=f"{rung}-{attack.name}", marks=pytest.mark.long)


def quick() -> Iterator[Attack]:
    """A few attacks from all over each class, of those that are quick and share a sandbox."""
    for kind in KINDS:
        fast = [attack for attack in EVERY.values() if attack.kind == kind and attack.setting == "shared"]
        fast = [attack for attack in fast if attack.harmless and not attack.hangs]
        yield from fast[:: len(fast) // QUICK_OF_EACH_KIND][:QUICK_OF_EACH_KIND]


@pytest.fixture(scope="module")
def firing_range(request: pytest.FixtureRequest) -> Iterator[Range]:
    """The rung's sandbox, shared by its attacks; nothing may outlive it."""
    problem = None
    with contextlib.ExitStack() as stack:
        for rung in reversed(RUNGS) if request.param == BEST else [request.param]:
            try:
                opened = stack.enter_context(Range(rung))
            except SandboxError as refusal:
                problem = refusal
                continue
            yield opened
            assert not opened.left_behind(), "a process outlived the sandbox"
            return
    pytest.skip(f"no {request.param} here: {problem}")


@pytest.mark.parametrize(("firing_range", "attack"), list(cases()), indirect=["firing_range"], scope="module")
def test_an_attack_does_not_pay(firing_range: Range, attack: Attack) -> None:
    rung = firing_range.rung
    if rung in attack.never_on:
        pytest.skip(f"not on {rung}: {attack.never_on[rung]}")
    _, seen = firing_range.run(attack)
    expected, possible = attack.expected_gaps(rung, is_root()), attack.possible_gaps(rung)
    surprises = {effect: what for effect, what in seen.items() if effect not in expected | set(possible)}
    assert not surprises, "; ".join(f"{EFFECTS[effect]}: {what}" for effect, what in surprises.items())
    closed = expected - set(seen)
    assert not closed, f"expected gaps that were not seen: {sorted(closed)}; if they are closed now, delete them"
    if set(seen) & set(possible):
        pytest.xfail("; ".join(possible[effect] for effect in sorted(set(seen) & set(possible))))
