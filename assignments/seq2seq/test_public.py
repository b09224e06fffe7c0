"""Public tests of sequence to sequence: small tables to work through on paper, and what must hold of any module.

The tables have four tokens, START, A, B and END. A row gives for each token the exponent e of its
probability 2^−e: `[3, 1, 2, 3]` is 1/8 for START, 1/2 for A, 1/4 for B and 1/8 for END. So every
prediction costs e · ln 2 nats, and the token with the 1 is the argmax. The longest ending of the
history, source and inputs, that the table has counts.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from assignments.seq2seq import probes
from grader.suite import Mismatch, Part, Reply, Tolerance, expect, points

ENCODER, DECODER, LOSS, GREEDY = "Encoder", "Decoder", "sequence_loss", "greedy_decode"
SCHEDULE = "teacher_forcing_probability"

START, A, B, END = range(4)
EXPONENTS = {
    (): [3, 3, 2, 1],
    (START,): [3, 1, 2, 3],
    (A,): [3, 3, 1, 2],
    (B,): [3, 2, 3, 1],
    (END,): [3, 2, 1, 3],
    (B, START): [3, 2, 1, 3],  # where the source ends in B
    (END, START): [3, 3, 2, 1],  # where it ends in END
    (START, B): [3, 1, 2, 3],  # where B is the first word
}
TABLE = {
    "endings": [list(ending) for ending in EXPONENTS],
    "logits": -math.log(2) * torch.tensor(list(EXPONENTS.values()), dtype=torch.float32),
}
SOURCE = torch.tensor([[A, A], [A, B]])
TARGET = torch.tensor([[START, A, B, END], [START, A, A, END]])

# What is asked of a network's numbers: less than this is rounding.
NOTHING = 5e-6

# A schedule may be worked out in float32; but where it has fallen to 0, it is 0.
IN_FLOAT32 = Tolerance(1e-6, 0)

# Of 22 draws at a half: a right program leaves these bounds less than once in two million runs.
LEAST, MOST = 1, 21


@points(0.5, of=ENCODER, promise="context")
def test_context_depends_on_every_token(submission):
    source = torch.tensor([7, 2, 9, 4])
    rows = [source, *(_with(source, place, 1) for place in range(4)), source[[1, 0, 2, 3]]]
    inputs = {"sizes": [11, 5, 3], "cell_types": [None], "sources": {"a source and changes of it": torch.stack(rows)}}
    reply = submission.run(probes.contexts, **inputs, scale=0.4, seed=1)
    h, c = expect_state(reply, "lstm, a source and changes of it", (6, 3))
    expect_lstm(h, c)
    for row, change in enumerate([*(f"token {place}" for place in range(4)), "the order of the tokens"], start=1):
        expect_change("h", h[0], h[row], f"{change} of the source")
        expect_change("c", c[0], c[row], f"{change} of the source")


@points(0.25, of=ENCODER, promise="one-state")
def test_rnn_and_gru_return_h_twice(submission):
    sources = {"a batch": torch.tensor([[7, 2, 9, 4], [1, 2, 9, 4]]), "one": torch.tensor([[7, 2, 9, 4]])}
    inputs = {"sizes": [11, 5, 3], "cell_types": ["rnn", "gru"], "sources": sources, "scale": 0.4, "seed": 1}
    reply = submission.run(probes.contexts, **inputs)
    states = {kind: expect_state(reply, f"{kind}, a batch", (2, 3)) for kind in ("rnn", "gru")}
    for kind, (h, _) in states.items():
        expect(reply[f"c ({kind}, a batch)"], axes="row unit").matches(h)
        expect_change("h", h[0], h[1], f"token 0 of the source of the {kind}")
    if (states["rnn"][0] - states["gru"][0]).abs().max() < NOTHING:
        raise Mismatch("cell_type='rnn' and cell_type='gru' give the same numbers")


@points(0.25, of=ENCODER, promise="cell-type", side=True)
def test_unknown_cell_type(submission):
    expect_refused(submission, ["transformer", "LSTM cell"])


@points(0.5, of=DECODER, promise="step")
def test_step_of_the_decoder(submission):
    # Row 0 is changed in one place in each of the others: the token, h, c.
    token, h = torch.tensor([3, 8, 3, 3]), torch.tensor([[0.4, -0.3, 0.2]]).repeat(4, 1)
    c = torch.tensor([[0.9, -0.6, 0.5]]).repeat(4, 1)
    h[2] = torch.tensor([-0.2, 0.1, 0.3])
    c[3] = torch.tensor([-0.4, 0.2, 0.8])
    inputs = {"sizes": [11, 5, 3], "cell_types": [None], "calls": {"one step": [token, h, c]}, "scale": 0.4}
    reply = submission.run(probes.steps, **inputs, seed=1)
    expect_lstm(*expect_steps(reply, "lstm, one step", (4, 11, 3), ("the token", "h", "c")))


@points(0.25, of=DECODER, promise="rows")
def test_rows_do_not_know_of_each_other(submission):
    h = torch.linspace(-0.9, 0.8, 9, dtype=torch.float64).reshape(3, 3)
    batch = [torch.tensor([3, 8, 0]), h, -h.flip(0)]
    calls = {"a batch": batch, "the last row alone": [part[-1:] for part in batch], "a batch again": batch}
    inputs = {"sizes": [11, 5, 3], "cell_types": [None], "calls": calls, "scale": 0.4, "seed": 1}
    expect_same_rows(submission.run(probes.steps, **inputs, dtype="float64"), "lstm", (3, 11, 3))


@points(0.25, of=DECODER, promise="gradients")
def test_gradients_of_two_steps(submission):
    tokens, h = torch.tensor([[3, 0], [5, 8]]), torch.tensor([[0.4, -0.3, 0.2], [-0.5, 0.1, 0.6]])
    inputs = {"sizes": [11, 5, 3], "cell_types": ["lstm"], "tokens": tokens, "seed": 1}
    inputs["state"] = [h.double(), -h.double()]
    expect_decoder_gradients(submission.run(probes.decoder_gradients, **inputs), "lstm", tokens, h.shape)


@points(0.75, of=LOSS, promise="loss")
def test_loss_of_a_table(submission):
    # What the table says at each step, row 0 and then row 1, and what comes. The exponents of what comes
    # are 1, 1, 1 and 2, 3, 2: ten halvings in six predictions.
    says = torch.tensor([[3, 1, 2, 3], [3, 3, 1, 2], [3, 2, 3, 1], [3, 2, 1, 3], [3, 3, 1, 2], [3, 3, 1, 2]])
    comes = torch.tensor([A, B, END, A, A, END])
    by_bias = (0.5**says - torch.eye(4)[comes]).mean(dim=0)
    inputs = {"table": TABLE, "source": SOURCE, "target": TARGET, "calls": {"teacher forcing": {}}}
    reply = submission.run(probes.losses, **inputs)
    expect(reply["the loss (teacher forcing)"]).matches(torch.tensor(10 / 6 * math.log(2)))
    expect(reply["the decoder's gradient (teacher forcing)"]).matches(by_bias)
    by_lift = (torch.arange(4) / 4 * by_bias).sum()
    expect(reply["the encoder's gradient (teacher forcing)"]).matches(by_lift.expand(2))


@points(0.5, of=LOSS, promise="inputs")
def test_truth_and_own_tokens_as_inputs(submission):
    reply = submission.run(probes.inputs, table=TABLE, source=SOURCE, target=TARGET, probs=[1.0, 0.0])
    # Left to itself the model says A, B in row 0; in row 1, whose source ends in B, it says B, A.
    expect_inputs(reply, "teacher_forcing_prob=1", [[START, A, B], [START, A, A]])
    expect_inputs(reply, "teacher_forcing_prob=0", [[START, A, B], [START, B, A]])


@points(0.5, of=LOSS, promise="inputs")
def test_sometimes_the_one_and_sometimes_the_other(submission, rng):
    target = torch.tensor([[3, *[1, 2] * 12], [2, *[3, 1] * 12]])[:, :24]  # for a decoder that only says 0
    inputs = {"source": torch.tensor([[1, 1], [2, 1]]), "target": target, "teacher_forcing_prob": 0.5}
    reply = submission.run(probes.draws, **inputs, generator_seeds=[new_seed(rng)])
    expect_draws(reply, target, 0.5, LEAST, MOST)


@points(0.25, of=LOSS, promise="chance")
def test_same_generator_state_same_inputs(submission, rng):
    target, seed = torch.tensor([[3, *[1, 2] * 5], [2, *[3, 1] * 5]]), new_seed(rng)
    inputs = {"source": torch.tensor([[1, 1], [2, 1]]), "target": target, "teacher_forcing_prob": 0.5}
    reply = submission.run(probes.draws, **inputs, generator_seeds=[seed, seed])
    expect_same_draws(reply, target)


@points(0.5, of=GREEDY, promise="tokens")
def test_greedy_tokens(submission):
    # START, which is never likeliest, serves as end_token. The source of row 1 ends in B.
    calls = {f"max_len={length}": (SOURCE, length) for length in (5, 1, 0)}
    reply = submission.run(probes.decodes, table=TABLE, calls=calls, start_token=START, end_token=START)
    expect(reply["the rows (max_len=5)"]).equals([[A, B, END, B, END], [B, A, B, END, B]])
    expect(reply["the rows (max_len=1)"]).equals([[A], [B]])
    expect(reply["the rows (max_len=0)"]).equals([[], []])
    expect(reply["every token is an int"]).equals(True)


@points(0.5, of=GREEDY, promise="cut")
def test_each_row_has_its_own_end(submission):
    # Row 0, whose source ends in END, ends at once.
    calls = {"three rows": (torch.tensor([[A, END], [A, A], [A, B]]), 9), "one row": (SOURCE[1:], 9)}
    reply = submission.run(probes.decodes, table=TABLE, calls=calls, start_token=START, end_token=END)
    expect(reply["the rows (three rows)"]).equals([[], [A, B], [B, A, B]])
    expect(reply["the rows (one row)"]).equals([[B, A, B]])


@points(0.25, of=GREEDY, promise="quiet", side=True)
def test_modes_are_left_as_found(submission):
    expect_quiet(submission, TABLE, SOURCE, (START, END, 6), [[A, B], [B, A, B]])


@points(0.5, of=SCHEDULE, promise="linear")
def test_linear(submission):
    right = {0: 1.0, 25: 0.75, 50: 0.5, 100: 0.0, 150: 0.0}
    expect_probabilities(submission, {(step, 100): value for step, value in right.items()})


@points(0.25, of=SCHEDULE, promise="decays")
def test_exponential_and_inverse_sigmoid(submission):
    right: dict[tuple, float] = {(step, 0, "exponential", 0.5): 0.5**step for step in (0, 1, 3)}
    right |= {(0, 0, "inverse_sigmoid", 4): 0.8, (10, 0, "inverse_sigmoid", 10): 10 / (10 + math.e)}
    right |= {(1_000_000, 0, "inverse_sigmoid", 10): 0.0}  # exp(100000) is more than a float can hold
    expect_probabilities(submission, right)


@points(0.25, of=SCHEDULE, promise="schedule-errors", side=True)
def test_schedules_that_are_refused(submission):
    changes = {
        "schedule='cosine'": {"schedule": "cosine"},
        "exponential without k": {"k": None},
        "exponential with k=1": {"k": 1.0},
        "inverse_sigmoid without k": {"schedule": "inverse_sigmoid", "k": None},
        "inverse_sigmoid with k=0.5": {"schedule": "inverse_sigmoid", "k": 0.5},
    }
    expect_refused_schedules(submission, {"step": 2, "total_steps": 10, "schedule": "exponential", "k": 0.5}, changes)


def _with(source: torch.Tensor, place: int, token: int) -> torch.Tensor:
    changed = source.clone()
    changed[place] = token
    return changed


def new_seed(rng: torch.Generator) -> int:
    """A seed for a generator in a probe."""
    return int(torch.randint(2**31, (), generator=rng))


def numbers(reply: Reply, label: str, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """The finite tensor of this name, shape and dtype."""
    tensor = reply.tensor(label, shape)
    if tensor.dtype != dtype:
        raise Mismatch(f"{label}: {tensor.dtype}, expected {dtype}")
    if not tensor.isfinite().all():
        raise Mismatch(f"{label}: some of its values are not finite (nan or inf)")
    return tensor


def expect_state(
    reply: Reply, where: str, shape: tuple[int, int], dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor]:
    """A pair (h, c) of this shape."""
    return numbers(reply, f"h ({where})", shape, dtype), numbers(reply, f"c ({where})", shape, dtype)


def expect_lstm(h: torch.Tensor, c: torch.Tensor) -> None:
    """The h of an LSTM is its tanh(c) times a gate between 0 and 1."""
    if ((h * c < 0) | (h.abs() > c.tanh().abs() + NOTHING)).any() or (h - c).abs().max() < NOTHING:
        raise Mismatch("h and c are not those of an LSTM, where h is tanh(c) times an output gate between 0 and 1")


def expect_change(what: str, one: torch.Tensor, other: torch.Tensor, because: str) -> None:
    """Two rows differ."""
    if (one - other).abs().max() < NOTHING:
        raise Mismatch(f"{what} stays the same when {because} changes")


def expect_refused(submission, cell_types: list[str]) -> None:
    """Ordinary encoders read, and those of unknown types are refused."""
    inputs = {"sizes": [11, 5, 3], "source": torch.tensor([[7, 2, 9, 4]]), "cell_types": cell_types, "seed": 1}
    reply = submission.run(probes.refused_cell_types, **inputs)
    expect_state(reply, "gru, source", (1, 3))
    for cell_type in cell_types:
        expect(reply[f"what is raised for cell_type={cell_type!r}"]).equals("ValueError")


def expect_steps(
    reply: Reply, where: str, sizes: tuple[int, int, int], changed: tuple[str, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (B, V) and a state (B, H) that know all that was changed, row by row, beside row 0. Returns the state."""
    batch, vocab_size, hidden_size = sizes
    logits = numbers(reply, f"logits ({where})", (batch, vocab_size))
    h, c = expect_state(reply, where, (batch, hidden_size))
    if (logits >= 0).all() and ((logits.sum(dim=1) - 1).abs() < 1e-4).all():
        raise Mismatch(f"logits ({where}) are probabilities: they add up to 1 in every row")
    for row, what in enumerate(changed, start=1):
        expect_change("a row of logits", logits[0], logits[row], what)
        expect_change("the h returned", h[0], h[row], what)
        expect_change("the c returned", c[0], c[row], what)
    return h, c


