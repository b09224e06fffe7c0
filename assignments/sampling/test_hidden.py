"""Hidden tests of sampling: other logits, temperatures, tables and seeds, drawn for each test."""

from __future__ import annotations

from typing import Any

import torch

from assignments.sampling import oracle, probes
from assignments.sampling.test_public import (
    expect_choices,
    expect_counts,
    expect_different,
    expect_fed,
    expect_letters,
    expect_modes_kept,
    expect_nothing_changed,
    expect_quiet,
    expect_refusals,
    expect_same_draws,
    expect_same_texts,
    expect_seeds_and_lengths,
    expect_together,
    expect_written,
    new_seed,
)
from grader.suite import Mismatch, Reply, expect, points

SAMPLE, GENERATE = "sample_next", "generate_text"


@points(0.25, of=SAMPLE, promise="draw")
def test_counts_at_a_low_temperature(submission, rng):
    _expect_draws(submission, rng, oracle.half_and_half(90, 0.2, rng), 0.2, 150)


@points(0.25, of=SAMPLE, promise="draw")
def test_counts_at_a_high_temperature(submission, rng):
    logits, half = oracle.half_and_half(90, 2.2, rng), oracle.FALSE_FAILURES / 2
    reply = _expect_draws(submission, rng, logits, 2.2, 150, half)
    low, high = oracle.tail_bounds(logits, 2.2, 150, half)
    came = int(reply.tensor("counts")[oracle.tail(logits)].sum())
    if not low <= came <= high:
        raise Mismatch(f"the less likely half came {came} times in 150 draws, expected {low} to {high}")


@points(0.25, of=SAMPLE, promise="defaults")
def test_counts_by_default(submission, rng):
    logits = oracle.half_and_half(90, 1.0, rng)
    reply = submission.run(probes.counts_by_default, logits=logits, draws=300)
    expect_counts(reply, oracle.bounds(logits, 1.0, 300), 300)
    # The least likely indices, 5 % together, stay away from all 300 draws twice in ten million runs; a
    # sampler that cuts the tail off (top-p) never draws one of them.
    tail = oracle.least_likely(logits, 0.05)
    if not reply.tensor("counts")[tail].sum():
        raise Mismatch("the least likely indices never come")


@points(0.25, of=SAMPLE, promise="any-logits")
def test_logits_of_any_size(submission, rng):
    # exp(1000) is inf in float64 too, and so is exp of the 10,000 that temperature 0.01 makes of 100. Of the largest
    # one leads so that who clamps is seen, and below 0 so is who puts a number in the place of -inf.
    large = torch.tensor([-1000.0, 1000.0, 997.2, -torch.inf, 997.2, -torch.inf], dtype=torch.float64)
    cold = torch.tensor([-100.0, 100.0, 99.96, 0.0])
    below = torch.tensor([-1003.0, -torch.inf, -1000.0, -1000.5, -torch.inf])
    for logits, temperature in ((large, 0.8), (cold, 0.01), (below, 1.3)):
        order = torch.randperm(len(logits), generator=rng)
        _expect_draws(submission, rng, logits[order], temperature, 40, oracle.FALSE_FAILURES / 3)


@points(0.25, of=SAMPLE, promise="zero")
def test_argmax_of_close_logits(submission):
    logits = torch.tensor([[1.0, 1.002, 1.001, 0.0], [-2.0, -2.0, -2.001, -9.0], [0.0, 0.0, 0.0, 900.0]])
    reply = submission.run(probes.draws_at_zero, logits=logits, draws=8)
    expect_choices(reply, [{1}, {0, 1}, {3}], 8)


@points(0.25, of=SAMPLE, promise="an-int")
def test_int_from_one_logit_or_many(submission):
    for token, size in ((0, 1), (59, 60)):
        reply = submission.run(probes.kinds, logits=oracle.leads(token, size), temperatures=[1, 0, 0.7])
        expect(reply["draws"]).equals([token] * 3)
        expect(reply["the type of the draw"]).equals(["int"] * 3)


