"""The campaigns, shortened: a few thousand cases each, from a seed that is always the same."""

from __future__ import annotations

import io
import os
import random

import pytest

from tests.fuzz import campaign
from tests.fuzz.__main__ import target_of

SHORTENED = {"frames": 3000, "archives": 600, "received": 24, "notebooks": 400}
MOST_IN_ONE_OUTCOME = 0.5


@pytest.mark.parametrize("name", list(SHORTENED))
def test_nothing_crashes_hangs_or_grows(name, tmp_path):
    tally = campaign.run(name, target_of(name), 0, SHORTENED[name], tmp_path)
    assert tally.failures == {}
    assert tally.cases == sum(tally.outcomes.values()) == SHORTENED[name]
    assert len(tally.outcomes) >= min(15, SHORTENED[name] // 3), "the cases die at too few checks to prove much"
    assert max(tally.outcomes.values()) < MOST_IN_ONE_OUTCOME * tally.cases
    assert any(outcome.startswith(("decoded", "read: cells.py is there")) for outcome in tally.outcomes)


@pytest.mark.parametrize("name", list(SHORTENED))
def test_a_case_depends_on_seed_and_number_alone(name):
    first, again = target_of(name), target_of(name)
    cases = [campaign.case_of(first, name, 7, number) for number in range(20)]
    assert [campaign.case_of(again, name, 7, number) for number in reversed(range(20))] == cases[::-1]
    assert len(set(cases)) > 10
    assert campaign.case_of(first, name, 8, 0) != cases[0]


class Faulty:
    """A target that crashes, dies and hangs on cases of its choice."""

    growth_limit = 64 * campaign.MIB
    peak_limit = 64 * campaign.MIB
    ending = ".case"

    def __init__(self, faults: dict[int, str]) -> None:
        self.faults, self.fed, self.kept = faults, -1, []

    def make(self, rng: random.Random) -> bytes:
        return rng.randbytes(8)

    def feed(self, case: bytes) -> str:
        self.fed += 1
        fault = self.faults.get(self.fed)
        if fault == "raise":
            raise ZeroDivisionError("as asked")
        if fault == "grow":
            self.kept.append(b"x" * (2 * self.growth_limit))
        return "fine"


def worked(target: Faulty, tmp_path, cases: int = 40) -> dict[str, object]:
    """The last report of a worker that ran in this process."""
    place = tmp_path / "place"
    place.write_bytes(campaign.PLACE.pack(0))
    out = io.StringIO()
    order = {"name": "faulty", "seed": 1, "first": 0, "cases": cases, "shared": str(place)}
    campaign.work(target, order, out)
    return campaign.json.loads(out.getvalue().splitlines()[-1])


def test_what_a_case_raises_is_kept_with_its_number(tmp_path):
    report = worked(Faulty({11: "raise"}), tmp_path)
    assert list(report["failures"]) == ["11"] and "as asked" in report["failures"]["11"]
    assert report["outcomes"] == {"fine": 39, "FAILED": 1} and report["last"]


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="resident memory is read from /proc")
def test_growth_is_seen(tmp_path):
    assert worked(Faulty({20: "grow"}), tmp_path)["growth"] > Faulty.growth_limit


def test_a_process_that_dies_is_held_against_its_case(tmp_path, monkeypatch):
    script = (
        "import json, sys; from tests.fuzz.campaign import PLACE; order = json.loads(sys.argv[-1])\n"
        "open(order['shared'], 'r+b').write(PLACE.pack(max(5, order['first'])))\n"
        "last = {'cases': order['cases'] - order['first'], 'outcomes': {'fine': order['cases'] - order['first']}}\n"
        "rest = {'failures': {}, 'growth': 0, 'peak': 0, 'slowest_s': 0, 'slowest': 0, 'last': True}\n"
        "print(json.dumps({**last, **rest})) if order['first'] else __import__('os').abort()"
    )
    monkeypatch.setattr(campaign, "WORKER", ["-c", script])
    tally = campaign.run("faulty", Faulty({}), 1, 10, tmp_path / "found")
    assert list(tally.failures) == [5] and "status -6" in tally.failures[5]
    assert tally.cases == 10
    written = tmp_path / "found" / "faulty-1-5.case"
    assert written.read_bytes() == campaign.case_of(Faulty({}), "faulty", 1, 5)
    assert f"--replay {written}" in tally.failures[5]


def test_a_case_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "CASE_WALL_S", 0.5)
    monkeypatch.setattr(campaign, "MAX_FAILURES", 1)
    monkeypatch.setattr(campaign, "WORKER", ["-c", "import time; time.sleep(600)"])
    tally = campaign.run("faulty", Faulty({}), 1, 10, tmp_path)
    assert list(tally.failures) == [0] and "it took over 0.5 s" in tally.failures[0]