def expect_same_rows(reply: Reply, cell_type: str, sizes: tuple[int, int, int]) -> None:
    """In float64, the last row of a batch is the same alone, and the batch is the same again."""
    batch, vocab_size, hidden_size = sizes
    for part, size in (("logits", vocab_size), ("h", hidden_size), ("c", hidden_size)):
        whole = numbers(reply, f"{part} ({cell_type}, a batch)", (batch, size), torch.float64)
        axes = "row token" if part == "logits" else "row unit"
        expect(reply[f"{part} ({cell_type}, the last row alone)"], axes=axes).matches(whole[-1:])
        expect(reply[f"{part} ({cell_type}, a batch again)"], axes=axes).matches(whole)


def expect_token_gradients(reply: Reply, where: str, tokens: torch.Tensor) -> None:
    """Every token that was read has a gradient, and so have the cells."""
    by_token = reply.tensor(f"the gradient by token ({where})")
    for token in tokens.flatten().tolist():
        if by_token.dim() != 1 or len(by_token) <= token or not by_token[token] > 0:
            raise Mismatch(f"no gradient reaches the embedding of token {token}, which was read ({where})")
    if not reply.number(f"the gradient of the cells ({where})") > 0:
        raise Mismatch(f"no gradient reaches the cells ({where})")


