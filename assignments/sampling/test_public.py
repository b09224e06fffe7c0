"""Public tests of sampling: counts of draws within bounds written out, and texts that a table leaves no choice about.

The bounds are exact: a sampler of the right distribution leaves them, all those of a test together,
less than once in a million runs.
"""

from __future__ import annotations

from typing import Any

import torch

from assignments.sampling import probes
from grader.suite import Mismatch, Reply, Tolerance, expect, points
from grader.suite.expectation import describe_kind

SAMPLE, GENERATE = "sample_next", "generate_text"

# How often the leader of a crowd may come, at least and at most, and any other index, at most:
# (its logit, temperature, draws, least, most, most of any other). In all of them it has about half of the chances.
CROWD, LEADER = 100, 42
COLD = (2.4, 0.5, 150, 41, 111, 14)
EVEN = (4.7, 1.0, 200, 62, 144, 13)
HOT = (11.5, 2.5, 150, 40, 110, 11)
FEW = 12  # counts that are shown one by one

# The same for texts, whose crowd is the 40 characters of an alphabet.
ALPHABET = " Theabcdfgijklmnopqrstuvwxyz.,:;!?-'ABCD"
HOT_TEXT = (11.0, 3.0, 100, 22, 78, 12)
DEFAULT_TEXT = (3.7, 1.0, 150, 40, 109, 17)
RARE = 12  # letters, the least likely: 10 % of the chances together, and absent from 150 draws once in 18 millions

# If a text fails with your sample_next, it is written again with that of stand_in.py: letters whose logit is at most
# 2 · temperature below the largest come alike, no others ever. NEAR of the alphabet's letters are such, the last ones
# are not. (The most of any one letter; the least and the most of the less likely half of the alphabet, together.)
NEAR = 36
HOT_NEAR = (16, 20, 70)
DEFAULT_NEAR = (20, 36, 98)
RARE_NEAR = 7  # letters, the last that are near: absent from 150 draws less than once in a billion runs

# And index by index, for logits that would overflow exp, one of them impossible: 60 draws at temperature 1.
LARGE_LOGITS = [999.5, 1000.0, -float("inf"), -1000.0, 999.5]
LARGE_BOUNDS = [(1, 36), (8, 47), (0, 0), (0, 0), (1, 36)]

# Tables of what follows what in the vocabulary "abcd": no other character has a chance worth the name.
LETTERS = "abcd"
SURE = 40.0
A, B, C, D = (torch.eye(4) * SURE).unbind()
RING = {(): A, (0,): C, (1,): D, (2,): B, (3,): A}  # a c b d a c b d …
CHOICES = {(): torch.zeros(4), (0,): torch.tensor([0.0, 1.0, 0.5, 1.0]), (1,): torch.tensor([1.0, 0.0, 1.0, 0.5])}


@points(0.5, of=SAMPLE, promise="draw")
def test_draws_at_a_low_temperature(submission, rng):
    _expect_half(submission, rng, COLD)


@points(0.5, of=SAMPLE, promise="draw")
def test_draws_at_a_high_temperature(submission, rng):
    _expect_half(submission, rng, HOT)


@points(0.25, of=SAMPLE, promise="defaults")
def test_draws_by_default(submission):
    lead, _, draws, *_ = EVEN
    reply = submission.run(probes.counts_by_default, logits=crowd(CROWD, lead), draws=draws)
    expect_counts(reply, crowd_bounds(CROWD, EVEN), draws)


@points(0.25, of=SAMPLE, promise="zero")
def test_temperature_zero_is_the_argmax(submission):
    logits = torch.tensor([[0.5, 2.0, 1.0], [-3.0, -1.5, -1.0], [2.0, 1.0, 2.0]])
    reply = submission.run(probes.draws_at_zero, logits=logits, draws=5)
    expect_choices(reply, [{1}, {2}, {0, 2}], 5)  # the last row is a tie


