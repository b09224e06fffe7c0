"""The judge of samplers is just and sharp, and agrees with the solution.

A correct sampler fails a statistical test at most once in a million runs, by the exact binomial tail
in 50 digits and by simulation; the named mistakes are caught, with the chances asserted here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from assignments.sampling import oracle, probes, stand_in, test_public
from grader.diagnosis import LocalStudent

ONE_IN_A_MILLION = 1e-6
FRESH = 1000


@pytest.fixture(scope="module")
def student():
    return LocalStudent("sampling")


Setting = tuple[torch.Tensor, float, int, list[tuple[int, int]]]  # logits, temperature, draws, bounds


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of_a_crowd(size: int, setting: tuple[float, float, int, int, int, int]) -> Setting:
    lead, temperature, draws, *_ = setting
    return test_public.crowd(size, lead), temperature, draws, test_public.crowd_bounds(size, setting)


ALPHABET = len(test_public.ALPHABET)
# What the public tests have written out.
PUBLIC: dict[str, Setting] = {
    "cold": of_a_crowd(test_public.CROWD, test_public.COLD),
    "hot": of_a_crowd(test_public.CROWD, test_public.HOT),
    "even": of_a_crowd(test_public.CROWD, test_public.EVEN),
    "hot text": of_a_crowd(ALPHABET, test_public.HOT_TEXT),
    "default text": of_a_crowd(ALPHABET, test_public.DEFAULT_TEXT),
    "large": (torch.tensor(test_public.LARGE_LOGITS), 1.0, 60, test_public.LARGE_BOUNDS),
}


def hidden(seed: int) -> dict[str, Setting]:
    """What the hidden tests draw and allow, for some seed of the course."""
    rng = seeded(seed)
    settings = {}
    for name, size, temperature, draws, share in (
        ("cold", 90, 0.2, 150, 1.0),
        ("hot", 90, 2.2, 150, 0.5),
        ("even", 90, 1.0, 300, 1.0),
        ("cold text", 41, 0.35, 80, 0.5),
        ("hot text", 41, 3.5, 80, 0.5),
    ):
        logits = oracle.half_and_half(size, temperature, rng)
        bounds = oracle.bounds(logits, temperature, draws, share * oracle.FALSE_FAILURES)
        settings[name] = (logits, temperature, draws, bounds)
    return settings


def exact_failure(chances: np.ndarray, draws: int, bounds: list[tuple[int, int]]) -> Decimal:
    """The chance, summed over the symbols, that a count leaves its bounds: exact to 40 digits and more."""
    with localcontext() as context:
        context.prec = 50
        total = Decimal(0)
        for chance, (low, high) in zip(chances, bounds, strict=True):
            p = Decimal(float(chance))
            outside = [*range(low), *range(high + 1, draws + 1)]
            total += sum((math.comb(draws, k) * p**k * (1 - p) ** (draws - k) for k in outside), Decimal(0))
        return total


def power(chances: np.ndarray, draws: int, bounds: list[tuple[int, int]]) -> float:
    """At least this is the chance that a sampler of these chances fails: the symbol that shows it best."""
    return max(
        1 - oracle.binomial(draws, float(chance))[low : high + 1].sum()
        for chance, (low, high) in zip(chances, bounds, strict=True)
    )


def test_bounds_in_the_public_tests_are_the_oracle_s():
    for logits, temperature, draws, bounds in PUBLIC.values():
        right = oracle.bounds(logits, temperature, draws)
        most_of_others = max(high for low, high in right if low == 0)  # one bound is written out for all of a crowd
        for mine, (low, high) in zip(bounds, right, strict=True):
            assert mine == (low, high) or (low == 0 and mine == (0, most_of_others))


@pytest.mark.parametrize("name", PUBLIC)
def test_exact_false_failures_of_the_public_tests(name):
    logits, temperature, draws, bounds = PUBLIC[name]
    assert exact_failure(oracle.softmax(logits, temperature), draws, bounds) <= oracle.FALSE_FAILURES


def test_exact_false_failures_of_the_hidden_tests():
    for name, (logits, temperature, draws, bounds) in hidden(1).items():
        share = oracle.FALSE_FAILURES / (2 if "text" in name or name == "hot" else 1)  # there the test has two parts
        assert exact_failure(oracle.softmax(logits, temperature), draws, bounds) <= share


def test_the_rare_letters_of_the_default_text_are_missed_once_in_18_millions():
    logits, temperature, draws, _ = PUBLIC["default text"]
    rare = float(np.sort(oracle.softmax(logits, temperature))[: test_public.RARE].sum())
    missed = (1 - rare) ** draws
    assert missed < 1 / 18_000_000
    assert oracle.FALSE_FAILURES + missed <= ONE_IN_A_MILLION
    assert rare < 0.106  # whoever leaves out the last 11 % of the chances leaves out all of these


def test_one_in_a_million_holds_for_rounded_probabilities():
    """float32 moves a probability by some 1e-7 of itself; the other half of the million is enough for 1e-3."""
    for logits, temperature, draws, bounds in (PUBLIC["cold"], PUBLIC["hot text"], *hidden(0).values()):
        chances = oracle.softmax(logits, temperature)
        for factor in (0.999, 1.001):
            assert exact_failure(np.minimum(chances * factor, 1), draws, bounds) <= ONE_IN_A_MILLION


def test_intervals_are_the_narrowest():
    """A thousand intervals beside brute force with whole binomial coefficients."""
    rng = np.random.default_rng(1)
    for _ in range(FRESH):
        draws, chance = int(rng.integers(1, 60)), float(rng.random() ** 2)
        allowed = 10 ** float(rng.uniform(-7, -1))
        mass = [math.comb(draws, k) * chance**k * (1 - chance) ** (draws - k) for k in range(draws + 1)]
        low = max(k for k in range(draws + 1) if math.fsum(mass[:k]) <= allowed / 2)
        high = min(k for k in range(draws + 1) if math.fsum(mass[k + 1 :]) <= allowed / 2)
        assert oracle.interval(draws, chance, allowed) == (low, high)


@pytest.mark.parametrize("allowed", [1e-1, 1e-2, 1e-3])
def test_simulated_false_failures(allowed):
    """What is promised for one in a million holds where a simulation can see it; it is not wide for nothing either."""
    runs = 20_000
    for logits, temperature, draws, _ in hidden(3).values():
        bounds = oracle.bounds(logits, temperature, draws, allowed)
        failed = simulated(logits, temperature, draws, bounds, runs)
        assert allowed / 20 <= failed <= allowed + 5 * math.sqrt(allowed / runs)


def test_simulated_tests_do_not_fail():
    for logits, temperature, draws, bounds in [*PUBLIC.values(), *hidden(5).values()]:
        assert simulated(logits, temperature, draws, bounds, 20_000) == 0


def simulated(logits: torch.Tensor, temperature: float, draws: int, bounds: list[tuple[int, int]], runs: int) -> float:
    """The share of simulated tests that a sampler of the right distribution fails."""
    counts = np.random.default_rng(2).multinomial(draws, oracle.softmax(logits, temperature), size=runs)
    return float(outside(counts, bounds).mean())


def outside(counts: np.ndarray, bounds: list[tuple[int, int]]) -> np.ndarray:
    """Which rows of counts (runs, V) leave the bounds of some symbol: (runs,)."""
    low, high = np.array(bounds).T
    return ((counts < low) | (counts > high)).any(axis=1)


# The texts that are written with the stand-in: the bounds of each symbol, and those of the less likely half together.
NearSetting = tuple[torch.Tensor, float, int, list[tuple[int, int]], tuple[int, int]]


def near_settings(seed: int, false_failures: float = oracle.FALSE_FAILURES) -> dict[str, NearSetting]:
    """Public ones as they are written out (if nothing else is allowed), and hidden ones of some seed."""
    rng, settings = seeded(seed), {}
    for name, size, far, temperature, draws, parts in (
        ("hot", ALPHABET, ALPHABET - test_public.NEAR, 3.0, 100, 2),
        ("default", ALPHABET, ALPHABET - test_public.NEAR, 1.0, 150, 2),
        ("cold, hidden", 41, 5, 0.35, 80, 4),
        ("hot, hidden", 41, 5, 3.5, 80, 4),
    ):
        if "hidden" in name:
            logits = oracle.near_and_far(size, far, temperature, rng)
        else:
            logits = test_public.near_and_far(temperature)
        share = false_failures / parts
        bounds = oracle.bounds(logits, temperature, draws, share, stand_in=True)
        half = oracle.tail_bounds(logits, temperature, draws, share, stand_in=True)
        settings[name] = (logits, temperature, draws, bounds, half)
    return settings


NEAR = near_settings(0)


def near_failures(chances: np.ndarray, setting: NearSetting, runs: int) -> float:
    """The share of simulated texts that fail, if characters come with these chances."""
    logits, _, draws, bounds, (low, high) = setting
    counts = np.random.default_rng(3).multinomial(draws, chances, size=runs)
    half = counts[:, oracle.tail(logits)].sum(axis=1)
    return float((outside(counts, bounds) | (half < low) | (half > high)).mean())


@pytest.mark.parametrize(("name", "written"), [("hot", test_public.HOT_NEAR), ("default", test_public.DEFAULT_NEAR)])
def test_bounds_of_the_stand_in_in_the_public_tests_are_the_oracle_s(name, written):
    logits, temperature, _, bounds, half = NEAR[name]
    assert set(bounds[: test_public.NEAR]) == {(0, written[0])}
    assert set(bounds[test_public.NEAR :]) == {(0, 0)}
    assert half == written[1:]
    assert sorted(oracle.tail(logits)) == list(range(ALPHABET // 2, ALPHABET))
    assert temperature == {"hot": test_public.HOT_TEXT, "default": test_public.DEFAULT_TEXT}[name][1]


@pytest.mark.parametrize("name", NEAR)
def test_exact_false_failures_with_the_stand_in(name):
    logits, temperature, draws, bounds, half = NEAR[name]
    chances = oracle.evenly(logits, temperature)
    together = chances[oracle.tail(logits)].sum(keepdims=True)
    failed = exact_failure(chances, draws, bounds) + exact_failure(together, draws, [half])
    missed = (1 - test_public.RARE_NEAR / test_public.NEAR) ** draws if name == "default" else 0.0
    assert missed < 1e-12
    parts = 2 if "hidden" in name else 1  # there a test has two texts
    assert failed <= oracle.FALSE_FAILURES / parts
    assert simulated_with_the_stand_in(NEAR[name], 20_000) == 0


@pytest.mark.parametrize("allowed", [1e-1, 1e-2])
def test_simulated_false_failures_with_the_stand_in(allowed):
    runs = 20_000
    for setting in near_settings(3, allowed).values():
        failed = simulated_with_the_stand_in(setting, runs)
        assert allowed / 40 <= failed <= allowed + 5 * math.sqrt(allowed / runs)


def simulated_with_the_stand_in(setting: NearSetting, runs: int) -> float:
    return near_failures(oracle.evenly(*setting[:2]), setting, runs)


def test_the_stand_in_draws_within_the_bounds():
    """The file itself, through the generator and without one; at temperature 0 and from one logit too."""
    torch.manual_seed(4)
    for generator in (seeded(5), None):
        for logits, temperature, draws, bounds, (low, high) in near_settings(1).values():
            drawn = [stand_in.sample_next(logits, temperature, generator) for _ in range(draws)]
            assert {type(index) for index in drawn} == {int}
            counts = np.bincount(drawn, minlength=len(logits))
            assert not outside(counts[None], bounds)[0]
            assert low <= counts[oracle.tail(logits)].sum() <= high
    assert stand_in.sample_next(torch.tensor([0.5, -torch.inf, 0.501]), temperature=0) == 2
    assert stand_in.sample_next(torch.tensor([3.0])) == 0


@pytest.mark.parametrize(
    ("says", "other"),
    [
        ("as one", lambda temperature: 1.0),
        ("twice", lambda temperature: temperature**2),
        ("upside down", lambda temperature: 1 / temperature),
        ("a tenth too hot", lambda temperature: 1.1 * temperature),
        ("half too hot", lambda temperature: 1.5 * temperature),
        ("a half", lambda temperature: 0.5 * temperature),
    ],
)
def test_another_temperature_is_caught_with_the_stand_in_too(says, other):
    """Each text nearly always, if the temperature that the sampler is given differs from the right one at all."""
    for name, setting in NEAR.items():
        logits, temperature = setting[:2]
        given = other(temperature)
        if given != temperature:
            assert near_failures(oracle.evenly(logits, given), setting, 20_000) > 0.99, name


@pytest.mark.parametrize("kept", [10, 20])
def test_a_tail_cut_before_the_stand_in_draws_is_caught(kept):
    """In the default text surely; the letters that a cut takes first are looked for there."""
    logits, temperature, *_ = NEAR["default"]
    cut = logits.masked_fill(logits < logits.sort().values[-kept], -math.inf)
    chances = oracle.evenly(cut, temperature)
    assert chances[test_public.NEAR - test_public.RARE_NEAR : test_public.NEAR].sum() == 0


def test_the_stand_in_is_no_answer():
    """Its draws leave the bounds of a right sampler in every test of its distribution."""
    for setting in ("cold", "hot", "even"):
        logits, temperature, draws, bounds = PUBLIC[setting]
        assert power(oracle.evenly(logits, temperature), draws, bounds) > 0.999


# Every sure draw of the assignment: fewer than 200 of them, none with more than 60 symbols.
def test_sure_tables_are_sure():
    assert 200 * 60 * math.exp(-oracle.SURE) < ONE_IN_A_MILLION
    assert test_public.SURE == oracle.SURE


def test_equal_draws_by_chance_are_out_of_the_question():
    """Eight draws all alike, and two texts of 6 or 7 characters the same: from equal logits and from unequal ones."""
    likeliest = {size: float(oracle.softmax(torch.eye(size)[0], 1.0).max()) for size in (26, 40)}
    chances = [40 * (1 / 40) ** 8, 40 * likeliest[40] ** 8, (1 / 40) ** 6, likeliest[26] ** 7, (1 / 41) ** 5]
    assert max(chances) < ONE_IN_A_MILLION


Mistake = Callable[[torch.Tensor, float], np.ndarray]


def top_ten(logits: torch.Tensor, temperature: float) -> np.ndarray:
    kept = logits >= logits.sort().values[-min(10, len(logits))]
    return oracle.softmax(logits.masked_fill(~kept, -math.inf), temperature)


def softmax_of(chances: np.ndarray, temperature: float) -> np.ndarray:
    return oracle.softmax(torch.from_numpy(chances), temperature)


# What a sampler draws from that has misunderstood; each is a misconception, or a cousin of one.
MISTAKES: dict[str, Mistake] = {
    "temperature ignored": lambda logits, temperature: oracle.softmax(logits, 1.0),
    "temperature multiplied": lambda logits, temperature: oracle.softmax(logits, 1 / temperature),
    "temperature squared": lambda logits, temperature: oracle.softmax(logits, temperature**2),
    "temperature's root": lambda logits, temperature: oracle.softmax(logits, temperature**0.5),
    "temperature after softmax": lambda logits, temperature: softmax_of(oracle.softmax(logits, 1), temperature),
    "softmax twice": lambda logits, temperature: softmax_of(oracle.softmax(logits, temperature), 1),
    "powers of two": lambda logits, temperature: oracle.softmax(logits, temperature / math.log(2)),
    "greedy": lambda logits, temperature: (logits == logits.max()).double().numpy(),
    "uniform": lambda logits, temperature: np.full(len(logits), 1 / len(logits)),
    "upside down": lambda logits, temperature: oracle.softmax(-logits, temperature),
    "next index": lambda logits, temperature: np.roll(oracle.softmax(logits, temperature), 1),
    "ten at most": top_ten,
}
RIGHT_AT_ONE = {"temperature ignored", "temperature multiplied", "temperature squared", "temperature's root"}
MILD = {"temperature's root", "powers of two", "ten at most"}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_test_of_draws_catches_each_mistake(name):
    """Nearly always: over 99.9 % for the frequent ones, over 90 % for the mild."""
    least = 0.9 if name in MILD else 0.999
    for setting in ("cold", "hot", "even"):
        if setting == "even" and name in RIGHT_AT_ONE:
            continue
        for settings in (PUBLIC, *(hidden(seed) for seed in range(4))):
            logits, temperature, draws, bounds = settings[setting]
            assert power(MISTAKES[name](logits, temperature), draws, bounds) > least, setting


@pytest.mark.parametrize("name", ["temperature ignored", "temperature multiplied", "temperature squared", "greedy"])
def test_each_test_of_texts_catches_what_happens_there(name):
    """Over 97 % in a public text, and over 99 % in one or the other of the hidden two."""
    logits, temperature, draws, bounds = PUBLIC["hot text"]
    assert power(MISTAKES[name](logits, temperature), draws, bounds) > 0.97
    for seed in range(4):
        missed = 1.0
        for setting in ("cold text", "hot text"):
            logits, temperature, draws, bounds = hidden(seed)[setting]
            missed *= 1 - power(MISTAKES[name](logits, temperature), draws, bounds)
        assert missed < 0.01


@pytest.mark.parametrize("kept", [20, 40])
def test_a_cut_tail_is_caught_as_a_whole(kept):
    """The less likely half of 90 indices: fails a right sampler once in two millions, top-40 sampling over 99 %."""
    for seed in range(4):
        logits, temperature, draws, _ = hidden(seed)["hot"]
        indices = oracle.tail(logits)
        bounds = [oracle.tail_bounds(logits, temperature, draws, oracle.FALSE_FAILURES / 2)]
        right = oracle.softmax(logits, temperature)[indices].sum(keepdims=True)
        assert exact_failure(right, draws, bounds) <= oracle.FALSE_FAILURES / 2
        cut = logits.masked_fill(logits < logits.sort().values[-kept], -math.inf)
        assert power(oracle.softmax(cut, temperature)[indices].sum(keepdims=True), draws, bounds) > 0.99


def test_a_default_of_another_temperature_is_caught():
    """A default temperature of 0.8: in 200 draws with over 90 %. Of a text the signature says it, or 0.6 is caught."""
    for setting, other, least in (("even", 0.8, 0.9), ("default text", 0.6, 0.99)):
        logits, _, draws, bounds = PUBLIC[setting]
        assert power(oracle.softmax(logits, other), draws, bounds) > least


def gumbel(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> int:
    noise = -torch.log(-torch.log(torch.rand(len(logits), generator=generator, dtype=torch.float64)))
    return int((logits / temperature + noise).argmax())


def inverse_cdf(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> int:
    sums = torch.softmax(logits / temperature, dim=0).cumsum(0)
    return min(int(torch.searchsorted(sums, torch.rand(1, generator=generator), right=True)), len(logits) - 1)


@pytest.mark.parametrize("sampler", [gumbel, inverse_cdf])
def test_other_samplers_stay_within_the_bounds(sampler):
    """Whatever the generator is used for."""
    generator = seeded(6)
    for logits, temperature, draws, bounds in [*PUBLIC.values(), *hidden(7).values()]:
        counts = [0] * len(logits)
        for _ in range(draws):
            counts[sampler(logits, temperature, generator)] += 1
        assert all(low <= count <= high for count, (low, high) in zip(counts, bounds, strict=True))


def test_solution_draws_within_the_bounds(student):
    """A thousand fresh distributions of 30 draws each."""
    rng = seeded(8)
    for case in range(FRESH):
        size = int(torch.randint(1, 7, (), generator=rng))
        logits = 4 * torch.randn(size, generator=rng)
        temperature = float(torch.rand((), generator=rng)) * 3 + 0.05
        reply = probes.counts(student, logits, temperature, 30, case)
        bounds = oracle.bounds(logits, temperature, 30, ONE_IN_A_MILLION / FRESH)
        assert all(low <= n <= high for n, (low, high) in zip(reply["counts"].tolist(), bounds, strict=True))


def test_solution_writes_what_the_tables_say(student):
    """A thousand fresh tables of each kind: the text, what was fed and the states."""
    rng = seeded(9)
    vocabulary = "abcd"
    for case in range(FRESH):
        make = (oracle.ring, oracle.memory, oracle.undecided)[case % 3]
        rows = make(4, rng)
        seed = torch.randint(4, (1 + case % 4,), generator=rng).tolist()
        length = case % 5
        temperature = 0 if make is oracle.undecided else 1
        reply = probes.writing(
            student, rows, vocabulary, oracle.spelled(seed, vocabulary), length, temperature, generator_seed=case
        )
        tokens = seed + oracle.greedy(rows, seed, length)
        assert reply["text"] == oracle.spelled(tokens, vocabulary)
        assert reply["what the model was fed"] == (tokens[:-1] if length else [])
        assert reply["the states were carried"]


def test_tables_need_what_they_are_said_to_need():
    """A ring follows from the last token; memory does not."""
    rng = seeded(10)
    differing = 0
    for _ in range(50):
        rows = oracle.memory(6, rng)
        short = {key: row for key, row in rows.items() if len(key) < 2}
        differing += oracle.greedy(rows, [2, 0, 5, 4], 8) != oracle.greedy(short, [2, 0, 5, 4], 8)
        ring = oracle.ring(6, rng)
        assert sorted(oracle.greedy(ring, [3], 6)) == list(range(6))
    assert differing == 50
