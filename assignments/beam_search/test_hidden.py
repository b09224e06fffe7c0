"""Hidden tests of beam search: tables on which each known wrong search goes astray, and drawn ones.

The oracle gives every text that a correct program may return; the tables made by hand are relabelled,
so that no character keeps its part.
"""

from __future__ import annotations

from assignments.beam_search import oracle, probes
from assignments.beam_search.oracle import Case, Table
from grader.messages import quote
from grader.suite import Mismatch, Reply, expect, points

BEAM = "beam_search"

# Two texts overtake each other at every step; who mixes up their states hears of c.
OVERTAKING = oracle.table_of(
    "abcs",
    {
        "s": {"a": 0.5, "b": 0.45},
        "sa": {"a": 0.6},
        "saa": {"a": 0.9},
        "saaa": {"a": 0.5},
        "sb": {"b": 0.9},
        "sbb": {"b": 0.5},
        "sbbb": {"b": 0.9},
        "ab": {"c": 0.9},
        "ba": {"c": 0.9},
    },
)

# "ab" is third of three in the second step, when the "." of the first must have left the beam; and c,
# which would win, is fourth in the first step, when "." must be in it.
THREE_PLACES = oracle.table_of(
    ".abcs",
    {
        "s": {"a": 0.38, "b": 0.29, ".": 0.17, "c": 0.15},
        "sa": {"a": 0.4, "b": 0.36},
        "sab": {"c": 0.95},
        "sabc": {"a": 0.95},
        "sb": {"a": 0.5},
        "sc": {"c": 0.98},
        "scc": {"c": 0.98},
        "sccc": {"c": 0.98},
    },
)

# "a." scores -1.20 and "bcab." -1.80: the penalty at which they change places lies between 0.4 and 0.5.
TWO_ENDS = oracle.table_of(
    ".abcs",
    {
        "s": {"a": 0.5, "b": 0.4},
        "sa": {".": 0.6},
        "sb": {"c": 0.8},
        "sbc": {"a": 0.85},
        "sbca": {"b": 0.85},
        "sbcab": {".": 0.715},
    },
)

# "a." scores -0.73 and "bcab." -2.90: they change places between 1 and 2.
TWO_ENDS_FAR_APART = oracle.table_of(
    ".abcs",
    {
        "s": {"a": 0.5, "b": 0.2},
        "sa": {".": 0.96},
        "sb": {"c": 0.5},
        "sbc": {"a": 0.9},
        "sbca": {"b": 0.9},
        "sbcab": {".": 0.68},
    },
)

# "." ends at once; "aa" is behind it, and behind "ab", until its sure steps have made it long.
LATE_WINNER = oracle.table_of(
    ".abs",
    {
        "s": {"a": 0.5, ".": 0.45},
        "sa": {"b": 0.35, "a": 0.33, ".": 0.2},
        "aa": {"b": 0.97},
        "aab": {"a": 0.97},
        "aba": {"b": 0.97},
        "bab": {"a": 0.97},
    },
)

# Of the nine beginnings of two characters the least probable has the best end.
LAST_OF_NINE = oracle.table_of(
    "abs",
    {"s": {"a": 0.4, "b": 0.35}, "sa": {"a": 0.4, "b": 0.33}, "sb": {"a": 0.4, "b": 0.34}}
    | {"ss": {"a": 0.37, "b": 0.29}, "ssb": {"s": 0.99}},
)

# Nearly all probability is on the end; who goes on pays 78 for each character, and a fifth more or less decides.
SMALL_NUMBERS = Table(
    ".abs",
    {
        "": [0.0, -200.0, -201.0, -203.0],
        "s": [-200.0, 0.0, -0.7, -207.0],
        "a": [0.0, -78.2, -78.0, -209.0],
        "b": [0.0, -78.0, -78.25, -211.0],
    },
)

GARDEN = oracle.table_of("abcs", {"s": {"a": 0.6, "b": 0.35}, "sa": {"a": 0.4}, "sb": {"c": 0.9}, "sbc": {"a": 0.9}})


