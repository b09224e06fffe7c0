"""Hidden tests of sequence to sequence: other sizes, cells, tables and schedules, drawn for each test."""

from __future__ import annotations

import torch

from assignments.seq2seq import oracle, probes
from assignments.seq2seq.test_public import (
    NOTHING,
    columns,
    expect_change,
    expect_decoder_gradients,
    expect_draws,
    expect_inputs,
    expect_lstm,
    expect_probabilities,
    expect_quiet,
    expect_refused,
    expect_refused_schedules,
    expect_same_draws,
    expect_state,
    expect_steps,
    expect_token_gradients,
    new_seed,
)
from grader.suite import Mismatch, expect, points

ENCODER, DECODER, LOSS, GREEDY = "Encoder", "Decoder", "sequence_loss", "greedy_decode"
SCHEDULE = "teacher_forcing_probability"

KINDS = ("rnn", "lstm", "gru")
SIZES = [13, 4, 6]  # no gate, joined weight or batch has one of these sizes too
PROB, DRAWS = 0.45, 26  # 26 draws are never all alike, but once in five million runs
LONG = 20  # steps after which small weights have forgotten the first token


@points(0.25, of=ENCODER, promise="context")
def test_last_tokens_weigh_most(submission, rng):
    """With small weights the first of many tokens is as good as forgotten; and nothing comes from nothing."""
    same, other = torch.randperm(SIZES[0], generator=rng)[:2].tolist()
    rows = torch.full((3, LONG), same)
    rows[1, 0] = rows[2, -1] = other
    kinds = ["rnn", "lstm"]
    inputs = {"sizes": SIZES, "cell_types": kinds, "sources": {"long": rows}, "silent": rows[:, :3]}
    reply = submission.run(probes.contexts, **inputs, scale=0.15, seed=new_seed(rng))
    for kind in kinds:
        for state in expect_state(reply, f"{kind}, long", (3, SIZES[2])):
            by_first, by_last = ((state[row] - state[0]).abs().max() for row in (1, 2))
            if not by_last > NOTHING or by_first > 0.05 * by_last:
                raise Mismatch("the context is not the state after the last token")
        for part in ("h", "c"):
            expect(reply[f"{part} ({kind}, silent)"]).matches(torch.zeros(3, SIZES[2]))


@points(0.25, of=ENCODER, promise="rows")
def test_encoder_reads_rows_one_by_one(submission, rng):
    source = torch.randint(1, SIZES[0], (5, 3), generator=rng)
    source[4] = source[1]
    source[4, 0] = 0
    sources = {"a batch": source, "the last row alone": source[-1:], "a batch again": source}
    inputs = {"sizes": SIZES, "cell_types": list(KINDS), "sources": sources, "scale": 0.4, "seed": new_seed(rng)}
    reply = submission.run(probes.contexts, **inputs, dtype="float64")
    for kind in KINDS:
        h, c = expect_state(reply, f"{kind}, a batch", (5, SIZES[2]), torch.float64)
        for part, whole in (("h", h), ("c", c)):
            expect(reply[f"{part} ({kind}, the last row alone)"]).matches(whole[-1:])
            expect(reply[f"{part} ({kind}, a batch again)"]).matches(whole)
            expect_change(part, whole[1], whole[4], "token 0 of the source")
        if kind == "lstm":
            expect_lstm(h, c)
        else:
            expect(reply[f"c ({kind}, a batch)"]).matches(h)


@points(0.25, of=ENCODER, promise="gradients")
def test_gradients_reach_all_that_was_read(submission, rng):
    source = torch.randperm(SIZES[0], generator=rng)[:8].reshape(2, 4)
    source[0, 0] = 0
    inputs = {"sizes": SIZES, "cell_types": ["gru"], "source": source, "seed": new_seed(rng)}
    expect_token_gradients(submission.run(probes.encoder_gradients, **inputs), "gru", source)


@points(0.25, of=ENCODER, promise="cell-type", side=True)
def test_other_cell_types(submission):
    expect_refused(submission, ["", "attention"])


@points(0.5, of=DECODER, promise="step")
def test_step_of_every_cell(submission, rng):
    token, h, c = _batch(rng, 4)
    token[[0, 2, 3]], token[1] = 5, 0
    h[[1, 3]], c[[1, 2]] = h[0].clone(), c[0].clone()
    calls = {"one step": [token, h, c]}
    inputs = {"sizes": SIZES, "cell_types": list(KINDS), "calls": calls, "scale": 0.4, "seed": new_seed(rng)}
    reply = submission.run(probes.steps, **inputs)
    states = {}
    for kind in KINDS:
        changed = ("the token", "h", "c") if kind == "lstm" else ("the token", "h")
        h_after, c_after = expect_steps(reply, f"{kind}, one step", (4, SIZES[0], SIZES[2]), changed)
        states[kind] = h_after
        if kind == "lstm":
            expect_lstm(h_after, c_after)
            # Rows 0 and 3 differ in c alone. Of that, each unit keeps what its forget gate lets through: some, not all.
            given, kept = c[3] - c[0], c_after[3] - c_after[0]
            if (given * kept < -1e-5).any() or (kept.abs() > given.abs() + 1e-5).any():
                raise Mismatch("the c that was given is not what the forget gate was applied to")
    if (states["rnn"] - states["gru"]).abs().max() < NOTHING:
        raise Mismatch("cell_type='rnn' and cell_type='gru' give the same numbers")
    if all((reply.tensor(f"logits ({kind}, one step)") >= 0).all() for kind in KINDS):
        raise Mismatch("no logit of any cell is below 0")