def expect_decoder_gradients(reply: Reply, cell_type: str, tokens: torch.Tensor, shape: tuple[int, ...]) -> None:
    """Gradients reach what was fed in every step, and the state it all began with in full."""
    expect_token_gradients(reply, cell_type, tokens)
    gradients: list[torch.Tensor] = []
    for part in ("h", "c") if cell_type == "lstm" else ("h",):
        gradients.append(numbers(reply, f"the gradient of {part} ({cell_type})", tuple(shape), torch.float64))
        if not (gradients[-1] != 0).any(dim=1).all():
            raise Mismatch(f"no gradient reaches the {part} that the decoder began with ({cell_type})")
    slope, arrived = reply.number(f"the slope ({cell_type})"), float(torch.stack(gradients).sum())
    if not abs(arrived - slope) <= 1e-4 * (1 + abs(slope)):
        raise Mismatch(
            f"a part of the gradient does not reach the state that the decoder began with ({cell_type}): "
            f"it adds up to {arrived:.5f}, and {slope:.5f} is what the logits show"
        )


def expect_inputs(reply: Reply, where: str, right: list[list[int]]) -> None:
    """The decoder was fed this, row by row, and always with the state of the step before."""
    for row, (fed, wanted) in enumerate(zip(reply.sequence(f"inputs ({where})"), right, strict=True)):
        if fed != wanted:
            raise Mismatch(f"with {where} the decoder was fed {str(fed)[:80]} in row {row}, expected {wanted}")
    if not reply.flag(f"every state was carried on ({where})"):
        raise Mismatch(
            f"with {where} the decoder did not get the state that it returned before, or at first the context"
        )


