"""Public tests of beam search: small tables whose right answers can be worked out on paper.

A table says how probable the next character is after a history with a certain ending: with
`{"s": {"a": 0.6, "b": 0.3}}` a has probability 0.6 and b 0.3 after a history that ends in s, and the
other characters share the rest. The longest ending that fits counts; where none fits, all characters
share. The shares are nearly equal and not quite, so that there are no ties but those a test wants.
"""

from __future__ import annotations

import itertools
import math

import torch

from assignments.beam_search import probes
from grader.messages import quote
from grader.suite import Mismatch, Reply, expect, points

BEAM = "beam_search"

# After t, o is likelier than h. But nothing is likely after "to", and e is nearly sure after "th".
GARDEN = {"t": {"o": 0.5, "h": 0.4}, "to": {"o": 0.4}, "th": {"e": 0.9}}

# The worse the first step, the better the next ones: every width finds another text.
THREE_PATHS = {
    "s": {"a": 0.5, "b": 0.3, "c": 0.19},
    "sa": {"a": 0.4},
    "saa": {"c": 0.5},
    "sb": {"b": 0.7},
    "sbb": {"c": 0.6},
    "sc": {"c": 0.95},
    "scc": {"a": 0.95},
}

# "." at once scores ln 0.368 = -1.00, "ab." ln 0.202 = -1.60 and "acabca" ln 0.079 = -2.54.
THREE_LENGTHS = {
    "s": {".": 0.368, "a": 0.6},
    "sa": {"b": 0.42, "c": 0.2},
    "sab": {".": 0.8},
    "sac": {"a": 0.9},
    "saca": {"b": 0.9},
    "sacab": {"c": 0.9},
    "sacabc": {"a": 0.9},
}

# In the first step "." ends and takes a place, so b is lost. In the second both places are free again,
# and "ab" survives beside "aa".
ONE_PLACE = {
    "s": {"a": 0.5, ".": 0.28, "b": 0.21},
    "sa": {"a": 0.4, "b": 0.35},
    "sab": {"a": 0.99},
    "sb": {"b": 0.99},
    "sbb": {"b": 0.99},
}


@points(0.25, of=BEAM, promise="result")
def test_seed_and_continuation_are_returned(submission):
    # idx_to_char is a dict, then a list; neither is in the order of the alphabet.
    search = {**_table("tohe", {"o": {"t": 0.7}}), "call": {"seed": "to", "length": 1, "beam_width": 2}}
    searches = {"with a dict": search, "with a list": {**search, "as_list": True}}
    reply = submission.run(probes.texts, searches=searches)
    expect(reply["with a dict"]).equals("tot")
    expect(reply["with a list"]).equals("tot")


@points(0.25, of=BEAM, promise="arguments")
def test_order_and_defaults_of_the_arguments(submission):
    rows = {
        # width 1 to 4: one of a, b, c, d and then anything; width 5 finds "ea", width 6 would find "ha"
        "The ": {"a": 0.22, "b": 0.2, "c": 0.18, "d": 0.15, "e": 0.12, "h": 0.1},
        "The e": {"a": 0.6},
        "The h": {"a": 0.99},
        # without a length penalty the e wins, which ends the text
        "Th": {"a": 0.4, "e": 0.35},
        "Tha": {"b": 0.9},
        "Thab": {"c": 0.9},
    }
    reply = submission.run(probes.arguments, **_table(" Tabcdeh", rows), by_position=["Th", 3, 2, 1.0, "e"])
    expect(reply["with every argument in its place"]).equals("Thabc")
    expect(reply["with the defaults and length=2"]).equals("The ea")
    if reply["the default of length"].value is not None:
        expect(reply["the default of length"]).equals(200)


@points(0.5, of=BEAM, promise="greedy")
def test_width_one_is_greedy(submission):
    _expect_text(submission, "too", "ehot", GARDEN, seed="t", length=2, beam_width=1)