@points(0.25, of=SAMPLE, promise="an-int")
def test_draw_is_an_int(submission):
    reply = submission.run(probes.kinds, logits=torch.tensor([0.0, SURE, 0.0]), temperatures=[1.0, 0.5, 0.0])
    expect(reply["draws"]).equals([1, 1, 1])
    expect(reply["the type of the draw"]).equals(["int", "int", "int"])


@points(0.25, of=SAMPLE, promise="any-logits")
def test_large_and_impossible_logits(submission, rng):
    inputs = {"logits": torch.tensor(LARGE_LOGITS), "temperature": 1.0, "draws": 60, "seed": new_seed(rng)}
    expect_counts(submission.run(probes.counts, **inputs), LARGE_BOUNDS, 60)


@points(0.25, of=SAMPLE, promise="repeatable")
def test_same_generator_state_same_draws(submission, rng):
    inputs = {"logits": torch.zeros(40), "temperature": 1.0, "draws": 8, "seed": new_seed(rng)}
    expect_same_draws(submission.run(probes.same_state_twice, **inputs), 40, 8)


@points(0.25, of=SAMPLE, promise="left-alone", side=True)
def test_draw_changes_nothing_else(submission, rng):
    logits = torch.tensor([0.5, -1.0, SURE, 0.0])
    inputs = {"logits": logits, "temperature": 0.5, "draws": 5, "seed": new_seed(rng)}
    expect_nothing_changed(submission.run(probes.what_a_draw_changes, **inputs), logits, [2] * 5)


@points(0.25, of=SAMPLE, promise="errors", side=True)
def test_temperature_below_zero(submission):
    reply = submission.run(probes.draws_below_zero, logits=torch.tensor([0.0, 0.0, SURE]), temperatures=[-0.5, -1])
    expect(reply["draw"]).equals(2)
    expect(reply["refused"]).equals([True, True])


@points(0.25, of=GENERATE, promise="text")
def test_seed_and_exactly_length_characters(submission):
    seeds, lengths = ["a", "a", "dab", "bd"], [6, 1, 3, 0]
    reply = submission.run(probes.texts, rows=CHOICES, vocabulary=LETTERS, seeds=seeds, lengths=lengths)
    expect_seeds_and_lengths(reply, LETTERS, seeds, lengths)


@points(0.25, of=GENERATE, promise="next-character")
def test_text_of_a_table(submission):
    reply = submission.run(probes.texts, rows=RING, vocabulary=LETTERS, seeds=["dab"], lengths=[4])
    expect_written(reply.sequence("texts"), ["dab"], ["dacb"])


@points(0.25, of=GENERATE, promise="next-character")
def test_text_at_a_high_temperature(submission, rng):
    lead, temperature, length, *_ = HOT_TEXT
    logits = near_and_far(temperature) if submission.stand_in else crowd(len(ALPHABET), lead)
    inputs = {"logits": logits, "vocabulary": ALPHABET, "seed": "Th", "length": length}
    reply = submission.run(probes.text_from_dice, **inputs, temperature=temperature, generator_seed=new_seed(rng))
    if submission.stand_in:
        expect_near(reply, length, HOT_NEAR)
    else:
        expect_letters(reply, length, ALPHABET, crowd_bounds(len(ALPHABET), HOT_TEXT))


@points(0.25, of=GENERATE, promise="feeding")
def test_every_character_fed_once(submission, rng):
    inputs = {"rows": CHOICES, "vocabulary": LETTERS, "seed": "bca", "length": 12, "temperature": 1.0}
    expect_fed(submission.run(probes.writing, **inputs, generator_seed=new_seed(rng)), LETTERS, "bca")


@points(0.25, of=GENERATE, promise="states")
def test_states_are_passed_on(submission, rng):
    inputs = {"rows": RING, "vocabulary": LETTERS, "seed": "ba", "length": 4, "temperature": 1.0}
    reply = submission.run(probes.writing, **inputs, generator_seed=new_seed(rng))
    expect(reply["the model was called more than once"]).equals(True)
    expect(reply["the states were carried"]).equals(True)
    expect(reply["a second text began without states"]).equals(True)