def columns(reply: Reply, run: int, target: torch.Tensor) -> list[tuple[int, ...]]:
    """What was fed at each step: the target's token in every row or the model's own 0 in every row."""
    runs = reply.sequence("inputs")
    rows = runs[run] if len(runs) > run else None
    if not isinstance(rows, list) or len(rows) != len(target):
        raise Mismatch(f"the decoder was not fed {len(target)} rows")
    for row in rows:
        if not isinstance(row, list) or len(row) != target.shape[1] - 1:
            came = len(row) if isinstance(row, list) else 0
            raise Mismatch(f"the decoder was fed {came} tokens for a row, expected {target.shape[1] - 1}")
    own = (0,) * len(target)
    steps = list(zip(*rows, strict=True))
    for step, (came, column) in enumerate(zip(steps, target.T.tolist(), strict=False)):
        wanted = [tuple(column), own] if step else [tuple(column)]
        if came not in wanted:
            raise Mismatch(
                f"at step {step + 1} the rows were fed {str(came)[:80]}, expected "
                f"{wanted[0]} of the target" + (f" or {own}, the model's own, for all of them" if step else "")
            )
    return steps


def expect_draws(reply: Reply, target: torch.Tensor, prob: float, least: int, most: int) -> None:
    """After the first input, so many of them are the target's as draws at this probability make it."""
    own = (0,) * len(target)
    forced = sum(column != own for column in columns(reply, 0, target)[1:])
    if not least <= forced <= most:
        raise Mismatch(
            f"with teacher_forcing_prob={prob:g}, {forced} of {target.shape[1] - 2} inputs after the first came from "
            f"the target, expected {least} to {most}"
        )