@points(0.25, of=DECODER, promise="cell-type", side=True)
def test_cell_types_that_the_decoder_refuses(submission, rng):
    token, h, c = _batch(rng, 2)
    inputs = {"sizes": SIZES, "token": token, "state": [h, c], "cell_types": ["attention"], "seed": new_seed(rng)}
    reply = submission.run(probes.refused_by_decoder, **inputs)
    expect_steps(reply, "gru, one step", (2, SIZES[0], SIZES[2]), ("the token",))
    expect(reply["what is raised for cell_type='attention'"]).equals("ValueError")


@points(0.25, of=DECODER, promise="gradients")
def test_gradients_through_three_steps(submission, rng):
    tokens = torch.randperm(SIZES[0], generator=rng)[:6].reshape(2, 3)
    tokens[1, 1] = 0
    _, h, c = _batch(rng, 2)
    inputs = {"sizes": SIZES, "cell_types": ["lstm"], "tokens": tokens, "seed": new_seed(rng)}
    inputs["state"] = [h.double(), c.double()]
    reply = submission.run(probes.decoder_gradients, **inputs)
    expect_decoder_gradients(reply, "lstm", tokens, h.shape)


@points(0.75, of=LOSS, promise="loss")
def test_losses_of_drawn_tables(submission, rng):
    """A batch, and one row with one prediction; with the truth as inputs, and with the model's own tokens."""
    for batch, length, steps in ((3, 2, 5), (1, 3, 2)):
        table, source, target = _sentences(rng, batch, length, steps)
        calls = {f"prob={prob:g}": {"teacher_forcing_prob": prob} for prob in ((1.0, 0.0) if steps > 2 else (0.3,))}
        reply = submission.run(probes.losses, table=table.inputs, source=source, target=target, calls=calls)
        for label, options in calls.items():
            forced = [t == 0 or options["teacher_forcing_prob"] == 1 for t in range(steps - 1)]
            right = oracle.taught(table, source.tolist(), target.tolist(), forced)
            expect(reply[f"the loss ({label})"]).matches(torch.tensor(right.loss))
            expect(reply[f"the decoder's gradient ({label})"]).matches(torch.tensor(right.by_bias))
            expect(reply[f"the encoder's gradient ({label})"]).matches(torch.full((2,), right.by_lift))


@points(0.25, of=LOSS, promise="inputs")
def test_inputs_of_drawn_tables(submission, rng):
    table, source, target = _sentences(rng, 2, 3, 6)
    reply = submission.run(probes.inputs, table=table.inputs, source=source, target=target, probs=[0.0, 1.0])
    for label, forced in (("prob=0", [True, *[False] * 4]), ("prob=1", [True] * 5)):
        right = oracle.taught(table, source.tolist(), target.tolist(), forced).inputs
        expect_inputs(reply, f"teacher_forcing_{label}", right)


@points(0.25, of=LOSS, promise="inputs")
def test_draws_at_another_probability(submission, rng):
    target = oracle.off_token_zero(rng, 2, DRAWS + 2, 6)
    inputs = {"source": torch.tensor([[2, 1], [1, 1]]), "target": target, "teacher_forcing_prob": PROB}
    reply = submission.run(probes.draws, **inputs, generator_seeds=[new_seed(rng), new_seed(rng)])
    expect_draws(reply, target, PROB, *oracle.interval(DRAWS, PROB))
    if columns(reply, 0, target) == columns(reply, 1, target):  # two right runs do so once in fifty million
        raise Mismatch("generators in different states gave the same inputs")


@points(0.25, of=LOSS, promise="chance")
def test_all_chance_comes_from_the_generator(submission, rng):
    target, seed = oracle.off_token_zero(rng, 3, 10, 6), new_seed(rng)
    inputs = {"source": torch.tensor([[2, 1], [1, 1], [4, 4]]), "target": target, "teacher_forcing_prob": 0.6}
    expect_same_draws(submission.run(probes.draws, **inputs, generator_seeds=[seed, seed]), target)


@points(0.5, of=GREEDY, promise="tokens")
def test_tokens_of_drawn_tables(submission, rng):
    table, source, _ = _sentences(rng, 3, 2, 2, never=5)
    # Row 0 says the start token, 4, as its second word and its third: a token like any other, which may come twice.
    begun = [*source[0].tolist(), 4]
    begun.append(table.choice(begun))
    for history in (begun, [*begun, 4]):
        table.rows[tuple(history)] = [1.0 if token == 4 else 0.1 * token for token in range(6)]
    calls = {"long": (source, 7), "one row": (source[:1], 5), "nothing": (source, 0), "one token": (source[:, :1], 3)}
    reply = submission.run(probes.decodes, table=table.inputs, calls=calls, start_token=4, end_token=5)
    for label, (rows, max_len) in calls.items():
        expect(reply[f"the rows ({label})"]).equals(oracle.greedy(table, rows.tolist(), 4, 5, max_len))
    expect(reply["every token is an int"]).equals(True)