@points(0.75, of=BEAM, promise="pruning")
def test_drawn_tables(submission, rng):
    sizes = ((2, 4), (3, 4), (4, 3))
    _expect_acceptable(
        submission, *(oracle.drawn(rng, "\n ab", "\na", beyond_greedy=True, beam_width=w, length=n) for w, n in sizes)
    )


@points(0.25, of=BEAM, promise="pruning")
def test_relatives_in_the_beam(submission, rng):
    call = {"seed": "s", "length": 4, "beam_width": 2}
    # The winner is second among its parent's children twice, and its uncle's children are all worse.
    siblings = {
        "s": {"a": 0.6, "b": 0.38},
        "sa": {"a": 0.5, "b": 0.48},
        "sb": {"c": 0.6},
        "saa": {"a": 0.3},
        "sab": {"a": 0.5, "b": 0.48},
        "saba": {"c": 0.4},
        "sabb": {"c": 0.97},
    }
    # Two cousins end in the same character, and the one behind wins.
    cousins = {"s": {"a": 0.5, "b": 0.45}, "sa": {"c": 0.8}, "sb": {"c": 0.8}, "sbc": {"a": 0.9}, "sbca": {"b": 0.9}}
    cases = (Case(oracle.table_of("abcs", rows), call) for rows in (siblings, cousins))
    _expect_acceptable(submission, *(oracle.relabelled(case, rng) for case in cases))


@points(0.5, of=BEAM, promise="score")
def test_offsets_of_the_logits(submission, rng):
    rows = dict(GARDEN.rows)
    rows["sa"] = [logit + 9.0 for logit in rows["sa"]]
    rows["sb"] = [logit - 9.0 for logit in rows["sb"]]
    _expect_relabelled(submission, rng, Table("abcs", rows), seed="s", length=3, beam_width=2)


@points(0.25, of=BEAM, promise="score")
def test_very_improbable_texts(submission):
    call = {"seed": "s", "length": 12, "beam_width": 3, "length_penalty": 5.0, "end_char": "."}
    _expect_acceptable(submission, Case(SMALL_NUMBERS, call))


@points(0.5, of=BEAM, promise="states")
def test_states_follow_their_hypotheses(submission, rng):
    _expect_relabelled(submission, rng, OVERTAKING, seed="s", length=4, beam_width=2)


@points(0.5, of=BEAM, promise="finished")
def test_places_of_finished_hypotheses(submission, rng):
    call = {"seed": "s", "length": 4, "beam_width": 3, "length_penalty": 1.0, "end_char": "."}
    _expect_relabelled(submission, rng, THREE_PLACES, **call)


@points(0.25, of=BEAM, promise="finished")
def test_finished_early_and_best(submission, rng):
    table = oracle.table_of(".abs", {"s": {"a": 0.5, "b": 0.4}, "sa": {".": 0.8}, "sb": {"b": 0.7}, "sbb": {"b": 0.7}})
    _expect_relabelled(submission, rng, table, seed="s", length=5, beam_width=2, end_char=".")


@points(0.5, of=BEAM, promise="finished")
def test_drawn_tables_with_ends(submission, rng):
    kinds = ((2, "."), (3, "c"), (2, "b"), (4, "."))
    cases = (
        oracle.drawn(rng, ".abc", "aa", beyond_greedy=True, length=5, beam_width=width, end_char=end)
        for width, end in kinds
    )
    _expect_acceptable(submission, *cases)


@points(0.25, of=BEAM, promise="finished")
def test_first_of_the_vocabulary_as_the_end(submission):
    table = oracle.table_of(".abs", {"s": {"a": 0.9}, "sa": {".": 0.9}, ".": {"b": 0.9}})
    _expect_acceptable(submission, Case(table, {"seed": "s", "length": 4, "beam_width": 2, "end_char": "."}))


@points(0.5, of=BEAM, promise="normalised")
def test_where_lengths_change_places(submission, rng):
    call = {"seed": "cacs", "length": 5, "beam_width": 3, "end_char": "."}
    tables = ((TWO_ENDS, 0.4), (TWO_ENDS, 0.5), (TWO_ENDS_FAR_APART, 2.0))
    cases = (Case(table, {**call, "length_penalty": penalty}) for table, penalty in tables)
    _expect_acceptable(submission, *(oracle.relabelled(case, rng) for case in cases))