def expect_same_draws(reply: Reply, target: torch.Tensor) -> None:
    """Two runs with generators in the same state were fed the same, and nothing else moved."""
    if columns(reply, 0, target) != columns(reply, 1, target):
        raise Mismatch("generators in the same state gave different inputs")
    expect(reply["the global random states that moved"]).equals([])


def expect_quiet(
    submission, table: dict[str, Any], source: torch.Tensor, limits: tuple[int, int, int], right: list[list[int]]
) -> None:
    """The rows are right, nothing was recorded or dropped meanwhile, and every mode is as it was."""
    modes = [(True, False, True), (False, True, False)]
    names = dict(zip(("start_token", "end_token", "max_len"), limits, strict=True))
    reply = submission.run(probes.quiet, table=table, source=source, **names, modes=modes)
    expect(reply["the rows"]).equals([right] * len(modes))
    expect(reply["dropout was on meanwhile"]).equals([False] * len(modes))
    expect(reply["gradients were recorded meanwhile"]).equals([False] * len(modes))
    expect(reply["the modes afterwards"]).equals([list(mode) for mode in modes])


def expect_probabilities(submission, right: dict[tuple, float]) -> None:
    """One call for each (step, total_steps, schedule, k), the last two left out where they are."""
    names = ("step", "total_steps", "schedule", "k")
    calls = [dict(zip(names, arguments, strict=False)) for arguments in right]
    reply = submission.run(probes.probabilities, calls=calls)
    came = reply.numbers("probabilities")
    for call, value, wanted in zip(calls, came, right.values(), strict=True):
        shown = ", ".join(f"{name}={argument!r}" for name, argument in call.items())
        expect(Part(f"with {shown}", value)).is_close(wanted, IN_FLOAT32 if wanted else Tolerance(1e-9, 0))


def expect_refused_schedules(submission, call: dict[str, Any], changes: dict[str, dict[str, Any]]) -> None:
    """The ordinary call has its value, and each change of it is a ValueError."""
    reply = submission.run(probes.refused_schedules, call=call, changes=changes)
    expect(reply["the probability"]).is_close(call["k"] ** call["step"], IN_FLOAT32)
    for what in changes:
        expect(reply[f"what is raised for {what}"]).equals("ValueError")
