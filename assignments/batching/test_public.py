"""Public tests of vocabulary and batches: every right answer is written out."""

from __future__ import annotations

import torch

from assignments.batching import probes
from grader.suite import Mismatch, Part, Reply, expect, points

# Distinct numbers in no order, so that each tells where it stood.
DATA = torch.tensor([31, 12, 25, 40, 18, 7, 22, 35, 9, 28, 14, 3, 38, 20, 11, 33])
FOX = " Tbcefhiknoqruwx"  # the vocabulary of "The quick brown fox"


def padded(items: list[object], count: int) -> list[object]:
    """Exactly this many items: an answer that is too short goes on with None."""
    return [*items, *[None] * count][:count]


@points(0.5, of="build_vocab", promise="vocab-order")
def test_vocabulary_in_order(submission):
    # By first appearance B would be 0, by frequency l; a sort that ignores case puts a before B.
    reply = submission.run(probes.numbering, text="Ball, all\nlané")
    right = {"B": 3, "a": 4, "l": 5, ",": 2, " ": 1, "\n": 0, "n": 6, "é": 7}
    _expect_numbers(reply, right)


@points(0.25, of="build_vocab", promise="vocab-back")
def test_vocabulary_leads_back(submission):
    reply = submission.run(probes.way_back, text="Ball, all\nlané")
    expect(reply["characters"]).equals(["B", "a", "l", ",", " ", "\n", "n", "é"])


@points(0.25, of="build_vocab", promise="vocab-empty", side=True)
def test_vocabulary_of_an_empty_text(submission):
    reply = submission.run(probes.vocabulary_of_nothing, text="cab")
    _expect_numbers(reply, {"c": 2, "a": 0, "b": 1})
    _expect_value_error(reply["outcome"], 'build_vocab("")')


@points(0.5, of="encode", promise="encode-numbers")
def test_encode_a_word(submission):
    # The vocabulary has more characters than the word: the numbers are those of the vocabulary given.
    reply = submission.run(probes.encoded, texts=["quick fox"], alphabet=FOX)
    _expect_encoded(reply, torch.tensor([11, 13, 7, 3, 8, 0, 5, 10, 15]))


@points(0.25, of="encode", promise="encode-empty")
def test_encode_nothing(submission):
    reply = submission.run(probes.encoded, texts=[""], alphabet=FOX)
    _expect_encoded(reply, torch.zeros(0, dtype=torch.long))


@points(0.25, of="encode", promise="encode-unknown", side=True)
def test_encode_an_unknown_character(submission):
    reply = submission.run(probes.encoded_unknown, text="fox", alphabet=FOX, strange=["box ж fox"])
    _expect_encoded(reply, torch.tensor([5, 10, 15]))
    _expect_value_error(
        Part("the outcome", padded(reply.sequence("outcomes"), 1)[0]), 'encode("box ж fox", …)', naming=True
    )


@points(0.25, of="decode", promise="decode-text")
def test_decode_a_tensor(submission):
    reply = submission.run(probes.decoded, cases=[(torch.tensor([5, 10, 15, 0, 4]), "tensor")], alphabet=FOX)
    _expect_decoded(reply, "tensor", "fox e")


@points(0.25, of="decode", promise="decode-text")
def test_decode_a_list(submission):
    reply = submission.run(probes.decoded, cases=[(torch.tensor([1, 6, 4, 0, 2]), "list")], alphabet=FOX)
    _expect_decoded(reply, "list", "The b")


@points(0.25, of="decode", promise="round-trip")
def test_round_trip(submission):
    text = "To be, or not to be:\n  that is the question. Où ça?"
    reply = submission.run(probes.round_trip, text=text)
    expect(reply["the text after the round trip"]).equals(text)


@points(0.5, of="create_batches", promise="batch-count")
def test_how_many_batches(submission):
    # 16 characters leave three over; 13 are just enough for two batches and 12 are one too few.
    cases = {(16, 2, 3): 2, (13, 2, 3): 2, (12, 2, 3): 1}
    reply = submission.run(probes.shapes, data=DATA, cases=[list(case) for case in cases])
    found = padded(reply.sequence("cases"), len(cases))
    for (case, count), value in zip(cases.items(), found, strict=True):
        length, rows, steps = case
        where = f"N = {length}, B = {rows}, T = {steps}"
        batches = Reply({where: value}).sequence(where)
        if len(batches) != count:
            raise Mismatch(f"with {where} the number of batches is {len(batches)}, expected {count}")
        for number, shapes in enumerate(batches):
            expect(Part(f"the shapes of x and y in batch {number} with {where}", shapes)).equals([[rows, steps]] * 2)