@points(0.25, of=GENERATE, promise="repeatable")
def test_same_generator_state_same_text(submission, rng):
    inputs = {"logits": torch.zeros(len(ALPHABET)), "vocabulary": ALPHABET, "seed": "ab", "length": 6}
    expect_same_texts(submission.run(probes.texts_and_generators, **inputs, generator_seed=new_seed(rng)))


@points(0.25, of=GENERATE, promise="defaults")
def test_what_is_left_out(submission):
    # How long and how hot a text is by default, the signature says. Where it does not, all of the text is written.
    lead, temperature, length, *_ = DEFAULT_TEXT
    logits = near_and_far(temperature) if submission.stand_in else crowd(len(ALPHABET), lead)
    reply = submission.run(probes.text_by_default, logits=logits, vocabulary=ALPHABET, length=length)
    text, said, heat = reply.text("text"), reply["length by default"], reply["temperature by default"]
    more = 500 if said.value is None or heat.value is None else length
    if not text.startswith("The ") or len(text) != 4 + more:
        raise Mismatch(
            f"the text begins with {text[:4]!r} and has {len(text)} characters, expected 'The ' and {more} more"
        )
    if said.value is not None:
        expect(said).equals(500)
    if heat.value is not None:
        expect(heat).is_close(1.0, Tolerance(0, 0))
    if submission.stand_in:
        expect_near(reply, length, DEFAULT_NEAR)
        rare, some = list(ALPHABET[NEAR - RARE_NEAR : NEAR]), 29
    else:
        expect_letters(reply, length, ALPHABET, crowd_bounds(len(ALPHABET), DEFAULT_TEXT))
        rare, some = [ALPHABET[index] for index in logits.argsort()[:RARE]], 16
    if not set(rare) & set(text[-length:]):
        raise Mismatch(
            f"{', '.join(map(repr, rare))} came 0 times in {length} characters, expected some {some} of them together"
        )


@points(0.25, of=GENERATE, promise="quiet")
def test_no_dropout_and_no_gradients(submission):
    inputs = {"rows": RING, "vocabulary": LETTERS, "seed": "ba", "length": 3, "training": True}
    expect_quiet(submission.run(probes.what_the_model_sees, **inputs))


@points(0.25, of=GENERATE, promise="vocabulary")
def test_dict_or_list(submission):
    reply = submission.run(probes.texts_by_each_mapping, rows=RING, vocabulary="taxi", seed="tx", length=3)
    expect_written(reply.sequence("the texts with a dict and with a list"), ["tx", "tx"], ["ait", "ait"])


@points(0.25, of=GENERATE, promise="left-alone", side=True)
def test_modes_are_left_as_found(submission):
    reply = submission.run(probes.modes_afterwards, rows=RING, vocabulary=LETTERS, seed="ba", length=2)
    expect_modes_kept(reply, "bacb")


@points(0.25, of=GENERATE, promise="errors", side=True)
def test_what_cannot_be_written(submission):
    inputs = {"rows": RING, "vocabulary": LETTERS, "seed": "ba", "length": 2, "strangers": ["z", "ab?a"]}
    expect_refusals(submission.run(probes.refused_texts, **inputs), "bacb")


def crowd(size: int, lead: float) -> torch.Tensor:
    """Logits (V,) spread from -0.5 to 0.5, but for one leader."""
    logits = torch.linspace(-0.5, 0.5, size)
    logits[LEADER % size] = lead
    return logits


def crowd_bounds(size: int, setting: tuple[float, float, int, int, int, int]) -> list[tuple[int, int]]:
    """How often each index of a crowd may come."""
    *_, least, most, most_of_others = setting
    return [(least, most) if index == LEADER % size else (0, most_of_others) for index in range(size)]


def near_and_far(temperature: float) -> torch.Tensor:
    """Logits (V,) of the alphabet for the stand-in: at this temperature NEAR of them are near enough, but only just."""
    far = len(ALPHABET) - NEAR
    return temperature * torch.cat([torch.linspace(0.0, -1.9, NEAR), torch.full((far,), -2.1)])


