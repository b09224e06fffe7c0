"""Hidden tests of vocabulary and batches: wild characters, sizes at every boundary, laws of the cut."""

from __future__ import annotations

import torch

from assignments.batching import oracle, probes
from grader.suite import Mismatch, Part, Reply, expect, points

SPARE = "~§жÑ"  # characters in the vocabulary that the text does without


@points(0.5, of="build_vocab", promise="vocab-order")
def test_vocabulary_of_many_scripts(submission, rng):
    # A vocabulary is of one text: none of the characters of the text before may be in it.
    text = oracle.wild_text(rng, 40) + oracle.CHARACTERS
    reply = submission.run(probes.numbering, text=text, before=SPARE)
    right = oracle.numbers("".join(dict.fromkeys(text)), oracle.alphabet(text)).tolist()
    expect(reply["numbers"]).equals(right)
    expect(reply["the size of char_to_idx"]).equals(len(right))


@points(0.25, of="build_vocab", promise="vocab-back")
def test_vocabulary_of_many_scripts_leads_back(submission, rng):
    text = oracle.wild_text(rng, 60)
    reply = submission.run(probes.way_back, text=text)
    expect(reply["characters"]).equals(list(dict.fromkeys(text)))


@points(0.5, of="encode", promise="encode-numbers")
def test_encode_many_scripts(submission, rng):
    texts = ["\n" + oracle.wild_text(rng, 50) + " ", oracle.wild_text(rng, 1)]
    characters = oracle.alphabet("".join(texts) + SPARE)
    reply = submission.run(probes.encoded, texts=texts, alphabet=characters)
    _expect_encoded(reply, texts, characters)


@points(0.25, of="encode", promise="encode-empty")
def test_encode_nothing_at_all(submission):
    characters = oracle.alphabet(oracle.CHARACTERS)
    reply = submission.run(probes.encoded, texts=[""], alphabet=characters)
    _expect_encoded(reply, [""], characters)


@points(0.25, of="encode", promise="encode-unknown", side=True)
def test_encode_names_the_stranger(submission, rng):
    # "漢" is last, and its number would be beyond the others; "Ъ" is first, and would fall between them.
    text = oracle.wild_text(rng, 20, "aZ é😀")
    characters = oracle.alphabet(text)
    strange = [text + "漢", "Ъ" + text, text + "\n"]
    reply = submission.run(probes.encoded_unknown, text=text, alphabet=characters, strange=strange)
    _expect_encoded(reply, [text], characters)
    _expect_value_errors(reply, 3, naming=True)


@points(0.25, of="decode", promise="decode-text")
def test_decode_many_scripts(submission, rng):
    text = " " + oracle.wild_text(rng, 40) + "\n"
    characters = oracle.alphabet(text + SPARE)
    _expect_decoded(submission, [(oracle.numbers(text, characters), "tensor", text)], characters)


@points(0.25, of="decode", promise="decode-text")
def test_decode_any_sequence(submission):
    characters = oracle.alphabet(oracle.CHARACTERS)
    some, one, none = torch.arange(3, 12), torch.tensor([7]), torch.zeros(0, dtype=torch.long)
    cases = [(some, form, characters[3:12]) for form in ("list", "tuple", "range")]
    cases += [(one, form, characters[7]) for form in ("list", "tensor")]
    cases += [(none, form, "") for form in ("list", "tensor")]
    _expect_decoded(submission, cases, characters)


@points(0.25, of="decode", promise="round-trip")
def test_round_trip_of_many_scripts(submission, rng):
    text = oracle.wild_text(rng, 60) + " \n"
    reply = submission.run(probes.round_trip, text=text)
    expect(reply["the text after the round trip"]).equals(text)


@points(0.5, of="create_batches", promise="batch-count")
def test_how_many_batches_at_the_boundaries(submission, rng):
    # 24 and 36 are whole multiples of B · T, yet their last target is missing.
    _expect_shapes(submission, oracle.scrambled(rng, 40), [[length, 3, 4] for length in (24, 25, 26, 36, 37)])


@points(0.25, of="create_batches", promise="batch-count")
def test_batches_of_one_row_or_one_step(submission, rng):
    _expect_shapes(submission, oracle.scrambled(rng, 17), [[9, 1, 4], [16, 5, 1], [4, 1, 1], [2, 1, 1], [17, 2, 8]])


@points(0.5, of="create_batches", promise="rows-contiguous")
def test_rows_read_on_in_every_batch(submission, rng):
    # 45 numbers, of which 36 are used: rows that start anywhere else than at 0, 12 and 24 are seen.
    data = oracle.scrambled(rng, 45)
    reply = submission.run(probes.epoch, data=data, batch_size=3, seq_len=4)
    _expect_tensors(reply, "x", oracle.batches(data, 3, 4)[0])


