"""Probes of vocabulary and batches: ask a function, return what came out.

They run beside the student's code and hold inputs but no answers. `data` is a LongTensor (N,),
`alphabet` the characters of a vocabulary in the order of their numbers. Text lives on the CPU, and so
do the tensors that student code is given here, whichever device a course grades on.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import torch

from assignments.scripted import Complaint, pair


def numbering(student: Any, text: str, before: str = "") -> dict[str, Any]:
    """The number of each distinct character, listed as they appear; None where there is none.

    If a text `before` is given, its vocabulary is built first, and laid aside.
    """
    if before:
        student.build_vocab(before)
    char_to_idx, _ = pair(student.build_vocab(text), "build_vocab")
    size = len(char_to_idx)  # before any look-up, which a defaultdict would count
    return {
        "numbers": [plain(look_up(char_to_idx, ch)) for ch in dict.fromkeys(text)],
        "the size of char_to_idx": size,
    }


def way_back(student: Any, text: str) -> dict[str, Any]:
    """For each distinct character, listed as they appear, the character that its own number leads back to."""
    char_to_idx, idx_to_char = pair(student.build_vocab(text), "build_vocab")
    numbers = [plain(look_up(char_to_idx, ch)) for ch in dict.fromkeys(text)]
    return {"characters": [look_up(idx_to_char, number) for number in numbers]}


def vocabulary_of_nothing(student: Any, text: str) -> dict[str, Any]:
    """The numbering of a text, and what comes of an empty one."""
    found = numbering(student, text)
    return {**found, "outcome": outcome(lambda: student.build_vocab(""))}


def encoded(student: Any, texts: list[str], alphabet: str) -> dict[str, Any]:
    """What encode makes of each text."""
    return {"results": [student.encode(text, char_to_idx(alphabet)) for text in texts]}


def encoded_unknown(student: Any, text: str, alphabet: str, strange: list[str]) -> dict[str, Any]:
    """What encode makes of a text, and what comes of each with a character that is not in the vocabulary."""
    found = encoded(student, [text], alphabet)
    outcomes = []
    for unknown in strange:
        stranger = next(ch for ch in unknown if ch not in alphabet)
        outcomes.append(outcome(lambda unknown=unknown: student.encode(unknown, char_to_idx(alphabet)), stranger))
    return {**found, "outcomes": outcomes}


def decoded(student: Any, cases: list[tuple[torch.Tensor, str]], alphabet: str) -> dict[str, Any]:
    """What decode makes of each case: numbers, and the form to give them in ("tensor", "list", "tuple", "range").

    Each answer is a list: decode is given a dict and, where the student's own build_vocab makes
    something else for an idx_to_char, that too.
    """
    return {"answers": [asked(student, in_form(indices, form), alphabet) for indices, form in cases]}


def round_trip(student: Any, text: str) -> dict[str, Any]:
    """The text through build_vocab, encode and decode.

    Where that leads elsewhere, a vocabulary and numbers of ours take the place of those from build_vocab
    and encode, whose mistakes have tests of their own.
    """
    came = None
    try:
        char_to_idx, idx_to_char = pair(student.build_vocab(text), "build_vocab")
        came = student.decode(student.encode(text, char_to_idx), idx_to_char)
    except NotImplementedError:
        raise
    except Exception:
        pass  # decode is asked once more, alone
    if not isinstance(came, str) or came != text:
        alphabet = "".join(sorted(set(text)))
        numbers = torch.tensor([alphabet.index(ch) for ch in text])
        came = student.decode(numbers, dict(enumerate(alphabet)))
    return {"the text after the round trip": came}


def epoch(student: Any, data: torch.Tensor, batch_size: int, seq_len: int) -> dict[str, Any]:
    """Every x and every y of one pass over the data, copied as they come."""
    batches = [copied(x, y) for x, y in walk(student, data.cpu(), batch_size, seq_len)]
    return {"x": [x for x, _ in batches], "y": [y for _, y in batches]}


def kept_epoch(student: Any, data: torch.Tensor, batch_size: int, seq_len: int) -> dict[str, Any]:
    """Every x and every y of one pass, looked at only after the last; what it left of the data and the grad mode."""
    data, batches, modes = data.cpu(), [], []
    for batch in walk(student, data, batch_size, seq_len):
        batches.append(batch)
        modes.append(torch.is_grad_enabled())
    modes.append(torch.is_grad_enabled())
    return {
        "x": [x for x, _ in batches],
        "y": [y for _, y in batches],
        "data afterwards": data,
        "gradients are on at every batch and afterwards": all(modes),
    }


def second_epoch(student: Any, data: torch.Tensor, batch_size: int, seq_len: int) -> dict[str, Any]:
    """A second pass over data, after one over the same data backwards, looked at only after its last batch."""
    data = data.cpu()
    for earlier in (data.flip(0), data):
        for _ in walk(student, earlier, batch_size, seq_len):
            pass
    batches = list(walk(student, data, batch_size, seq_len))
    return {"x": [x for x, _ in batches], "y": [y for _, y in batches]}


def shapes(student: Any, data: torch.Tensor, cases: list[list[int]]) -> dict[str, Any]:
    """For each case (N, B, T) the shapes of x and y, batch by batch; the first N of the data are used."""
    return {
        "cases": [
            [[shape_of(x), shape_of(y)] for x, y in walk(student, data[:length].cpu().clone(), batch_size, seq_len)]
            for length, batch_size, seq_len in cases
        ]
    }


def refusals(student: Any, data: torch.Tensor, batch_size: int, seq_len: int, cases: list[list[int]]) -> dict[str, Any]:
    """An ordinary pass, and what comes of each case (N, B, T) when its first batch is asked for."""

    def first_batch(length: int, rows: int, steps: int) -> Any:
        return next(iter(student.create_batches(data[:length].cpu().clone(), rows, steps)), None)

    found = epoch(student, data.clone(), batch_size, seq_len)
    outcomes = [outcome(lambda case=case: first_batch(*case)) for case in cases]
    return {**found, "outcomes": outcomes}


def walk(student: Any, data: torch.Tensor, batch_size: int, seq_len: int) -> Iterator[tuple[Any, Any]]:
    """The batches of any kind of iterable; no more of them than there could be, in case it never ends."""
    batches: Iterable[Any] = student.create_batches(data, batch_size, seq_len)
    try:
        iterator = iter(batches)
    except TypeError:
        kind = type(batches).__name__
        raise Complaint(f"create_batches returned a {kind}, expected something to iterate over") from None
    for batch in islice(iterator, len(data) + 1):
        if not isinstance(batch, tuple | list | str | dict):
            with contextlib.suppress(TypeError):  # whatever `for x, y in …` would take apart
                batch = tuple(islice(batch, 3))
        yield pair(batch, "a step through create_batches")


def copied(x: Any, y: Any) -> tuple[Any, Any]:
    """A batch as it is now, whatever happens to it later."""
    return tuple(part.clone() if isinstance(part, torch.Tensor) else part for part in (x, y))


def shape_of(value: Any) -> Any:
    """A tensor's shape as a list; anything else as it is."""
    return list(value.shape) if isinstance(value, torch.Tensor) else value