def new_seed(rng: torch.Generator) -> int:
    """A seed for a generator in a probe."""
    return int(torch.randint(2**31, (), generator=rng))


def expect_counts(reply: Reply, bounds: list[tuple[int, int]], draws: int) -> None:
    """Each index came as often as its bounds allow."""
    counts = reply.tensor("counts", (len(bounds),)).tolist()
    if sum(counts) != draws:
        raise Mismatch(f"{sum(counts)} draws were counted, expected {draws}")
    for index, (count, (low, high)) in enumerate(zip(counts, bounds, strict=True)):
        if not low <= count <= high:
            every = f" (all: {', '.join(f'{count:g}' for count in counts)})" if len(counts) <= FEW else ""
            raise Mismatch(f"index {index} came {count} times in {draws} draws, expected {low} to {high}{every}")


def expect_choices(reply: Reply, allowed: list[set[int]], draws: int) -> None:
    """Every draw from each row is one of those allowed."""
    rows = reply.sequence("draws")
    if len(rows) != len(allowed):
        raise Mismatch(f"the draws: {len(rows)} rows, expected {len(allowed)}")
    for number, (row, choices) in enumerate(zip(rows, allowed, strict=True)):
        if not isinstance(row, list) or len(row) != draws or not all(type(d) is int and d in choices for d in row):
            wanted = " or ".join(map(str, sorted(choices)))
            raise Mismatch(
                f"at temperature 0, row {number} of the logits gave {str(row)[:80]}, expected {wanted} every time"
            )


def expect_same_draws(reply: Reply, size: int, draws: int) -> None:
    """Two generators in one state gave the same draws, and not always the same index."""
    first = reply.numbers("draws")
    if len(first) != draws or not all(0 <= index < size for index in first):
        raise Mismatch(f"the draws: {str(first)[:80]}, expected {draws} indices from 0 to {size - 1}")
    if len(set(first)) == 1:
        raise Mismatch(f"all {draws} draws from {size} equal logits gave index {first[0]:g}")
    expect(reply["draws from the same state"]).equals([int(index) for index in first])


def expect_nothing_changed(reply: Reply, logits: torch.Tensor, draws: list[int]) -> None:
    """The draws are these, the logits are as they were and so are the global generators."""
    expect(reply["draws"]).equals(draws)
    expect(reply["logits"], axes="index").matches(logits, Tolerance(0, 0))
    expect(reply["the global random states that moved"]).equals([])
    expect(reply["the grad mode is left as found"]).equals(True)


def expect_seeds_and_lengths(reply: Reply, vocabulary: str, seeds: list[str], lengths: list[int]) -> None:
    """Each text is its seed and exactly so many characters of the vocabulary."""
    for text, seed, length in zip(_texts(reply.sequence("texts"), len(seeds)), seeds, lengths, strict=True):
        if not text.startswith(seed) or len(text) != len(seed) + length or not set(text) <= set(vocabulary):
            raise Mismatch(
                f"the text is {text[:60]!r}, expected {seed!r} and {length} characters out of {vocabulary!r}"
            )


def expect_written(texts: list[Any], seeds: list[str], rights: list[str]) -> None:
    """What follows each seed is right as far as it goes; whether it goes far enough is another test's matter."""
    for text, seed, right in zip(_texts(texts, len(seeds)), seeds, rights, strict=True):
        written = text.removeprefix(seed)
        shared = min(len(written), len(right))
        if shared == 0 or written[:shared] != right[:shared]:
            raise Mismatch(f"after {seed!r} came {written[:60]!r}, expected {right!r}")


def expect_letters(reply: Reply, length: int, vocabulary: str, bounds: list[tuple[int, int]]) -> None:
    """Among the last `length` characters of the text each came as often as its bounds allow."""
    written = reply.text("text")[-length:]
    if len(written) != length:
        raise Mismatch(f"the text has {len(written)} characters, expected {length} and the seed")
    for character, (low, high) in zip(vocabulary, bounds, strict=True):
        count = written.count(character)
        if not low <= count <= high:
            raise Mismatch(f"{character!r} came {count} times in {length} characters, expected {low} to {high}")


