"""`expect`: type, shape, dtype, finiteness, values, in that order, and nothing broadcasts into equality."""

from __future__ import annotations

import math

import pytest
import torch

from grader.suite import Mismatch, Part, Reply, Tolerance, expect
from grader.suite.expectation import describe_kind
from grader.wire.values import Opaque, decode, encode

RIGHT = torch.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "h: None, expected a tensor"),
        (Opaque("generator"), "h: a generator"),
        ([1.0], "h: a list"),
        (torch.zeros(0), r"shape \(0,\), expected \(2, 3\)"),
        (torch.tensor(0.0), r"shape \(\)"),
        (RIGHT[:1], r"shape \(1, 3\)"),
        (RIGHT.T, r"shape \(3, 2\)"),
        (RIGHT.double(), "h: float64, expected float32"),
        (RIGHT.long(), r"h: int64 \(torch\.long\)"),
        (RIGHT.bool(), "h: bool"),
        (RIGHT.clone().fill_(math.nan), "not finite"),
        (RIGHT.clone().fill_(math.inf), "not finite"),
        (RIGHT + torch.eye(2, 3), "row 0, unit 0: yours 1, expected 0"),
        (RIGHT + 1e-3, "off by up to 0.001"),
    ],
)
def test_the_first_thing_that_is_wrong_is_said(value, says):
    with pytest.raises(Mismatch, match=says):
        expect(Part("h", value), axes="row unit").matches(RIGHT)


def test_rounding_is_no_mismatch():
    expect(RIGHT + 1e-6).matches(RIGHT)
    expect(-0.0 * torch.ones(2)).matches(torch.zeros(2))


def test_whole_numbers_match_exactly():
    expect(torch.tensor([1, 2])).matches(torch.tensor([1, 2]))
    with pytest.raises(Mismatch, match=r"x: 3 at \[1\], expected 2"):
        expect(Part("x", torch.tensor([1, 3]))).matches(torch.tensor([1, 2]))


@pytest.mark.parametrize(("value", "right"), [(1, True), (1.0, 1), ("1", 1), (None, 0), ([1], 1), (math.nan, 1.0)])
def test_equals_does_not_confuse_types(value, right):
    with pytest.raises(Mismatch):
        expect(value).equals(right)


def test_what_should_hold_reads_as_a_sentence():
    with pytest.raises(Mismatch, match=r"^this should be so, but is not: cells is an nn\.ModuleList$"):
        expect(Part("cells is an nn.ModuleList", False)).equals(True)
    with pytest.raises(Mismatch, match=r"^this should not be so, but is: gradients were recorded$"):
        expect(Part("gradients were recorded", True)).equals(False)
    with pytest.raises(Mismatch, match="x: 1, expected True"):
        expect(Part("x", 1)).equals(True)


@pytest.mark.parametrize(
    ("value", "right", "says"),
    [
        (1280.4, 40.0, "x: 1280.4, expected 40$"),
        (3.21e-5, 0.0, "x: 0.0000321, expected 0$"),
        (1e-12, 1.0, "x: nearly 0, expected 1$"),
        (1e-12, 1e-6, "x: 1e-12, expected 0\\.000001$"),
        (1234567.0, 1.0, "x: 1234567, expected 1$"),
        (0.7500000001, 0.75, r"x: 0\.7500000001, expected 0\.75$"),
    ],
)
def test_numbers_are_short_and_differ_where_they_are_shown(value, right, says):
    with pytest.raises(Mismatch, match=says):
        expect(Part("x", value)).is_close(right, Tolerance(1e-14, 0))


def test_a_row_is_told_with_the_block_that_it_belongs_to():
    with pytest.raises(Mismatch, match=r"most at row 3 \(forget block\), column 1: yours 7"):
        wrong = torch.zeros(8, 2)
        wrong[3, 1] = 7
        expect(Part("W", wrong), axes="row column", blocks="input forget candidate output").matches(torch.zeros(8, 2))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Opaque("map"), "x: a map, expected"),
        ([Opaque("map"), 1], r"x: \[a map, 1\], expected"),
        ((Opaque("int64"),), r"x: \(an int64,\), expected"),
        ([{"h": [Opaque("generator"), None]}], r"x: \[\{'h': \[a generator, None\]\}\], expected"),
        ({Opaque("Key"): "a"}, r"x: \{a Key: 'a'\}, expected"),
        ([Opaque("two\nlines")], r"x: \[a two lines\], expected"),
        ([[1, 2.5], (), ("b",), {}], r"x: \[\[1, 2\.5\], \(\), \('b',\), \{\}\], expected"),
        ([Opaque("map")] * 1000, r"x: \[a map, a map, .*…, expected"),
    ],
)
def test_what_stayed_in_its_process_is_told_by_its_type_however_deep(value, says):
    with pytest.raises(Mismatch, match=says):
        expect(Part("x", value)).equals([1, 2])


def test_a_kind_has_its_article():
    told = [describe_kind(value) for value in (3, True, 0.5, "a", {}, Opaque("ndarray"), Opaque("array"))]
    assert told == ["an int", "a bool", "a float", "a str", "a dict", "a ndarray", "an array"]
    assert describe_kind(decode(*encode(2**70))) == "an integer of over 63 bits"


def test_equals_takes_a_list_for_a_tuple():
    expect((1, "a", [2])).equals([1, "a", (2,)])


@pytest.mark.parametrize("value", [math.nan, math.inf, True, "1", None, torch.tensor(1.0), 1.2])
def test_is_close_wants_a_finite_number(value):
    with pytest.raises(Mismatch):
        expect(value).is_close(1.0, Tolerance(0.1, 0))


@pytest.mark.parametrize("reply", [None, [], {"other": 1}, {"x": None}, {"x": Opaque("x")}, {"x": {}}, Opaque("y")])
@pytest.mark.parametrize("access", ["tensor", "text", "flag", "whole", "number", "numbers", "sequence"])
def test_checked_access_never_fails_in_another_way(reply, access):
    with pytest.raises(Mismatch):
        getattr(Reply(reply), access)("x")


def test_checked_access():
    reply = Reply({"t": RIGHT, "n": 3, "f": 0.5, "s": "a", "b": True, "l": [1, 2.5]})
    assert reply.tensor("t", (2, 3)) is RIGHT
    assert (reply.whole("n"), reply.number("f"), reply.text("s"), reply.flag("b")) == (3, 0.5, "a", True)
    assert reply.numbers("l") == [1.0, 2.5]
    with pytest.raises(Mismatch, match="shape"):
        reply.tensor("t", (3, 2))
    with pytest.raises(Mismatch):
        reply.whole("b")
    with pytest.raises(Mismatch):
        Reply({"l": [1, math.nan]}).numbers("l")