@points(0.5, of=BEAM, promise="normalised")
def test_drawn_tables_with_penalties(submission, rng):
    call = {"length": 5, "beam_width": 3, "end_char": "."}
    _expect_acceptable(
        submission,
        *(oracle.drawn(rng, ".abc", "acb", beyond_greedy=True, **call, length_penalty=p) for p in (0.4, 1.0, 2.0)),
    )


@points(0.25, of=BEAM, promise="end-in-seed")
def test_seed_that_ends_in_the_end(submission, rng):
    table = oracle.table_of(".abs", {".": {"a": 0.6, "b": 0.3}, ".s.": {"b": 0.7}, "b": {"a": 0.7}, "ba": {".": 0.9}})
    _expect_relabelled(submission, rng, table, seed=".s.", length=5, beam_width=2, end_char=".")


@points(0.5, of=BEAM, promise="ends")
def test_late_winner(submission, rng):
    call = {"seed": "s", "length": 8, "beam_width": 2, "length_penalty": 1.0, "end_char": "."}
    _expect_relabelled(submission, rng, LATE_WINNER, **call)


@points(0.25, of=BEAM, promise="ends")
def test_everything_ends(submission, rng):
    table = oracle.table_of(".abs", {"s": {"a": 0.5, "b": 0.46}, "a": {".": 0.98}, "b": {".": 0.99}})
    case = oracle.relabelled(Case(table, {"seed": "s", "length": 30, "beam_width": 2, "end_char": "."}), rng)
    one_character, call = Table("a", {"": [0.5]}), {"seed": "aa", "length": 3, "beam_width": 4}
    only_the_end = Case(one_character, {**call, "end_char": "a"})
    _expect_acceptable(submission, case, Case(one_character, call), only_the_end)


@points(0.25, of=BEAM, promise="greedy")
def test_greedy_on_drawn_tables(submission, rng):
    case = oracle.drawn(rng, "cb.a", "b", length=4, beam_width=1)
    cases = {"without an end": case, "with an end": Case(case.table, {**case.call, "end_char": "."})}
    searches = {label: one.inputs for label, one in cases.items()}
    searches["with an end"]["as_list"] = True
    reply = submission.run(probes.texts, searches=searches)
    for label, one in cases.items():
        expect(reply[label]).equals(oracle.greedy(one))


@points(0.5, of=BEAM, promise="optimum")
def test_global_optimum(submission, rng):
    by_hand = Case(LAST_OF_NINE, {"seed": "s", "length": 3, "beam_width": 9})
    drawn = oracle.drawn(rng, ".ab", "b", beyond_greedy=True, length=3, beam_width=9, length_penalty=0.7, end_char=".")
    cases = {"the text": by_hand, "the text of another table": drawn}
    reply = _search(submission, cases)
    for label, case in cases.items():
        expect(reply[label]).equals(oracle.global_optimum(case))


@points(0.25, of=BEAM, promise="wide")
def test_wider_than_everything(submission, rng):
    # In the second table the last of 24 first characters wins: a beam that is quietly narrower never has it.
    letters = "abcdefghijklmnopqrstuvwx"
    rows = {"a": {letter: (30 - place) / 500 for place, letter in enumerate(letters)}, "ax": {"c": 0.99}}
    last = oracle.relabelled(Case(oracle.table_of(letters, rows), {"seed": "a", "length": 2, "beam_width": 30}), rng)
    _expect_acceptable(submission, oracle.drawn(rng, "bca", "cb", beyond_greedy=True, length=3, beam_width=40))
    expect(_search(submission, {"the text": last})["the text"]).equals(oracle.global_optimum(last))


