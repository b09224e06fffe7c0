"""The solution of training and its oracle agree, known wrong loops do not, and the margins hold."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
import torch

from assignments.training import oracle, probes, test_hidden, test_public
from grader.course import load_course
from grader.diagnosis import LocalStudent, load_misconceptions, mutate
from grader.diagnosis.local import replay
from grader.suite import Mismatch, Reply
from grader.suite.plugin import derive_seed
from grader.suite.points import grading_of

FRESH_INPUTS = 1000
SEEDS = 200  # of the 4,000 on which the margins were measured
ASSIGNMENT = next(assignment for assignment in load_course() if assignment.name == "training")


@pytest.fixture(autouse=True)
def one_thread():
    """As in a session; more threads than that slow models of this size down tenfold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@functools.cache
def solution() -> LocalStudent:
    return LocalStudent("training")


def draw(seed: int) -> oracle.Case:
    """A small case of any shape: sizes of one, nothing left over, everything or nothing clipped."""
    rng = torch.Generator().manual_seed(seed)

    def pick(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=rng))

    vocab, hidden, layers = pick(2, 5), pick(1, 3), pick(0, 2)
    if layers:
        weights = oracle.recurrent_weights(rng, vocab=vocab, hidden=hidden, layers=layers)
    else:
        weights = oracle.bigram_weights(rng, vocab=vocab, hidden=hidden)
    batch_size, seq_len, batches = pick(1, 3), pick(1, 2), pick(1, 2)
    spare = pick(0, batch_size * seq_len - 1)
    text = oracle.random_text(rng, vocab, batch_size * seq_len * batches + 1 + spare)
    options = {"batch_size": batch_size, "seq_len": seq_len, "num_epochs": pick(1, 2)}
    rates = {"learning_rate": (0.1, 0.01, 0.002)[pick(0, 2)], "grad_clip": (0.1, 0.7, 5.0)[pick(0, 2)]}
    return oracle.Case(weights, text, {**options, **rates})


def off_by(case: oracle.Case) -> float:
    """The largest difference between the solution's run and the oracle's."""
    reply, right = probes.training_in_place(solution(), **case.inputs(False)), oracle.train(case)
    assert len(reply["the losses"]) == len(right.losses)
    differences = [abs(a - b) for a, b in zip(reply["the losses"], right.losses, strict=True)]
    for label, weight in right.weights.items():
        differences.append((reply[f"{label} after training"] - weight).abs().max().item())
    return max(differences)


def test_solution_and_oracle_agree():
    """On 1,000 fresh cases, ten times closer than the tests ask."""
    assert max(off_by(draw(seed)) for seed in range(FRESH_INPUTS)) < min(oracle.CLOSE) / 10


def test_batches_sent_as_data_are_the_solutions_own():
    own = LocalStudent("batching").create_batches
    for seed in range(200):
        case = draw(seed)
        sizes = case.options["batch_size"], case.options["seq_len"]
        for ours, theirs in zip(case.batches(), own(case.data, *sizes), strict=True):
            assert torch.equal(ours[0], theirs[0])
            assert torch.equal(ours[1], theirs[1])


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_gradients_by_hand_are_slopes(layers: int):
    """Central differences of the oracle's own loss, in every weight."""
    rng = torch.Generator().manual_seed(layers)
    if layers:
        weights = oracle.recurrent_weights(rng, vocab=3, hidden=2, layers=layers)
    else:
        weights = oracle.bigram_weights(rng, vocab=3, hidden=2)
    arrays = {label: value.numpy() for label, value in weights.items()}
    x, y = oracle.random_text(rng, 3, 6).view(2, 3).numpy(), oracle.random_text(rng, 3, 6).view(2, 3).numpy()
    states = [tuple(np.full((2, 2), value) for value in (0.3, -0.2))] * layers or None
    _, gradients, _ = oracle.loss_and_gradients(arrays, x, y, states)
    for label, array in arrays.items():
        for index in np.ndindex(array.shape):
            kept, sides = array[index], []
            for move in (1e-5, -1e-5):
                array[index] = kept + move
                sides.append(oracle.loss_and_gradients(arrays, x, y, states)[0])
            array[index] = kept
            assert abs((sides[0] - sides[1]) / 2e-5 - gradients[label][index]) < 1e-8