@points(0.75, of="create_batches", promise="rows-contiguous")
def test_rows_read_on(submission):
    # Each row reads on in the next batch: row 0 is the first six numbers, row 1 the next six.
    reply = submission.run(probes.epoch, data=DATA, batch_size=2, seq_len=3)
    first = torch.tensor([[31, 12, 25], [22, 35, 9]])
    second = torch.tensor([[40, 18, 7], [28, 14, 3]])
    _expect_batches(reply, "x", [first, second])


@points(0.5, of="create_batches", promise="next-character")
def test_targets_are_the_next_characters(submission):
    # One row, so that this is about x and y alone: x is 31, 12, 25, 40 and then 18, 7, 22, 35.
    reply = submission.run(probes.epoch, data=DATA[:10], batch_size=1, seq_len=4)
    _expect_batches(reply, "y", [torch.tensor([[12, 25, 40, 18]]), torch.tensor([[7, 22, 35, 9]])])


@points(0.25, of="create_batches", promise="every-target")
def test_every_target_once(submission):
    reply = submission.run(probes.epoch, data=DATA[:13], batch_size=2, seq_len=3)
    found = []
    for number, y in enumerate(reply.sequence("y")):
        name = f"y of batch {number}"
        found += Reply({name: y}).tensor(name).flatten()[:100].tolist()
    right = [3, 7, 9, 12, 14, 18, 22, 25, 28, 35, 38, 40]
    expect(Part("all targets, sorted", sorted(found))).equals(right)


@points(0.25, of="create_batches", promise="batch-refusal", side=True)
def test_too_little_for_a_batch(submission):
    # Six inputs need seven characters: the last one is a target only.
    reply = submission.run(probes.refusals, data=DATA[:7], batch_size=2, seq_len=3, cases=[[6, 2, 3], [7, 2, 0]])
    _expect_batches(reply, "x", [torch.tensor([[31, 12, 25], [40, 18, 7]])])
    short, no_steps = padded(reply.sequence("outcomes"), 2)
    _expect_value_error(Part("the outcome", short), "create_batches with N = 6, B = 2, T = 3")
    _expect_value_error(Part("the outcome", no_steps), "create_batches with N = 7, B = 2, T = 0")


@points(0.25, of="create_batches", promise="left-alone", side=True)
def test_batches_stay_as_they_were(submission):
    reply = submission.run(probes.kept_epoch, data=DATA[:10], batch_size=1, seq_len=4)
    _expect_batches(reply, "x", [torch.tensor([[31, 12, 25, 40]]), torch.tensor([[18, 7, 22, 35]])])
    _expect_batches(reply, "y", [torch.tensor([[12, 25, 40, 18]]), torch.tensor([[7, 22, 35, 9]])])
    expect(reply["data afterwards"]).matches(DATA[:10])
    expect(reply["gradients are on at every batch and afterwards"]).equals(True)


def _expect_numbers(reply: Reply, right: dict[str, int]) -> None:
    for ch, number in zip(right, padded(reply.sequence("numbers"), len(right)), strict=True):
        if number is None:
            raise Mismatch(f"char_to_idx has nothing for {ch!r}")
        expect(Part(f"char_to_idx[{ch!r}]", number)).equals(right[ch])
    expect(reply["the size of char_to_idx"]).equals(len(right))


def _expect_encoded(reply: Reply, right: torch.Tensor) -> None:
    result = padded(reply.sequence("results"), 1)[0]
    expect(Part("what encode returned", result), axes="character").matches(right)


def _expect_decoded(reply: Reply, form: str, right: str) -> None:
    """One of the answers is right: to a dict, or to an idx_to_char of the student's own kind."""
    answers = Reply({form: padded(reply.sequence("answers"), 1)[0]}).sequence(form) or [None]
    if not any(isinstance(answer, str) and answer == right for answer in answers):
        expect(Part(f"what decode returned for a {form}", answers[0])).equals(right)


def _expect_batches(reply: Reply, label: str, right: list[torch.Tensor]) -> None:
    found = reply.sequence(label)
    if len(found) < len(right):
        raise Mismatch(f"the number of batches is {len(found)}, expected {len(right)}")
    for number, (value, wanted) in enumerate(zip(found, right, strict=False)):
        expect(Part(f"{label} of batch {number}", value), axes="row step").matches(wanted)


def _expect_value_error(outcome: Part, what: str, naming: bool = False) -> None:
    """The outcome is a ValueError, one that names the character if that is asked for."""
    found = Reply(outcome.value)
    raised = found["raised"].value
    if raised != "ValueError":
        came = f"a {raised[:80]}" if isinstance(raised, str) else "nothing"
        wanted = "a ValueError that names the character" if naming else "a ValueError"
        raise Mismatch(f"{what} raised {came}, expected {wanted}")
    if naming and not found.flag("names the character"):
        words = found.text("the words of the error")[:200]
        raise Mismatch(f"{what} raised a ValueError that does not name the character; it says: {words or 'nothing'}")