@points(0.5, of=BEAM, promise="pruning")
def test_wider_beams_find_better_texts(submission):
    calls = {f"width {width}": {"seed": "s", "length": 3, "beam_width": width} for width in (1, 2, 3)}
    reply = _search(submission, _table("abcs", THREE_PATHS), calls)
    expect(reply["width 1"]).equals("saac")  # 0.5 · 0.4 · 0.5 = 0.100
    expect(reply["width 2"]).equals("sbbc")  # 0.3 · 0.7 · 0.6 = 0.126
    expect(reply["width 3"]).equals("scca")  # 0.19 · 0.95 · 0.95 = 0.171


@points(0.5, of=BEAM, promise="pruning")
def test_two_children_of_one_parent_survive(submission):
    # "aa" 0.30 and "ab" 0.27 are both better than any child of b, and the best text begins with "ab".
    rows = {"s": {"a": 0.6, "b": 0.35}, "sa": {"a": 0.5, "b": 0.45}, "sb": {"b": 0.5}, "sab": {"c": 0.96}}
    _expect_text(submission, "sabc", "abcs", rows, seed="s", length=3, beam_width=2)


@points(0.5, of=BEAM, promise="score")
def test_log_probabilities_are_summed(submission):
    # 0.45 · 0.6 · 0.6 = 0.162 is more than 0.5 · 0.95 · 0.3 = 0.143, though 0.45 + 0.6 + 0.6 is less.
    rows = {
        "s": {"a": 0.5, "b": 0.45},
        "sa": {"a": 0.95},
        "saa": {"a": 0.3},
        "sb": {"b": 0.6},
        "sbb": {"b": 0.6},
    }
    _expect_text(submission, "sbbb", "abcs", rows, seed="s", length=3, beam_width=2)
    # 0.6 · 0.5 = 0.30 is more than 0.3 · 0.9 = 0.27, though 0.5 is less than 0.9.
    rows = {"s": {"a": 0.6, "b": 0.3}, "sa": {"a": 0.5}, "sb": {"b": 0.9}}
    _expect_text(submission, "saa", "abcs", rows, seed="s", length=2, beam_width=2)


@points(0.25, of=BEAM, promise="score")
def test_logits_may_have_any_offset(submission):
    table = _table("ehot", GARDEN)
    table["logits"][table["endings"].index("to")] += 7.0  # the probabilities after "to" stay what they were
    reply = _search(submission, table, {"the text": {"seed": "t", "length": 2, "beam_width": 2}})
    expect(reply["the text"]).equals("the")


@points(0.5, of=BEAM, promise="states")
def test_hypotheses_keep_their_own_states(submission):
    # First a leads, then the child of b. Only "sbb" promises a good end; after "sab" the model says a.
    rows = {
        "s": {"a": 0.55, "b": 0.4},
        "sa": {"a": 0.5},
        "sb": {"b": 0.9},
        "saa": {"a": 0.4},
        "sbb": {"c": 0.7},
        "sab": {"a": 0.95},
        "sba": {"a": 0.95},
    }
    _expect_text(submission, "sbbc", "abcs", rows, seed="s", length=3, beam_width=2)


@points(0.25, of=BEAM, promise="finished")
def test_a_finished_hypothesis_can_win(submission):
    rows = {"s": {"a": 0.9}, "sa": {"b": 0.55, ".": 0.42}}  # whatever follows "ab" is worse than 0.9 · 0.42
    _expect_text(submission, "sa", ".abs", rows, seed="s", length=5, beam_width=2, end_char=".")
    # "." scores -0.51 and is best, though the model is sure of how to go on after it.
    rows = {"s": {".": 0.6, "a": 0.39}, ".": {"a": 0.98}, ".a": {"a": 0.98}, "s.aa": {"a": 0.98}}
    call = {"seed": "s", "length": 3, "beam_width": 2, "length_penalty": 1.0, "end_char": "."}
    _expect_text(submission, "s", ".abs", rows, **call)


@points(0.25, of=BEAM, promise="finished")
def test_an_unfinished_hypothesis_can_win(submission):
    rows = {"s": {"a": 0.8, ".": 0.19}, "sa": {"b": 0.9}, "sab": {"a": 0.9}}
    _expect_text(submission, "saba", ".abs", rows, seed="s", length=3, beam_width=2, end_char=".")


@points(0.5, of=BEAM, promise="finished")
def test_a_finished_hypothesis_takes_one_place_once(submission):
    call = {"seed": "s", "length": 3, "beam_width": 2, "length_penalty": 1.0, "end_char": "."}
    _expect_text(submission, "saba", ".abs", ONE_PLACE, **call)