@points(0.25, of=SAMPLE, promise="repeatable")
def test_draws_follow_the_generator(submission, rng):
    # 1500 logits: each has less than a thousandth of the chances, and none of them is nothing.
    inputs = {"logits": torch.rand(1500, generator=rng), "temperature": 1.7, "draws": 8, "seed": new_seed(rng)}
    expect_same_draws(submission.run(probes.same_state_twice, **inputs), 1500, 8)


@points(0.25, of=GENERATE, promise="text")
def test_texts_of_other_lengths(submission, rng):
    vocabulary, seeds, lengths = "aeinst ", ["e", "stain", "a tin is", "te"], [9, 1, 4, 0]
    rows = oracle.undecided(7, rng)
    reply = submission.run(probes.texts, rows=rows, vocabulary=vocabulary, seeds=seeds, lengths=lengths)
    expect_seeds_and_lengths(reply, vocabulary, seeds, lengths)


@points(0.25, of=GENERATE, promise="next-character")
def test_letters_at_two_temperatures(submission, rng):
    vocabulary, stand_in = "etaoinshrdlucmfwypvbgkjqxz ETAOINSHRDLU.,", submission.stand_in
    share = oracle.FALSE_FAILURES / (4 if stand_in else 2)  # of each check below
    for temperature in (0.35, 3.5):
        if stand_in:
            logits = oracle.near_and_far(len(vocabulary), 5, temperature, rng)
        else:
            logits = oracle.half_and_half(len(vocabulary), temperature, rng)
        inputs = {"logits": logits, "vocabulary": vocabulary, "seed": "not", "length": 80, "temperature": temperature}
        reply = submission.run(probes.text_from_dice, **inputs, generator_seed=new_seed(rng))
        expect_letters(reply, 80, vocabulary, oracle.bounds(logits, temperature, 80, share, stand_in))
        if stand_in:
            tail = oracle.spelled(oracle.tail(logits), vocabulary)
            expect_together(reply, 80, tail, *oracle.tail_bounds(logits, temperature, 80, share, stand_in))
    inputs = {"logits": torch.zeros(len(vocabulary)), "vocabulary": vocabulary, "seed": "not", "count": 6}
    reply = submission.run(probes.first_characters, **inputs, generator_seed=new_seed(rng))
    expect_different(reply.sequence("texts"))  # the first character is drawn like all others


@points(0.25, of=GENERATE, promise="next-character")
def test_text_follows_the_table(submission, rng):
    vocabulary, rows, seeds, lengths = "abcdef", oracle.ring(6, rng), ["fade", "b"], [6, 3]
    reply = submission.run(probes.texts, rows=rows, vocabulary=vocabulary, seeds=seeds, lengths=lengths)
    _expect_greedy(reply.sequence("texts"), rows, vocabulary, seeds, lengths)


@points(0.25, of=GENERATE, promise="next-character")
def test_greedy_texts(submission, rng):
    # The last of them all goes on and on: who keeps a character from coming twice in a row is seen.
    vocabulary, rows, seeds, lengths = "abcdef", oracle.way_out(6, rng, lead=0.5), ["fade", "b"], [6, 7]
    reply = submission.run(probes.greedy_texts, rows=rows, vocabulary=vocabulary, seeds=seeds, lengths=lengths)
    _expect_greedy(reply.sequence("texts"), rows, vocabulary, seeds, lengths)


@points(0.25, of=GENERATE, promise="feeding")
def test_seeds_of_one_and_of_many(submission, rng):
    for seed, length in (("e", 6), ("abacabad", 12)):
        inputs = {"rows": oracle.undecided(5, rng), "vocabulary": "abcde", "seed": seed, "length": length}
        reply = submission.run(probes.writing, **inputs, temperature=1.5, generator_seed=new_seed(rng))
        expect_fed(reply, "abcde", seed)


@points(0.25, of=GENERATE, promise="states")
def test_the_model_remembers(submission, rng):
    vocabulary, rows = "abcdef", oracle.memory(6, rng)
    inputs = {"rows": rows, "vocabulary": vocabulary, "seed": "cafe", "length": 8, "temperature": 1.0}
    reply = submission.run(probes.writing, **inputs, generator_seed=new_seed(rng))
    expect(reply["the states were carried"]).equals(True)
    expect(reply["a second text began without states"]).equals(True)
    _expect_greedy([reply.text("text")], rows, vocabulary, ["cafe"], [8])


