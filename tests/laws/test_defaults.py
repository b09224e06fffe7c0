"""Defaults are read off a signature, or seen at work where it hides them: a wrong one costs its points either way."""

from __future__ import annotations

import pytest

from grader.course import SOLUTIONS
from tests.support import grade_folder, rows_of, write_files

SAMPLING = 'seed="The ", length=500, temperature=1.0,'
TRAINING = "batch_size=64,\n    seq_len=100,\n    num_epochs=20,\n    learning_rate=0.002,\n    grad_clip=5.0,"


def hidden(parameters: str) -> str:
    """The same parameters, None each."""
    return ", ".join(f"{part.split('=')[0].strip()}=None" for part in parameters.rstrip(",").split(",")) + ","


def spelled_out(parameters: str) -> str:
    """Lines that give each parameter its default in the body."""
    pairs = [part.strip().split("=", 1) for part in parameters.rstrip(",").split(",")]
    return "".join(f"    {name} = {value} if {name} is None else {name}\n" for name, value in pairs)


def lost(assignment: str, known: str, wrong: tuple[str, str], hide: bool, folder, sandbox) -> set[str]:
    """The tests that the solution loses with one default changed, in its signature or in its body."""
    source = (SOLUTIONS / f"{assignment}.py").read_text("utf-8")
    assert source.count(known) == 1 and known.count(wrong[0]) == 1
    changed = known.replace(*wrong)
    if hide:
        before, after = source.split(known)
        signature, body = after.split("    # BEGIN SOLUTION\n", 1)
        source = before + hidden(known) + signature + spelled_out(changed) + body
    else:
        source = source.replace(known, changed)
    files = {
        f"{name}.py": (SOLUTIONS / f"{name}.py").read_text("utf-8") for name in ("batching", "sampling", "training")
    }
    path = write_files(folder / "submission", {**files, f"{assignment}.py": source})
    return set(rows_of(grade_folder(path, [assignment], sandbox).document, "failed", "error"))


@pytest.mark.parametrize("hide", [False, True], ids=["said", "hidden"])
@pytest.mark.parametrize(
    ("assignment", "known", "wrong", "costs"),
    [
        ("sampling", SAMPLING, ("500", "500"), set()),
        ("sampling", SAMPLING, ("500", "400"), {"test_what_is_left_out"}),
        ("sampling", SAMPLING, ("1.0", "0.5"), {"test_what_is_left_out"}),
        ("sampling", SAMPLING, ("The ", "the "), {"test_what_is_left_out"}),
        ("training", TRAINING, ("64", "64"), set()),
        ("training", TRAINING, ("64", "32"), {"test_defaults"}),
        ("training", TRAINING, ("100", "50"), {"test_defaults"}),
        ("training", TRAINING, ("20", "10"), {"test_defaults"}),
        ("training", TRAINING, ("0.002", "0.001"), {"test_default_rate_and_clip"}),
        ("training", TRAINING, ("5.0", "1.0"), {"test_default_rate_and_clip"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_default_costs_its_test_and_no_other(assignment, known, wrong, costs, hide, tmp_path, trusted_sandbox):
    assert lost(assignment, known, wrong, hide, tmp_path, trusted_sandbox) == costs