@points(0.75, of=BEAM, promise="normalised")
def test_length_penalty_decides_the_final_choice(submission):
    call = {"seed": "s", "length": 6, "beam_width": 2, "end_char": "."}
    calls = {f"length_penalty {penalty}": {**call, "length_penalty": penalty} for penalty in (0.0, 0.6, 1.0, 2.0)}
    calls["no length_penalty given"] = call
    reply = _search(submission, _table(".abcs", THREE_LENGTHS), calls)
    expect(reply["length_penalty 0.0"]).equals("s")
    expect(reply["no length_penalty given"]).equals("s")
    expect(reply["length_penalty 0.6"]).equals("sab")  # -1.60 / 3^0.6 = -0.83 against -1.00 and -0.87
    expect(reply["length_penalty 1.0"]).equals("sacabca")  # -2.54 / 6 = -0.42 against -1.00 and -0.53
    expect(reply["length_penalty 2.0"]).equals("sacabca")


@points(0.25, of=BEAM, promise="end-left-out")
def test_end_char_is_not_returned(submission):
    rows = {"s": {"a": 0.8}, "a": {"b": 0.8}, "b": {"~": 0.8}}
    _expect_text(submission, "sab", "abs~", rows, seed="s", length=4, beam_width=3, end_char="~")


@points(0.25, of=BEAM, promise="end-in-seed")
def test_end_char_in_the_seed(submission):
    rows = {"s": {"a": 0.8}, "a": {".": 0.8}}
    _expect_text(submission, "s.sa", ".abs", rows, seed="s.s", length=4, beam_width=2, end_char=".")


@points(0.25, of=BEAM, promise="ends")
def test_when_the_search_ends(submission):
    rows = {"s": {"a": 0.8}, "a": {"b": 0.8}, "b": {"c": 0.8}, "c": {"a": 0.7, ".": 0.2}}
    call = {"seed": "s", "length": 4, "beam_width": 2}
    calls = {
        "without an end_char": call,
        "with an end_char that always loses": {**call, "end_char": "."},
        "with width 1 and c as end_char": {**call, "beam_width": 1, "length": 50, "end_char": "c"},
    }
    reply = _search(submission, _table(".abcs", rows), calls)
    expect(reply["without an end_char"]).equals("sabca")
    expect(reply["with an end_char that always loses"]).equals("sabca")
    expect(reply["with width 1 and c as end_char"]).equals("sab")


@points(0.25, of=BEAM, promise="ends")
def test_the_first_end_does_not_end_the_search(submission):
    rows = {"s": {"a": 0.6, ".": 0.3}, "sa": {"b": 0.9}, "sab": {".": 0.9}}  # 0.49 is more than 0.3
    _expect_text(submission, "sab", ".abs", rows, seed="s", length=4, beam_width=2, end_char=".")


@points(0.25, of=BEAM, promise="ties", any_choice=True)
def test_any_choice_between_equals(submission):
    # Two of a, b and c get a place. If a is among them it wins; if not, b does.
    rows = {"s": {"a": 0.33, "b": 0.33, "c": 0.33}, "sa": {"a": 0.9}, "sb": {"b": 0.8}, "sc": {"c": 0.7}}
    reply = _search(submission, _table("abcs", rows), {"the text": {"seed": "s", "length": 2, "beam_width": 2}})
    text = reply.text("the text")
    if text not in ("saa", "sbb"):
        raise Mismatch(f"the text is {quote(repr(text), 200)}, expected 'saa' or 'sbb'")


@points(0.25, of=BEAM, promise="optimum")
def test_a_very_wide_beam_finds_the_best_of_all(submission):
    rows = {"s": {"a": 0.5, "b": 0.3}, "sa": {"a": 0.4}, "sb": {"b": 0.5}, "ss": {"s": 0.98}}
    _expect_text(submission, "ssss", "abs", rows, seed="s", length=3, beam_width=9)


@points(0.25, of=BEAM, promise="wide")
def test_width_above_the_vocabulary(submission):
    _expect_text(submission, "scca", "abcs", THREE_PATHS, seed="s", length=3, beam_width=7)


