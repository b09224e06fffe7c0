"""Programs that are wrong, and that no misconception describes: their mistakes must not be given a name.

Each is the solution with one of its names wrapped, so that all its replies are wrong in a way that nothing
on the list explains.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.course import SOLUTIONS, Assignment, load_course

WRAPPED = """

import torch as _torch

_right_{name} = {name}


{wrapper}
"""
CELL = """class {name}(_right_{name}):
    def forward(self, *arguments):
        h, c = super().forward(*arguments)
        return {h}, {c}
"""
MODEL = """class {name}(_right_{name}):
    def forward(self, *arguments):
        logits, states = super().forward(*arguments)
        return {logits}, states
"""
MODELS = (
    ("language_model", "CharLSTM"),
    ("language_model", "CharRNN"),
    ("seq2seq", "Decoder"),
    ("fast_lstm", "FastLSTM"),
)
FREE = (("Encoder", "of a tenth"), ("Decoder", "nearly"), ("Decoder", "of a tenth"))  # right, with other parameters
FUNCTION = """def {name}(*arguments, **named):
    right = _right_{name}(*arguments, **named)
    return {result}
"""

NEAR = (  # a known mistake explains some of the failed tests, and a test that passes shows that it is another
    ("training", "learning_rate=0.002", "learning_rate=0.001"),
    ("training", "grad_clip=5.0", "grad_clip=1.0"),
    ("batching", "return char_to_idx, idx_to_char", "return char_to_idx, char_to_idx"),
    ("batching", "return char_to_idx, idx_to_char", "return char_to_idx, {str(i): c for i, c in idx_to_char.items()}"),
)


def wrapped(assignment: Assignment, name: str, wrapper: str, **parts: str) -> str:
    """The solution with `name` wrapped."""
    source = (SOLUTIONS / assignment.file).read_text()
    return source + WRAPPED.format(name=name, wrapper=wrapper.format(name=name, **parts))


def wrong_programs() -> Iterator[tuple[str, Assignment, str]]:
    """(label, assignment, source): programs that no misconception describes."""
    by_name = {assignment.name: assignment for assignment in load_course()}
    cells = by_name["cells"]
    numbers = {
        "random": "_torch.randn_like({0})",
        "zeros": "{0} * 0",
        "nearly": "{0} + 1e-3",
        "backwards": "{0}.flip(0, 1)",
        "transposed": "{0}.mT.reshape({0}.shape)",
        "nan": "{0} * float('nan')",
        "a constant": "_torch.full_like({0}, 0.5)",
        "of a tenth": "{0} * 0.1",
    }
    for label, formula in numbers.items():
        for assignment, names in ((cells, cells.names), (by_name["seq2seq"], ["Encoder"])):
            for name in names:
                if (name, label) in FREE:
                    continue
                source = wrapped(assignment, name, CELL, h=formula.format("h"), c=formula.format("c"))
                yield f"{name}: {label}", assignment, source
        for owner, name in MODELS:
            if (name, label) in FREE:
                continue
            source = wrapped(by_name[owner], name, MODEL, logits=formula.format("logits"))
            yield f"{name}: {label}", by_name[owner], source
    results = {
        "batching": {
            "build_vocab": ["({}, {})", "({c: i * 7 for c, i in right[0].items()}, right[1])"],
            "encode": ["right * 0", "right.flip(0)", "right + 1", "_torch.randint_like(right, 9)", "None"],
            "decode": ["'constant'", "right[::-1]", "''", "right.upper() + '!'", "None"],
            "create_batches": [
                "[(x * 0, y * 0) for x, y in right]",
                "[(x.flip(1), y.flip(1)) for x, y in right]",
                "[(_torch.randint_like(x, 99), _torch.randint_like(y, 99)) for x, y in right]",
                "list(right)[::-1]",
                "[]",
                "None",
            ],
        },
        "training": {"train": ["[0.0 for _ in right]", "[loss + 1e-2 for loss in right]", "right[::-1]", "None"]},
        "sampling": {
            "sample_next": ["0", "(right + 1) % len(arguments[0])", "len(arguments[0]) - 1 - right", "None"],
            "generate_text": ["'constant'", "right[::-1]", "right.swapcase() + '.'", "''", "None"],
        },
        "beam_search": {"beam_search": ["'constant'", "right[::-1]", "right + right[-1]", "''", "None"]},
        "seq2seq": {
            "sequence_loss": ["right * 0", "right + 1e-3", "right * 1.5", "None"],
            "greedy_decode": ["[row[::-1] for row in right]", "[[0, 1, 2] for _ in right]", "None"],
            "teacher_forcing_probability": ["0.5", "-right", "right * 0.9", "None"],
        },
        "gradient_flow": {
            "hidden_gradient_norms": ["right * 0", "right + 1e-3", "_torch.rand_like(right)", "None"],
            "largest_singular_value": ["0.0", "-right", "right + 1e-3", "None"],
        },
    }
    for assignment_name, parts in results.items():
        assignment = by_name[assignment_name]
        for name, formulas in parts.items():
            for result in formulas:
                yield f"{name}: {result}", assignment, wrapped(assignment, name, FUNCTION, result=result)
    for assignment_name, old, new in NEAR:
        assignment = by_name[assignment_name]
        source = (SOLUTIONS / assignment.file).read_text()
        assert source.count(old) == 1
        yield f"{assignment_name}: {new}", assignment, source.replace(old, new)
    for assignment in load_course():  # always an error, whatever is asked for
        for error in ("ValueError('no')", "RuntimeError('shapes cannot be multiplied')", "KeyError('q')"):
            source = (SOLUTIONS / assignment.file).read_text()
            kind = "class" if f"class {assignment.names[0]}" in source else "def"
            head = "class {0}:\n    def __init__(self, *_, **__):\n" if kind == "class" else "def {0}(*_, **__):\n"
            indent = "        " if kind == "class" else "    "
            thrown = "".join("\n\n" + head.format(name) + f"{indent}raise {error}\n" for name in assignment.names)
            yield f"{assignment.name}: {error}", assignment, source + thrown