def test_margins_of_the_learning_test():
    """The right training stays nine standard deviations clear of every margin, the untrained model as far beyond."""
    figures = []
    for seed in range(SEEDS):
        case, fresh = oracle.learning_case(torch.Generator().manual_seed(seed))
        right = oracle.train(case)
        assert oracle.doubt_about(case, fresh, right.losses, right.weights) is None
        own = oracle.evaluate(right.weights, case.data, 8, 4)
        new = oracle.evaluate(right.weights, fresh, oracle.FRESH_ROWS, oracle.FRESH_COLUMNS)
        figures.append((right.losses[0] - right.losses[-1], right.losses[-1] - own, new))
    (falls, above, new), (falls_off, above_off, new_off) = np.mean(figures, 0), np.std(figures, 0)
    assert falls - 9 * falls_off > oracle.FALLS_BY
    assert abs(above) + 9 * above_off < oracle.HONEST_WITHIN
    assert new + 9 * new_off < oracle.LEARNED_BELOW < np.log(5) - 9 * new_off


def test_the_learning_test_doubts():
    """It believes neither untrained weights nor losses that are someone else's."""
    case, fresh = oracle.learning_case(torch.Generator().manual_seed(0))
    right = oracle.train(case)
    broken = {label: torch.full_like(weight, torch.nan) for label, weight in case.weights.items()}
    assert oracle.doubt_about(case, fresh, right.losses, case.weights)
    assert oracle.doubt_about(case, fresh, right.losses, broken)
    assert oracle.doubt_about(case, fresh, right.losses[:-1], right.weights)
    assert oracle.doubt_about(case, fresh, [], right.weights)
    assert oracle.doubt_about(case, fresh, [1.6, 1.6, 1.6], right.weights)
    assert oracle.doubt_about(case, fresh, [1.6, 0.3, 0.0], right.weights)


def test_a_still_model_never_learns():
    """Whatever an optimiser does: so losses and states can be judged apart from the steps."""
    rng = torch.Generator().manual_seed(0)
    weights = oracle.recurrent_weights(rng, vocab=4, hidden=3, layers=1)
    model, other = probes.model_of(weights, still=True), probes.model_of(weights, still=True)
    x = oracle.random_text(rng, 4, 6).view(2, 3)
    first = model(x)[0]
    assert torch.equal(first, other(x)[0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    first.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    optimizer.step()
    second = model(x)[0]
    assert torch.equal(second, other(x)[0])
    assert not torch.equal(second, first)  # grown, not learned


def test_stand_in_batches_answer_no_other_question():
    """They are found by `from batching import …`, for the sizes and the text they are of, and only meanwhile."""
    case = oracle.Case({}, torch.arange(14), {"batch_size": 2, "seq_len": 3})

    def ask(*question: object) -> int:
        from batching import create_batches

        return len(list(create_batches(*question)))

    with probes.stand_in_batches(case.data, case.batches()):
        assert ask(case.data, 2, 3) == 2
        assert ask(case.data[:13], 2, 3) == 2
        assert ask(case.data, 3, 2) == 0
        assert ask(case.data[1:], 2, 3) == 0
        assert ask(case.data[:12], 2, 3) == 0
    with pytest.raises(ImportError):
        ask(case.data, 2, 3)


class Here:
    """A `submission` that runs probes in this process, on code of our own."""

    stand_in = False

    def __init__(self, student: LocalStudent, seed: int) -> None:
        self.student, self.seed = student, seed

    def run(self, probe, **inputs) -> Reply:
        reply, raised = replay(self.student, probe, inputs, self.seed)
        if raised is not None:
            raise Mismatch(str(raised))
        return Reply(reply)


def complaints(student: LocalStudent, suite: ModuleType, seed: int) -> Iterator[str]:
    """What the tests of a suite have to say about some code, with inputs drawn from this seed."""
    for name, test in vars(suite).items():
        if grading_of(test) is not None:
            own = derive_seed(seed, "training", name)
            given = {"submission": Here(student, own), "rng": torch.Generator().manual_seed(own)}
            try:
                test(**{key: given[key] for key in inspect.signature(test).parameters})
            except Mismatch as problem:
                yield f"{name}: {problem}"


def test_solution_passes_whatever_the_seed():
    for seed in range(10):
        assert not list(complaints(solution(), test_hidden, seed))
    assert not list(complaints(solution(), test_public, 0))


@pytest.mark.parametrize("misconception", load_misconceptions(ASSIGNMENT), ids=lambda misconception: misconception.id)
def test_misconception_is_caught_whatever_the_seed(misconception):
    """By a hidden test, with inputs that the grader's own seed never drew."""
    wrong = LocalStudent("training", mutate("training", misconception))
    for seed in (1, 2):
        assert next(complaints(wrong, test_hidden, seed), None)