@points(0.25, of="create_batches", promise="rows-contiguous")
def test_a_second_epoch_kept_in_a_list(submission, rng):
    data = oracle.scrambled(rng, 34)
    reply = submission.run(probes.second_epoch, data=data, batch_size=2, seq_len=3)
    _expect_tensors(reply, "x", oracle.batches(data, 2, 3)[0])


@points(0.25, of="create_batches", promise="next-character")
def test_each_target_follows_its_input(submission, rng):
    # Judged against the x that came, wherever in the data it stands.
    data = oracle.scrambled(rng, 41)
    reply = submission.run(probes.epoch, data=data, batch_size=2, seq_len=5)
    follower = dict(zip(data.tolist(), data.tolist()[1:], strict=False))
    xs, ys = reply.sequence("x"), reply.sequence("y")
    if not xs or len(xs) != len(ys):
        raise Mismatch(f"there are {len(xs)} x and {len(ys)} y")
    for number, (x, y) in enumerate(zip(xs[:4], ys, strict=False)):
        inputs = Reply({"x": x}).tensor("x", (2, 5))
        right = [[follower.get(value) for value in row] for row in inputs.tolist()]
        if any(value is None for row in right for value in row):
            raise Mismatch(f"x of batch {number} holds a number that has no next one in the data")
        expect(Part(f"y of batch {number}", y), axes="row step").matches(torch.tensor(right))


@points(0.25, of="create_batches", promise="every-target")
def test_no_target_is_lost(submission, rng):
    data = oracle.scrambled(rng, 37)
    reply = submission.run(probes.epoch, data=data, batch_size=3, seq_len=4)
    found = []
    for y in reply.sequence("y"):
        found += Reply({"y": y}).tensor("y").flatten()[:100].tolist()
    expect(Part("the list of all targets, sorted,", sorted(found))).equals(sorted(data[1:].tolist()))


@points(0.25, of="create_batches", promise="batch-refusal", side=True)
def test_refuses_what_cannot_be_cut(submission, rng):
    data = oracle.scrambled(rng, 13)
    cases = [[12, 3, 4], [1, 1, 1], [13, 0, 4], [13, 3, 0], [13, -3, 4], [13, 3, -1], [13, -3, -4]]
    reply = submission.run(probes.refusals, data=data, batch_size=3, seq_len=4, cases=cases)
    _expect_tensors(reply, "x", oracle.batches(data, 3, 4)[0])
    _expect_value_errors(reply, len(cases))


def _expect_encoded(reply: Reply, texts: list[str], characters: str) -> None:
    right = [oracle.numbers(text, characters) for text in texts]
    _expect_tensors(reply, "results", right, axes="character")


def _expect_decoded(submission, cases: list[tuple[torch.Tensor, str, str]], characters: str) -> None:
    """In every form one of the answers is right: to a dict, or to an idx_to_char of the student's own kind."""
    asked = [(indices, form) for indices, form, _ in cases]
    reply = submission.run(probes.decoded, cases=asked, alphabet=characters)
    found = reply.sequence("answers")
    if len(found) != len(cases):
        raise Mismatch(f"there are {len(found)} answers, expected {len(cases)}")
    for (_, form, right), value in zip(cases, found, strict=True):
        answers = Reply({form: value}).sequence(form)
        if not any(isinstance(answer, str) and answer == right for answer in answers):
            raise Mismatch(f"what decode returned for a {form} is not the text")


def _expect_shapes(submission, data: torch.Tensor, cases: list[list[int]]) -> None:
    reply = submission.run(probes.shapes, data=data, cases=cases)
    right = [[[[rows, steps]] * 2] * oracle.batch_count(length, rows, steps) for length, rows, steps in cases]
    expect(Part("the shapes of x and y", reply.sequence("cases"))).equals(right)


def _expect_tensors(reply: Reply, label: str, right: list[torch.Tensor], axes: str = "row step") -> None:
    """The first of the tensors are right; how many there may be is another test's affair."""
    found = reply.sequence(label)
    if len(found) < len(right):
        raise Mismatch(f"{label} has {len(found)} tensors, expected {len(right)}")
    for number, (value, wanted) in enumerate(zip(found, right, strict=False)):
        expect(Part(f"{label} {number}", value), axes=axes).matches(wanted)


def _expect_value_errors(reply: Reply, count: int, naming: bool = False) -> None:
    """Every outcome is a ValueError, one that names the character if that is asked for."""
    outcomes = reply.sequence("outcomes")
    if len(outcomes) != count:
        raise Mismatch(f"there are {len(outcomes)} outcomes, expected {count}")
    for outcome in outcomes:
        found = Reply(outcome)
        if found["raised"].value != "ValueError":
            raise Mismatch("what was raised, if anything, is not a ValueError")
        if naming and not found.flag("names the character"):
            raise Mismatch("the ValueError does not name the character")