@points(0.25, of=BEAM, promise="deterministic", any_choice=True)
def test_two_searches_give_one_text(submission):
    call = {"seed": "s", "length": 3, "beam_width": 2}
    table = {"alphabet": "abcs", "endings": [""], "logits": torch.zeros(1, 4)}  # all texts are equally good
    reply = submission.run(probes.under_two_seeds, **table, call=call)
    text = reply.text("the text")
    if text not in {"s" + "".join(chars) for chars in itertools.product("abcs", repeat=3)}:
        raise Mismatch(f"the text is {quote(repr(text), 200)}, expected s and three characters")
    expect(reply["the text of a second search"]).equals(text)


@points(0.5, of=BEAM, promise="seed-once")
def test_the_seed_is_fed_once(submission):
    rows = {"p": {"o": 0.3, "t": 0.4}, "op": {"t": 0.9}, "top": {"o": 0.8}, "stop": {"s": 0.6, "p": 0.3}}
    rows |= {"tops": {"o": 0.7}, "topso": {"p": 0.8}}
    call = {"seed": "stop", "length": 3, "beam_width": 2}
    reply = submission.run(probes.feeding, **_table("opst", rows), call=call)
    expect(reply["the text"]).equals("stopsop")
    expect(reply["how often each character of the seed was fed"]).equals([1, 1, 1, 1])
    expect(reply["whether the seed was fed in order"]).equals(True)
    expect(reply["whether a row was fed more than the seed and the text after it"]).equals(False)


@points(0.25, of=BEAM, promise="modes", side=True)
def test_modes_are_left_as_found(submission):
    reply = submission.run(probes.modes, **_table("ehot", GARDEN), call={"seed": "t", "length": 2, "beam_width": 2})
    for where, training, grad in (
        ("in training", True, True),
        ("in evaluation", False, True),
        ("no_grad", True, False),
    ):
        expect(reply[f"the text ({where})"]).equals("the")
        expect(reply[f"dropout was on during the search ({where})"]).equals(False)
        expect(reply[f"gradients were recorded during the search ({where})"]).equals(False)
        expect(reply[f"model.training afterwards ({where})"]).equals(training)
        expect(reply[f"gradients enabled afterwards ({where})"]).equals(grad)


@points(0.25, of=BEAM, promise="errors", side=True)
def test_what_is_refused(submission):
    changes = {
        "a width of 0": {"beam_width": 0},
        "a length of 0": {"length": 0},
        "an empty seed": {"seed": ""},
        "an unknown character in the seed": {"seed": "tZ"},
    }
    call = {"seed": "t", "length": 2, "beam_width": 2}
    reply = submission.run(probes.errors, **_table("ehot", GARDEN), call=call, changes=changes)
    expect(reply["the text"]).equals("the")
    for label in changes:
        expect(reply[f"what came for {label}"]).equals("ValueError")


def _table(alphabet: str, probabilities: dict[str, dict[str, float]]) -> dict:
    """The arguments of a probe that describe a table, from probabilities as at the top of this file."""
    rows = {ending: probabilities.get(ending, {}) for ending in ("", *alphabet, *probabilities)}
    logits = torch.empty(len(rows), len(alphabet))
    for place, (ending, row) in enumerate(rows.items()):
        turn = alphabet.find(ending[-1:])
        shares = {char: 10 + (0.618 * n + 0.414 * turn) % 1 for n, char in enumerate(alphabet) if char not in row}
        rest = (1 - sum(row.values())) / max(1, sum(shares.values()))
        logits[place] = torch.tensor([math.log(row[char] if char in row else rest * shares[char]) for char in alphabet])
    return {"alphabet": alphabet, "endings": list(rows), "logits": logits}


def _search(submission, table: dict, calls: dict[str, dict]) -> Reply:
    """The text of every call with one table, by its label."""
    return submission.run(probes.texts, searches={label: {**table, "call": call} for label, call in calls.items()})


def _expect_text(submission, right: str, alphabet: str, probabilities: dict[str, dict[str, float]], **call) -> None:
    reply = _search(submission, _table(alphabet, probabilities), {"the text": call})
    expect(reply["the text"]).equals(right)