@points(0.5, of=GREEDY, promise="cut")
def test_ends_at_different_steps(submission, rng):
    table, source = _chains(rng, [3, 0, 1, 5])
    calls = {"four rows": (source, 20), "the first to end": (source[1:2], 20), "too short for all": (source, 2)}
    reply = submission.run(probes.decodes, table=table.inputs, calls=calls, start_token=0, end_token=9)
    for label, (rows, max_len) in calls.items():
        expect(reply[f"the rows ({label})"]).equals(oracle.greedy(table, rows.tolist(), 0, 9, max_len))


@points(0.25, of=GREEDY, promise="quiet", side=True)
def test_quiet_in_every_mode(submission, rng):
    table, source = _chains(rng, [2, 1])
    right = oracle.greedy(table, source.tolist(), 0, 9, 4)
    expect_quiet(submission, table.inputs, source, (0, 9, 4), right)


@points(0.75, of=SCHEDULE, promise="decays")
def test_schedules_at_many_steps(submission, rng):
    total, k = 7 + new_seed(rng) % 90, 2.0 + new_seed(rng) % 30
    calls: list[tuple] = [(step, total, "linear") for step in (0, 3, total // 2, total, total + 1, 10**9)]
    for step in (0, 1, 17, 3 * int(k), 10**9):
        calls += [(step, None, "exponential", 0.9), (step, None, "inverse_sigmoid", k)]
    calls += [(5, None, "inverse_sigmoid", 1), (10**12, None, "inverse_sigmoid", 1)]
    expect_probabilities(submission, {call: oracle.probability(*call) for call in calls})


@points(0.25, of=SCHEDULE, promise="schedule-errors", side=True)
def test_other_schedules_that_are_refused(submission):
    changes = {
        "schedule=''": {"schedule": ""},
        "schedule='sigmoid'": {"schedule": "sigmoid"},
        "schedule='sigmoid' with k=2": {"schedule": "sigmoid", "k": 2},
        "exponential without k": {"k": None},
        "exponential with k=0": {"k": 0.0},
        "exponential with k=1": {"k": 1},
        "exponential with k=1.5": {"k": 1.5},
        "exponential with k=-0.5": {"k": -0.5},
        "inverse_sigmoid without k": {"schedule": "inverse_sigmoid", "k": None},
        "inverse_sigmoid with k=0.99": {"schedule": "inverse_sigmoid", "k": 0.99},
        "inverse_sigmoid with k=0": {"schedule": "inverse_sigmoid", "k": 0},
    }
    expect_refused_schedules(submission, {"step": 3, "total_steps": 9, "schedule": "exponential", "k": 0.7}, changes)


def _batch(rng: torch.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens (B,) and a state, no two rows alike."""
    h, c = torch.rand(2, size, SIZES[2], generator=rng) * 1.6 - 0.8
    return torch.randperm(SIZES[0], generator=rng)[:size], h, c


def _sentences(
    rng: torch.Generator, batch: int, length: int, steps: int, never: int | None = None
) -> tuple[oracle.Table, torch.Tensor, torch.Tensor]:
    """A table of six tokens and a batch whose sources begin differently; at no step is `never` the likeliest."""
    table = oracle.drawn(rng, 6, 3)
    if never is not None:
        table = oracle.Table({ending: _without(row, never) for ending, row in table.rows.items()})
    source = torch.randint(6, (batch, length), generator=rng)
    source[:, 0] = torch.randperm(6, generator=rng)[:batch]
    return table, source, torch.randint(6, (batch, steps), generator=rng)


def _without(row: list[float], never: int) -> list[float]:
    return [-1.0 if token == never else logit for token, logit in enumerate(row)]


def _chains(rng: torch.Generator, lengths: list[int]) -> tuple[oracle.Table, torch.Tensor]:
    """A table in which the source's last token decides how many tokens are said before the end, 9; 0 is the start.

    After the end come another token and the end again: they are to be cut off.
    """
    table = oracle.drawn(rng, 10, 2, rows=0)
    rows = {ending: _without(row, 9) for ending, row in table.rows.items()}
    source = torch.randint(1, 9, (len(lengths), 2), generator=rng)
    source[:, 1] = torch.randperm(8, generator=rng)[: len(lengths)] + 1
    bare, ends = oracle.Table(dict(rows)), [2.0 if token == 9 else 0.1 * token for token in range(10)]
    for before, length in zip(source.tolist(), lengths, strict=True):
        said = oracle.greedy(bare, [before], 0, 9, length)[0]
        rows[(before[1], 0, *said)] = ends
    rows[(9, bare.choice([9]))] = ends
    return oracle.Table(rows), source
