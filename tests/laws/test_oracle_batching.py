"""The oracle of vocabulary and batches against the solution on random inputs, and the laws both must obey."""

from __future__ import annotations

import itertools

import pytest
import torch

from assignments.batching import oracle, probes
from grader.diagnosis import LocalStudent

CASES = 1000
STUDENT = LocalStudent("batching")


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(20)


def whole(rng, low, high):
    return int(torch.randint(low, high + 1, (), generator=rng))


def random_cut(rng):
    """Data and sizes that give at least one batch; a third of them fit exactly, a third lack one character."""
    batch_size, seq_len, count = whole(rng, 1, 5), whole(rng, 1, 6), whole(rng, 1, 5)
    needed = batch_size * seq_len * count + 1
    least = batch_size * seq_len + 1
    length = max(least, needed + (0, -1, whole(rng, 1, 40))[whole(rng, 0, 2)])
    return oracle.scrambled(rng, length), batch_size, seq_len


def every_cut(rng):
    for _ in range(CASES):
        yield random_cut(rng)


def random_text(rng, low=1, high=40):
    return oracle.wild_text(rng, whole(rng, low, high))


def test_the_oracle_and_the_solution_cut_alike(rng):
    for data, batch_size, seq_len in every_cut(rng):
        reply = probes.epoch(STUDENT, data, batch_size, seq_len)
        xs, ys = oracle.batches(data, batch_size, seq_len)
        assert len(reply["x"]) == len(xs)
        assert all(torch.equal(ours, right) for ours, right in zip(reply["x"], xs, strict=True))
        assert all(torch.equal(ours, right) for ours, right in zip(reply["y"], ys, strict=True))


def test_the_oracle_and_the_solution_count_alike(rng):
    for _ in range(CASES):
        length, batch_size, seq_len = whole(rng, 1, 80), whole(rng, 1, 5), whole(rng, 1, 6)
        count = oracle.batch_count(length, batch_size, seq_len)
        assert count == (length - 1) // (batch_size * seq_len)
        if count:
            (shapes,) = probes.shapes(STUDENT, torch.arange(length), [[length, batch_size, seq_len]])["cases"]
            assert shapes == [[[batch_size, seq_len]] * 2] * count
        else:
            outcome = probes.outcome(lambda cut=(length, batch_size, seq_len): list(cut_of(*cut)))
            assert outcome["raised"] == "ValueError"


def cut_of(length, batch_size, seq_len):
    return STUDENT.create_batches(torch.arange(length), batch_size, seq_len)


def test_the_oracle_and_the_solution_number_alike(rng):
    for _ in range(CASES):
        text = random_text(rng)
        characters = oracle.alphabet(text)
        char_to_idx, idx_to_char = STUDENT.build_vocab(text)
        assert char_to_idx == probes.char_to_idx(characters)
        assert [idx_to_char[number] for number in range(len(characters))] == list(characters)


def test_the_oracle_and_the_solution_encode_alike(rng):
    for _ in range(CASES):
        text = random_text(rng, low=0)
        characters = oracle.alphabet(text + "xyz")
        numbers = oracle.numbers(text, characters)
        result = STUDENT.encode(text, probes.char_to_idx(characters))
        assert result.dtype == numbers.dtype == torch.long
        assert torch.equal(result, numbers)


def test_decode_undoes_encode(rng):
    for _ in range(CASES):
        text = random_text(rng)
        char_to_idx, idx_to_char = STUDENT.build_vocab(text)
        indices = STUDENT.encode(text, char_to_idx)
        assert STUDENT.decode(indices, idx_to_char) == text
        assert STUDENT.decode(indices.tolist(), "".join(char_to_idx)) == text


def test_every_target_is_the_next_character(rng):
    for data, batch_size, seq_len in every_cut(rng):
        follower = dict(itertools.pairwise(data.tolist()))
        for x, y in STUDENT.create_batches(data, batch_size, seq_len):
            assert y.shape == x.shape == (batch_size, seq_len)
            assert y.flatten().tolist() == [follower[value] for value in x.flatten().tolist()]


def test_a_state_can_be_carried_from_batch_to_batch(rng):
    for data, batch_size, seq_len in every_cut(rng):
        batches = list(STUDENT.create_batches(data, batch_size, seq_len))
        for (_, y), (x, _) in itertools.pairwise(batches):
            assert torch.equal(y[:, -1], x[:, 0])


def test_laid_end_to_end_the_rows_are_the_formula(rng):
    for data, batch_size, seq_len in every_cut(rng):
        batches = list(STUDENT.create_batches(data, batch_size, seq_len))
        width = len(batches) * seq_len
        x_rows = torch.cat([x for x, _ in batches], dim=1)
        y_rows = torch.cat([y for _, y in batches], dim=1)
        for row in range(batch_size):
            assert torch.equal(x_rows[row], data[row * width : (row + 1) * width])
            assert torch.equal(y_rows[row], data[row * width + 1 : (row + 1) * width + 1])


def test_nothing_is_lost_between_the_first_target_and_the_last(rng):
    for data, batch_size, seq_len in every_cut(rng):
        rows = [y for _, y in STUDENT.create_batches(data, batch_size, seq_len)]
        targets = torch.cat(rows, dim=1).flatten()
        assert torch.equal(targets, data[1 : len(targets) + 1])
        assert len(data) - 1 - len(targets) < batch_size * seq_len


def test_a_second_pass_gives_the_same_and_the_data_stays(rng):
    for data, batch_size, seq_len in itertools.islice(every_cut(rng), 100):
        before = data.clone()
        first = probes.kept_epoch(STUDENT, data, batch_size, seq_len)
        again = probes.second_epoch(STUDENT, data, batch_size, seq_len)
        assert all(torch.equal(one, other) for one, other in zip(first["x"], again["x"], strict=True))
        assert torch.equal(data, before)
        assert first["gradients are on at every batch and afterwards"] is True


@pytest.mark.parametrize("sizes", [(0, 3), (2, 0), (-1, 3), (2, -3), (-2, -3), (0, 0)])
def test_sizes_below_one_are_refused(sizes):
    outcome = probes.outcome(lambda: list(STUDENT.create_batches(torch.arange(40), *sizes)))
    assert outcome["raised"] == "ValueError"


def test_the_wild_characters_tell_the_orders_apart():
    """In UTF-16 an emoji comes before ｚ, composed accents merge, and folding the case loses characters."""
    characters = oracle.CHARACTERS
    assert len(set(characters)) == len(characters)
    in_order = oracle.alphabet(characters)
    assert in_order == "".join(sorted(characters))
    assert list(in_order) != sorted(characters, key=lambda ch: ch.encode("utf-16-be"))
    assert len(set(characters.lower())) < len(characters)
    assert "e\u0301" in characters and "é" in characters
