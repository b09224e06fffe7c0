"""No double jeopardy: a part whose prerequisite is broken is graded with a stand-in, its own mistakes still cost.

The prerequisite may be another assignment, or another function of the same module.
"""

from __future__ import annotations

import pytest

from grader.course import ASSIGNMENTS, SOLUTIONS, STARTER, select
from grader.diagnosis import load_misconceptions, mutate
from tests.support import rows_of

CELLS = (SOLUTIONS / "cells.py").read_text()
MODEL = (SOLUTIONS / "language_model.py").read_text()
BATCHING = (SOLUTIONS / "batching.py").read_text()
TRAINING = (SOLUTIONS / "training.py").read_text()
LSTM_STEP = "c_t = f * c_prev + i * candidate"

BROKEN_CELLS = {
    "missing": None,
    "untouched": (STARTER / "cells.py").read_text(),
    "syntax error": "def broken(:\n",
    "raises at import": "raise RuntimeError('not today')\n",
    "swapped gates": CELLS.replace("i, f, candidate, o", "i, f, o, candidate"),
    "a class missing": CELLS.replace("class GRUCellFromScratch", "class GRU"),
    "library cells": CELLS.replace(
        LSTM_STEP, f"{LSTM_STEP}\n        nn.LSTMCell(1, 1)(x_t[:, :1], (x_t[:, :1], x_t[:, :1]))"
    ),
    "loops for ever": CELLS.replace(LSTM_STEP, f"{LSTM_STEP}\n        while True:\n            pass"),
    "crashes": CELLS.replace(LSTM_STEP, f"{LSTM_STEP}\n        import os\n        os.abort()"),
    "returns None": CELLS.replace("return h_t, c_t", "return None"),
}
BROKEN_BATCHING = {
    "missing": None,
    "untouched": (STARTER / "batching.py").read_text(),
    "syntax error": "def broken(:\n",
    "no batches": BATCHING.replace("yield x, y", "return"),
    "not shifted": BATCHING.replace("data[1 : used + 1]", "data[:used]"),
}


SAMPLING = (SOLUTIONS / "sampling.py").read_text()
SAMPLER = SAMPLING[SAMPLING.index("def sample_next") : SAMPLING.index("def generate_text")]
STUB = (STARTER / "sampling.py").read_text()
STUB_SAMPLER = STUB[STUB.index("def sample_next") : STUB.index("def generate_text")]
PROBABILITIES = "probabilities = torch.softmax(scaled, dim=-1)"
BROKEN_SAMPLERS = {
    "missing": "",
    "untouched": STUB_SAMPLER,
    "softmax twice": SAMPLER.replace(PROBABILITIES, f"scaled = torch.softmax(scaled, -1)\n    {PROBABILITIES}"),
    "draws from logarithms": SAMPLER.replace(PROBABILITIES, "probabilities = torch.log_softmax(scaled, dim=-1)"),
    "reseeds": SAMPLER.replace(PROBABILITIES, f"torch.manual_seed(0)\n    generator = None\n    {PROBABILITIES}"),
    "returns a tensor": SAMPLER.replace("draw.item()", "draw"),
    "another interface": SAMPLER.replace("logits, temperature=1.0, generator=None", "logits"),
    "loops for ever": SAMPLER.replace(PROBABILITIES, "while True:\n        pass"),
}


def with_sampler(sampler, source=SAMPLING):
    """The sampling module with another `sample_next` in it."""
    assert SAMPLER in source
    return {"sampling.py": source.replace(SAMPLER, sampler)}


def of_text(document, *statuses):
    return {name: row for name, row in rows_of(document, *statuses).items() if row["of"] == "generate_text"}


def submission(file, broken, own, source):
    return {own: source} if broken is None else {file: broken, own: source}


@pytest.mark.parametrize("how", BROKEN_CELLS)
def test_broken_cells_do_not_sink_the_model(how, grade_own):
    document = grade_own(submission("cells.py", BROKEN_CELLS[how], "language_model.py", MODEL), ["language_model"])
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}
    assert any("stand-in" in test["message"] for test in rows_of(document).values())


@pytest.mark.parametrize("how", BROKEN_BATCHING)
def test_broken_batches_do_not_sink_the_training(how, grade_own):
    document = grade_own(submission("batching.py", BROKEN_BATCHING[how], "training.py", TRAINING), ["training"])
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}


@pytest.mark.parametrize("name", ["language_model", "training"])
def test_its_own_mistakes_cost_the_same_on_broken_ground(name, grade_own):
    (assignment,) = select([name])
    need = assignment.needs[0]
    for misconception in load_misconceptions(assignment)[::8]:
        wrong = mutate(name, misconception)
        right = (SOLUTIONS / f"{need}.py").read_text()
        on_firm = grade_own({f"{need}.py": right, assignment.file: wrong}, [name])
        on_broken = grade_own({assignment.file: wrong}, [name])
        assert on_broken["score"] == on_firm["score"], misconception.id
        named = {test["misconception"] for test in rows_of(on_broken, "failed", "error").values()}
        assert (misconception.same_as or misconception.id) in named, misconception.id


