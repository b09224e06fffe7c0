"""Laws of seq2seq: solution and oracle agree on fresh inputs, and the judge of modules and draws is just and sharp."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from assignments.seq2seq import oracle, probes, test_hidden, test_public
from assignments.seq2seq.test_public import NOTHING
from grader.diagnosis import LocalStudent
from grader.diagnosis.local import replay

ONE_IN_A_MILLION = 1e-6
FRESH = 1000
KINDS = ("rnn", "lstm", "gru")
STUDENT = LocalStudent("seq2seq")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def answer(probe, **inputs):
    """The solution's reply to a probe."""
    reply, raised = replay(STUDENT, probe, inputs, seed=0)
    assert raised is None, raised
    return reply


def whole(rng: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high + 1, (), generator=rng))


def table_case(number: int, rng: torch.Generator, memory: int = 3):
    """A table of six tokens and a batch whose sources begin differently; sizes from the smallest on."""
    batch, length, steps = 1 + number % 4, 1 + number % 3, 2 + number % 5
    table = oracle.drawn(rng, 6, memory)
    source = torch.randint(6, (batch, length), generator=rng)
    source[:, 0] = torch.randperm(6, generator=rng)[:batch]
    return table, source, torch.randint(6, (batch, steps), generator=rng)


def test_solution_and_oracle_agree_on_the_losses_of_1000_tables():
    rng = seeded(1)
    for number in range(FRESH):
        table, source, target = table_case(number, rng)
        prob = float(number % 2)
        forced = [t == 0 or prob == 1 for t in range(target.shape[1] - 1)]
        right = oracle.taught(table, source.tolist(), target.tolist(), forced)
        calls = {"": {"teacher_forcing_prob": prob}}
        reply = answer(probes.losses, table=table.inputs, source=source, target=target, calls=calls)
        assert reply["the loss ()"].item() == pytest.approx(right.loss, abs=1e-5)
        assert reply["the decoder's gradient ()"].tolist() == pytest.approx(right.by_bias, abs=1e-5)
        assert reply["the encoder's gradient ()"].tolist() == pytest.approx([right.by_lift] * 2, abs=1e-5)
        fed = answer(probes.inputs, table=table.inputs, source=source, target=target, probs=[prob])
        assert fed[f"inputs (teacher_forcing_prob={prob:g})"] == right.inputs
        assert fed[f"every state was carried on (teacher_forcing_prob={prob:g})"]


def test_solution_and_oracle_agree_on_what_1000_tables_write():
    rng = seeded(2)
    for number in range(FRESH):
        table, source, _ = table_case(number, rng)
        start, end, max_len = whole(rng, 0, 5), whole(rng, 0, 5), number % 9
        calls = {"": (source, max_len)}
        reply = answer(probes.decodes, table=table.inputs, calls=calls, start_token=start, end_token=end)
        assert reply["the rows ()"] == oracle.greedy(table, source.tolist(), start, end, max_len)


def test_solution_and_oracle_agree_on_1000_probabilities():
    rng = np.random.default_rng(3)
    for number in range(FRESH):
        step, total = int(10 ** rng.uniform(0, 4)) - 1, int(10 ** rng.uniform(0, 4))
        schedule = ("linear", "exponential", "inverse_sigmoid")[number % 3]
        k = {"linear": None, "exponential": rng.uniform(0.01, 0.999), "inverse_sigmoid": 10 ** rng.uniform(0, 3)}
        came = STUDENT.teacher_forcing_probability(step, total, schedule, k[schedule])
        assert came == pytest.approx(oracle.probability(step, total, schedule, k[schedule]), rel=1e-9, abs=1e-300)