@points(0.25, of=BEAM, promise="seed-once")
def test_long_seed(submission, rng):
    seed = "".join("abcs"[place % 4] for place in range(29)) + "s"
    table = oracle.table_of("abcs", {"s": {"b": 0.9}, seed: {"a": 0.6, "b": 0.3}, "a": {"c": 0.7}, "ac": {"b": 0.8}})
    case = oracle.relabelled(Case(table, {"seed": seed, "length": 3, "beam_width": 2}), rng)
    reply = submission.run(probes.feeding, **case.inputs)
    _expect_one_of(reply, "the text", oracle.acceptable(case))
    expect(reply["how often each character of the seed was fed"]).equals([1] * len(seed))
    expect(reply["whether the seed was fed in order"]).equals(True)
    expect(reply["whether a row was fed more than the seed and the text after it"]).equals(False)


@points(0.25, of=BEAM, promise="ties", any_choice=True)
def test_drawn_tables_with_ties(submission, rng):
    cases = (oracle.tied(rng, ".ab", "a", length=3, beam_width=width, end_char=".") for width in (1, 2, 3))
    _expect_acceptable(submission, *cases)


@points(0.25, of=BEAM, promise="deterministic", any_choice=True)
def test_the_same_again(submission):
    case = Case(Table("abcs", {"": [1.0, 1.0, 1.0, 1.0]}), {"seed": "s", "length": 4, "beam_width": 3})
    reply = submission.run(probes.under_two_seeds, **case.inputs)
    text = reply.text("the text")
    if len(text) != 5 or not text.startswith("s") or not set(text) <= set("abcs"):
        raise Mismatch(f"the text is {quote(repr(text), 200)}, expected s and four characters")
    expect(reply["the text of a second search"]).equals(text)


@points(0.25, of=BEAM, promise="modes", side=True)
def test_modes_when_all_ends_early(submission):
    table = oracle.table_of(".abs", {"s": {"a": 0.9}, "a": {".": 0.9}})
    case = Case(table, {"seed": "s", "length": 9, "beam_width": 1, "end_char": "."})
    reply = submission.run(probes.modes, **case.inputs)
    for where, training, grad in (
        ("in training", True, True),
        ("in evaluation", False, True),
        ("no_grad", True, False),
    ):
        expect(reply[f"the text ({where})"]).equals("sa")
        expect(reply[f"dropout was on during the search ({where})"]).equals(False)
        expect(reply[f"gradients were recorded during the search ({where})"]).equals(False)
        expect(reply[f"model.training afterwards ({where})"]).equals(training)
        expect(reply[f"gradients enabled afterwards ({where})"]).equals(grad)
        expect(reply[f"modes left as found by a call that is refused ({where})"]).equals(True)


@points(0.25, of=BEAM, promise="errors", side=True)
def test_what_else_is_refused(submission):
    changes = {
        "a negative width": {"beam_width": -2},
        "a width of 0": {"beam_width": 0},
        "a negative length": {"length": -1},
        "a length of 0": {"length": 0},
        "an empty seed": {"seed": ""},
        "an unknown character first": {"seed": "xs"},
        "an unknown character between": {"seed": "sxs"},
    }
    case = Case(GARDEN, {"seed": "s", "length": 3, "beam_width": 2})
    reply = submission.run(probes.errors, **case.inputs, changes=changes)
    _expect_one_of(reply, "the text", oracle.acceptable(case))
    for label in changes:
        expect(reply[f"what came for {label}"]).equals("ValueError")


def _search(submission, cases: dict[str, Case]) -> Reply:
    return submission.run(probes.texts, searches={label: case.inputs for label, case in cases.items()})


def _expect_acceptable(submission, *cases: Case) -> None:
    labelled = {f"the text of search {number}": case for number, case in enumerate(cases, start=1)}
    reply = _search(submission, labelled)
    for label, case in labelled.items():
        _expect_one_of(reply, label, oracle.acceptable(case))


def _expect_relabelled(submission, rng, table: Table, **call) -> None:
    _expect_acceptable(submission, oracle.relabelled(Case(table, call), rng))


def _expect_one_of(reply: Reply, label: str, right: frozenset[str]) -> None:
    text = reply.text(label)
    if text not in right:
        raise Mismatch(f"{label} is {quote(repr(text), 200)}, expected {' or '.join(sorted(map(repr, right))[:3])}")