@pytest.mark.parametrize("how", ["missing", "syntax error", "library cells"])
def test_its_own_mistakes_are_spoken_of_and_not_the_broken_ground(how, grade_own):
    wrong = MODEL.replace("self.fc(", "2 * self.fc(", 1)
    assert wrong != MODEL
    document = grade_own(submission("cells.py", BROKEN_CELLS[how], "language_model.py", wrong), ["language_model"])
    failed = rows_of(document, "failed", "error")
    grounds = ("No module", "cells.py", "library")
    assert failed and not any(ground in row["message"] for row in failed.values() for ground in grounds)


def test_a_passed_test_says_nothing_where_nothing_is_wrong(grade_own):
    document = grade_own({"cells.py": CELLS, "language_model.py": MODEL}, ["language_model"])
    assert all(test["message"] == "" for test in rows_of(document).values())


def test_an_unfinished_part_is_its_own_and_not_its_prerequisites(grade_own):
    document = grade_own({"language_model.py": (STARTER / "language_model.py").read_text()}, ["language_model"])
    assert document["score"] == 0


@pytest.mark.parametrize("how", BROKEN_SAMPLERS)
def test_a_broken_sampler_does_not_sink_the_text(how, grade_own):
    document = grade_own(with_sampler(BROKEN_SAMPLERS[how]), ["sampling"])
    assert of_text(document, "failed", "error", "timeout", "grader-error") == {}
    assert any("stand-in" in test["message"] for test in of_text(document).values())
    assert 0 < document["score"] < 10


def test_a_broken_sampler_in_a_package_does_not_sink_the_text(grade_own):
    files = with_sampler(BROKEN_SAMPLERS["missing"])
    document = grade_own({"sampling/__init__.py": files["sampling.py"].rstrip("\n")}, ["sampling"])
    assert of_text(document, "failed", "error", "timeout", "grader-error") == {}


@pytest.mark.parametrize("how", ["missing", "softmax twice"])
def test_mistakes_of_the_text_cost_the_same_beside_a_broken_sampler(how, grade_own):
    (assignment,) = select(["sampling"])
    known = [misconception for misconception in load_misconceptions(assignment) if misconception.of == "generate_text"]
    for misconception in [m for m in known if "temperature" in m.id or "argmax" in m.id] + known[::12]:
        wrong = mutate("sampling", misconception)
        on_firm = of_text(grade_own({"sampling.py": wrong}, ["sampling"]), "failed", "error")
        on_broken = of_text(grade_own(with_sampler(BROKEN_SAMPLERS[how], wrong), ["sampling"]), "failed", "error")
        assert on_broken.keys() == on_firm.keys(), misconception.id
        assert {row["misconception"] for row in on_broken.values()} == {misconception.same_as or misconception.id}


def test_who_draws_in_the_text_itself_stands_alone(grade_own):
    """Right and wrong: the text's own draws count, whatever `sample_next` does."""
    call = "sample_next(logits[0, -1], temperature, generator)"
    inline = "int(torch.multinomial((logits[0, -1] / max(temperature, 1e-6)).softmax(0), 1, generator=generator))"
    own = SAMPLING.replace(call, inline)
    assert of_text(grade_own(with_sampler("", own), ["sampling"]), "failed", "error") == {}
    flat = own.replace(".softmax(0)", ".softmax(0).softmax(0)")
    failed = of_text(grade_own(with_sampler("", flat), ["sampling"]), "failed", "error")
    assert {"test_text_at_a_high_temperature", "test_what_is_left_out", "test_text_of_a_table"} <= failed.keys()


@pytest.mark.parametrize(
    "given",
    [
        "logits[0, -1].softmax(0)",
        "logits[0, -1] / 2",
        "logits[0, -1] + torch.where(logits[0, -1].argsort().argsort() < logits.shape[-1] - 5, -99.0, 0.0)",
    ],
)
def test_a_stand_in_forgives_no_mistake_of_the_text(given, grade_own):
    wrong = SAMPLING.replace("sample_next(logits[0, -1]", f"sample_next({given}")
    for source in (wrong, wrong.replace(SAMPLER, "")):
        failed = of_text(grade_own({"sampling.py": source}, ["sampling"]), "failed", "error")
        assert "test_what_is_left_out" in failed, given


def test_the_stand_in_is_no_answer(grade_own):
    """Who hands it in for a `sample_next` of their own loses the draws."""
    stand_in = (ASSIGNMENTS / "sampling" / "stand_in.py").read_text()
    document = grade_own(with_sampler(stand_in), ["sampling"])
    failed = {name for name, row in rows_of(document, "failed", "error").items() if row["of"] == "sample_next"}
    assert {"test_draws_at_a_low_temperature", "test_draws_at_a_high_temperature", "test_draws_by_default"} <= failed
    assert {"test_counts_at_a_low_temperature", "test_counts_at_a_high_temperature", "test_counts_by_default"} <= failed


def test_a_text_that_is_not_written_yet_is_said_to_be_so(grade_own):
    document = grade_own(
        {"sampling.py": SAMPLER.join(["import torch\n\n\n", STUB[STUB.index("def gen") :]])}, ["sampling"]
    )
    assert all("not implemented yet" in row["message"] for row in of_text(document).values())
    assert {row["of"] for row in rows_of(document, "passed").values()} == {"sample_next"}