def expect_near(reply: Reply, length: int, setting: tuple[int, int, int]) -> None:
    """The near letters of the alphabet came alike, those that are less likely too, and the others never."""
    most, least_of_half, most_of_half = setting
    far = len(ALPHABET) - NEAR
    expect_letters(reply, length, ALPHABET, [(0, most)] * NEAR + [(0, 0)] * far)
    expect_together(reply, length, ALPHABET[len(ALPHABET) // 2 :], least_of_half, most_of_half)


def expect_together(reply: Reply, length: int, letters: str, low: int, high: int) -> None:
    """Among the last `length` characters of the text are so many that are one of these letters."""
    count = sum(character in letters for character in reply.text("text")[-length:])
    if not low <= count <= high:
        raise Mismatch(f"any of {letters!r} came {count} times in {length} characters, expected {low} to {high}")


def expect_fed(reply: Reply, vocabulary: str, seed: str) -> None:
    """The model was fed the seed and then what was written, each once; the last one as it likes."""
    written = reply.text("text").removeprefix(seed)
    if not written:
        raise Mismatch("no characters were written")
    fed = reply.sequence("what the model was fed")
    if not all(type(token) is int and 0 <= token < len(vocabulary) for token in fed):
        raise Mismatch(f"the model was fed {str(fed)[:80]}, expected indices from 0 to {len(vocabulary) - 1}")
    shown = "".join(vocabulary[token] for token in fed)
    if shown not in (seed + written, seed + written[:-1]):
        raise Mismatch(
            f"the model was fed {shown[:80]!r}, expected the seed {seed!r} and then {written[:-1]!r}, as drawn"
        )


def expect_same_texts(reply: Reply) -> None:
    """Texts from one state of a generator are the same; without a generator they differ."""
    for label, alike in (("texts from the same state", True), ("texts without a generator", False)):
        one, other = _texts(reply.sequence(label), 2)
        if (one == other) != alike:
            raise Mismatch(f"{label} are {'different' if alike else 'the same'}: {one[:60]!r} and {other[:60]!r}")


def expect_different(texts: list[Any]) -> None:
    """Not all of the texts are the same."""
    if len(set(_texts(texts, len(texts)))) < 2:
        raise Mismatch(f"{len(texts)} texts are all the same, expected them to be drawn")


def expect_quiet(reply: Reply) -> None:
    """The model was called, without dropout and without gradients."""
    expect(reply["the model was called"]).equals(True)
    expect(reply["dropout was on"]).equals(False)
    expect(reply["gradients were recorded"]).equals(False)


def expect_modes_kept(reply: Reply, text: str) -> None:
    """The texts are right and every mode is as it was found."""
    expect(reply["texts"]).equals([text] * 2)
    expect(reply["training afterwards"]).equals([[True, True], [False, False]])
    expect(reply["grad mode afterwards"]).equals([False, True])
    expect(reply["modes are left as found by a call that is refused"]).equals(True)


def expect_refusals(reply: Reply, text: str) -> None:
    """The ordinary text is right and each impossible one was refused."""
    expect(reply["text"]).equals(text)
    expect(reply["an empty seed is refused"]).equals(True)
    expect(reply["an unknown character is refused"]).equals([True, True])
    expect(reply["a negative length is refused"]).equals(True)


def _expect_half(submission, rng, setting: tuple[float, float, int, int, int, int]) -> None:
    lead, temperature, draws, *_ = setting
    inputs = {"logits": crowd(CROWD, lead), "temperature": temperature, "draws": draws, "seed": new_seed(rng)}
    expect_counts(submission.run(probes.counts, **inputs), crowd_bounds(CROWD, setting), draws)


def _texts(values: list[Any], count: int) -> list[str]:
    for value in values:
        if not isinstance(value, str):
            raise Mismatch(f"generate_text returned {describe_kind(value)}, expected a str")
    if len(values) != count:
        raise Mismatch(f"{len(values)} texts came, expected {count}")
    return values