def look_up(table: Any, key: Any) -> Any:
    """What a dict, a list, a str, a function … maps the key to; None where it has nothing."""
    try:
        return table[key] if hasattr(table, "__getitem__") else table(key)
    except (KeyError, IndexError, TypeError):
        return None


def plain(number: Any) -> Any:
    """An int for every kind of whole number (NumPy's, a tensor's); anything else as it is."""
    try:
        return number.__index__()
    except (AttributeError, TypeError):
        return number


def char_to_idx(alphabet: str) -> dict[str, int]:
    """The vocabulary that a test hands to encode."""
    return {ch: number for number, ch in enumerate(alphabet)}


def in_form(indices: torch.Tensor, form: str) -> Any:
    """The numbers as a tensor, a list, a tuple, or the range from the first to the last."""
    if form == "tensor":
        return indices.cpu()
    numbers = indices.tolist()
    if form == "range":
        return range(numbers[0], numbers[-1] + 1)
    return tuple(numbers) if form == "tuple" else numbers


def asked(student: Any, indices: Any, alphabet: str) -> list[Any]:
    """What decode answers with a dict and with the student's own idx_to_char, if that is of another kind."""
    decode = student.decode
    tables: list[Any] = [dict(enumerate(alphabet))]
    with contextlib.suppress(Exception):
        own = pair(student.build_vocab(alphabet), "build_vocab")[1]
        if not isinstance(own, dict):
            tables.append(own)
    answers, problems = [], []
    for table in tables:
        try:
            answers.append(decode(indices, table))
        except Exception as problem:
            problems.append(problem)
    if not answers:
        raise problems[0]
    return answers


def outcome(call: Callable[[], Any], stranger: str = "") -> dict[str, Any]:
    """What a call raised, and whether it names the stranger; or what it returned instead."""
    try:
        returned = call()
    except Exception as problem:
        words = "\n".join([str(problem), *map(str, getattr(problem, "__notes__", ()))])
        kind = "ValueError" if isinstance(problem, ValueError) else type(problem).__name__
        return {"raised": kind, "names the character": is_named(stranger, words), "the words of the error": words}
    return {"raised": None, "returned": returned}


def is_named(ch: str, words: str) -> bool:
    """Whether words name a character: as itself, escaped, by code point, by bytes or by its name in Unicode."""
    if not ch:
        return False
    code = ord(ch)
    ways = (ch, ascii(ch)[1:-1], f"u+{code:x}", f"u+{code:04x}", hex(code), str(code), repr(ch.encode())[2:-1])
    return any(way.lower() in words.lower() for way in (*ways, unicodedata.name(ch, ch)))