def test_linear_is_the_fraction_that_is_left():
    for total in range(1, 40):
        for step in range(2 * total):
            exact = max(Fraction(0), 1 - Fraction(step, total))
            assert oracle.probability(step, total) == pytest.approx(float(exact), abs=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_solution_and_numpy_agree_on_contexts_and_steps(kind):
    """A thousand fresh modules of each kind, weights copied from what `fill` made of them."""
    rng = seeded(4)
    for number in range(FRESH):
        source = torch.randint(13, (1 + number % 3, 1 + number % 5), generator=rng)
        encoder = probes.built(STUDENT, "Encoder", [13, 4, 6], kind, source)
        probes.fill(encoder, 0.7, number)
        weights = {
            "embedding": "embedding.weight",
            "W_x": "layer.weight_ih_l0",
            "W_h": "layer.weight_hh_l0",
            "b_x": "layer.bias_ih_l0",
            "b_h": "layer.bias_hh_l0",
        }
        state = encoder.state_dict()
        given = {name: state[theirs].double().numpy() for name, theirs in weights.items()}
        right = oracle.library_context(given, source.numpy())
        h, c = (part.detach() for part in encoder(source))  # with gradients on: the other kernel is set up each time
        np.testing.assert_allclose(h.numpy(), right[0], atol=1e-5)
        np.testing.assert_allclose(c.numpy(), right[1], atol=1e-5)

        decoder = probes.built(STUDENT, "Decoder", [13, 4, 6], kind, source)
        probes.fill(decoder, 0.7, number)
        with torch.no_grad():
            logits, after = decoder(source[:, 0], (h, c))
        state = decoder.state_dict()
        names = {name.removesuffix("_l0").replace("layer", "cell"): own for own, name in weights.items()}
        given = {own: state[name].double().numpy() for name, own in names.items()}
        x = given["embedding"][source[:, 0].numpy()]
        h_after, c_after = oracle.library_step(given, x, h.double().numpy(), c.double().numpy())
        np.testing.assert_allclose(after[0].numpy(), h_after, atol=1e-5)
        np.testing.assert_allclose(after[1].numpy(), c_after, atol=1e-5)
        right_logits = h_after @ state["fc.weight"].double().numpy().T + state["fc.bias"].double().numpy()
        np.testing.assert_allclose(logits.numpy(), right_logits, atol=1e-5)


class Fresh:
    """A `submission` whose probes run here, and whose modules get other numbers for each course's seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def run(self, probe, **inputs):
        reply, raised = replay(STUDENT, probe, inputs, self.seed)
        assert raised is None, raised
        return test_public.Reply(reply)


DRAWN = [test for name, test in vars(test_hidden).items() if name.startswith("test_")]


@pytest.mark.parametrize("test", DRAWN, ids=[test.__name__ for test in DRAWN])
def test_no_hidden_test_turns_on_its_seed(test):
    """The solution passes every hidden test at two hundred seeds of the course."""
    takes_rng = "rng" in test.__code__.co_varnames[: test.__code__.co_argcount]
    for seed in range(200 if takes_rng else 1):
        test(submission=Fresh(seed), **({"rng": seeded(seed)} if takes_rng else {}))


def cells(kind: str, embed_size: int, hidden_size: int, how: str):
    """Shapes of the parameters of one recurrent cell, laid out as programs do: apart or joined, one bias or two."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kind] * hidden_size
    if how == "joined":
        return [(gates, embed_size + hidden_size), (gates,)]
    return [(gates, embed_size), (gates, hidden_size), (gates,), *([(gates,)] if how == "two biases" else [])]


def drawn_weights(kind: str, how: str, scale: float, rng: np.random.Generator, hidden_size: int = 6) -> oracle.Weights:
    """What `fill` may make of such a cell: W_x, W_h and biases, and an embedding of 13 tokens."""
    parts = [scale * rng.standard_normal(shape) for shape in cells(kind, 4, hidden_size, how)]
    if how == "joined":
        parts = [parts[0][:, :4], parts[0][:, 4:], parts[1]]
    # `fill` gives two biases of one shape the same numbers
    biases = (parts[2], parts[2] if how == "two biases" else 0 * parts[2])
    embedding = scale * rng.standard_normal((13, 4))
    return {"embedding": embedding, "W_x": parts[0], "W_h": parts[1], "b_x": biases[0], "b_h": biases[1]}


@pytest.mark.parametrize("how", ["two biases", "one bias", "joined"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_context_must_show_it_shows_by_far(kind, how):
    """Whatever the layout of the weights: each change moves the context a hundred times more than is asked for.

    Over 2,000 draws the smallest change is above 100 · NOTHING. The logarithm of a change is spread
    about as widely as normal numbers are, so the mean less eight deviations, which a normal number
    falls below once in 10¹⁵, must be above NOTHING too.
    """
    rng = np.random.default_rng(5)
    changes, lasts = [], []
    for _ in range(2000):
        weights = drawn_weights(kind, how, 0.4, rng)
        source = rng.integers(13, size=(2, 3))
        source[1] = source[0]
        source[1, 0] = (source[0, 0] + 1 + rng.integers(12)) % 13
        h, _ = oracle.library_context(weights, source)
        changes.append(abs(h[1] - h[0]).max())

        weights = drawn_weights(kind, how, 0.15, rng)
        same, other = rng.choice(13, size=2, replace=False)
        long = np.full((3, test_hidden.LONG), same)
        long[1, 0] = long[2, -1] = other
        for state in oracle.library_context(weights, long):
            by_first, by_last = (abs(state[row] - state[0]).max() for row in (1, 2))
            assert by_first < 0.05 / 4 * by_last
            lasts.append(by_last)
    for sizes in (changes, lasts):
        assert min(sizes) > 100 * NOTHING
        logs = np.log(sizes)
        assert logs.mean() - 8 * logs.std() > math.log(NOTHING)


def test_intervals_are_exact():
    """The chance of leaving an interval, in whole fractions; and a narrower one would be left more often."""
    for draws, prob in ((22, Fraction(1, 2)), (test_hidden.DRAWS, Fraction(str(test_hidden.PROB)))):
        mass = [math.comb(draws, k) * prob**k * (1 - prob) ** (draws - k) for k in range(draws + 1)]
        low, high = oracle.interval(draws, float(prob))
        assert sum(mass) == 1
        assert sum(mass[:low]) + sum(mass[high + 1 :]) <= oracle.FALSE_FAILURES
        assert max(sum(mass[: low + 1]), sum(mass[high:])) > oracle.FALSE_FAILURES / 2
    assert oracle.interval(22, 0.5) == (test_public.LEAST, test_public.MOST)


@pytest.mark.parametrize("allowed", [1e-1, 1e-2, 1e-3])
def test_simulated_false_failures(allowed):
    """What is promised for one in a million holds where a simulation can see it."""
    runs = 200_000
    for draws, prob in ((22, 0.5), (test_hidden.DRAWS, test_hidden.PROB)):
        low, high = oracle.interval(draws, prob, allowed)
        counts = np.random.default_rng(6).binomial(draws, prob, size=runs)
        failed = ((counts < low) | (counts > high)).mean()
        assert allowed / 20 <= failed <= allowed + 5 * math.sqrt(allowed / runs)


def test_simulated_tests_do_not_fail():
    for draws, prob in ((22, 0.5), (test_hidden.DRAWS, test_hidden.PROB)):
        low, high = oracle.interval(draws, prob)
        counts = np.random.default_rng(7).binomial(draws, prob, size=1_000_000)
        assert ((counts < low) | (counts > high)).sum() <= 5  # a millionth of them is one


def test_one_draw_for_all_steps_is_always_caught():
    for draws, prob in ((22, 0.5), (test_hidden.DRAWS, test_hidden.PROB)):
        low, high = oracle.interval(draws, prob)
        assert low > 0 and high < draws


def test_rows_that_draw_for_themselves_are_caught():
    """Two rows agree by chance in all of 22 steps or more once in four million runs."""
    for draws, prob in ((22, 0.5), (test_hidden.DRAWS, test_hidden.PROB)):
        assert (prob**2 + (1 - prob) ** 2) ** draws < ONE_IN_A_MILLION


def test_targets_never_say_what_the_parrot_says():
    rng = seeded(8)
    for _ in range(FRESH):
        target = oracle.off_token_zero(rng, 2, test_hidden.DRAWS + 2, 6)
        assert target.min() >= 1 and target.max() <= 5
        assert (target[:, 1:] != target[:, :-1]).all()


def test_no_drawn_table_is_a_close_call():
    rng = seeded(9)
    for _ in range(FRESH):
        for row in oracle.drawn(rng, 6, 3).rows.values():
            best, second = sorted(row, reverse=True)[:2]
            assert best - second > 0.29