@points(0.25, of=GENERATE, promise="repeatable")
def test_text_follows_the_generator(submission, rng):
    letters = "abcdefghijklmnopqrstuvwxyz"
    inputs = {"logits": torch.rand(26, generator=rng), "vocabulary": letters, "seed": "f", "length": 7}
    expect_same_texts(submission.run(probes.texts_and_generators, **inputs, generator_seed=new_seed(rng)))


@points(0.25, of=GENERATE, promise="quiet")
def test_quiet_in_either_mode(submission, rng):
    vocabulary, rows = "abcdef", oracle.ring(6, rng)
    for training, seed in ((True, "d"), (False, "face")):
        inputs = {"rows": rows, "vocabulary": vocabulary, "seed": seed, "length": 4, "training": training}
        expect_quiet(submission.run(probes.what_the_model_sees, **inputs))


@points(0.25, of=GENERATE, promise="vocabulary")
def test_unsorted_and_tiny_vocabularies(submission, rng):
    for vocabulary, seed in (("ZebrA", "bAr"), (" ", "  ")):  # capitals stay, and so does the space around a text
        rows = oracle.ring(len(vocabulary), rng)
        reply = submission.run(probes.texts_by_each_mapping, rows=rows, vocabulary=vocabulary, seed=seed, length=4)
        texts = reply.sequence("the texts with a dict and with a list")
        _expect_greedy(texts, rows, vocabulary, [seed, seed], [4, 4])


@points(0.125, of=SAMPLE, promise="left-alone", side=True)
def test_a_draw_leaves_all_else_alone(submission, rng):
    logits = oracle.leads(3, 5, 2 * oracle.SURE)
    inputs = {"logits": logits, "temperature": 2.0, "draws": 5, "seed": new_seed(rng)}
    expect_nothing_changed(submission.run(probes.what_a_draw_changes, **inputs), logits, [3] * 5)


@points(0.125, of=SAMPLE, promise="errors", side=True)
def test_refused_temperatures(submission):
    reply = submission.run(probes.draws_below_zero, logits=oracle.leads(1, 3), temperatures=[-2, -0.001])
    expect(reply["draw"]).equals(1)
    expect(reply["refused"]).equals([True, True])


@points(0.125, of=GENERATE, promise="left-alone", side=True)
def test_a_text_leaves_all_else_alone(submission, rng):
    vocabulary, rows = "abcd", oracle.ring(4, rng)
    reply = submission.run(probes.modes_afterwards, rows=rows, vocabulary=vocabulary, seed="c", length=3)
    expect_modes_kept(reply, _greedy_text(rows, vocabulary, "c", 3))


@points(0.125, of=GENERATE, promise="errors", side=True)
def test_refused_texts(submission, rng):
    vocabulary, rows = "abcd", oracle.ring(4, rng)
    inputs = {"rows": rows, "vocabulary": vocabulary, "seed": "d", "length": 3, "strangers": ["ä", "dad\n"]}
    expect_refusals(submission.run(probes.refused_texts, **inputs), _greedy_text(rows, vocabulary, "d", 3))


def _expect_draws(
    submission,
    rng: torch.Generator,
    logits: torch.Tensor,
    temperature: float,
    draws: int,
    false_failures: float = oracle.FALSE_FAILURES,
) -> Reply:
    inputs = {"logits": logits, "temperature": temperature, "draws": draws, "seed": new_seed(rng)}
    reply = submission.run(probes.counts, **inputs)
    expect_counts(reply, oracle.bounds(logits, temperature, draws, false_failures), draws)
    return reply


def _expect_greedy(texts: list[Any], rows: oracle.Rows, vocabulary: str, seeds: list[str], lengths: list[int]) -> None:
    """What follows each seed is what the table's largest logits say."""
    rights = [_greedy_text(rows, vocabulary, *pair).removeprefix(pair[0]) for pair in zip(seeds, lengths, strict=True)]
    expect_written(texts, seeds, rights)


def _greedy_text(rows: oracle.Rows, vocabulary: str, seed: str, length: int) -> str:
    tokens = [vocabulary.index(character) for character in seed]
    return seed + oracle.spelled(oracle.greedy(rows, tokens, length), vocabulary)
