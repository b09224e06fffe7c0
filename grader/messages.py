"""Every sentence the grader says about a submission, in one place, and the rules for quoting.

Sentences about hidden tests are complete as they stand here: nothing a student wrote, no input and
no expected value is ever put into one. Sentences of public tests may quote; `quote` makes that safe.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

MESSAGE_LIMIT = 2000
QUOTE_LIMIT = 600

# What happened, in the words of a public test. `{}` is filled with quoted text.
NOT_IMPLEMENTED = "{name} is not implemented yet."
MISSING_FILE = "{file} is not in the submission."
MISSING_NAME = "{file} does not define {name}."
UNREADABLE = "{file} can't be read: {reason}"
IMPORT_FAILED = "Importing {file} failed with {problem}"
RAISED = "{name} raised {problem}"
EXITED = "{name} ended the whole program (sys.exit or the like) instead of returning."
DIED = "The process running {name} ended before it answered: a crash, or an exit from deep inside."
OUT_OF_MEMORY = "{name} ran out of memory."
OUT_OF_GPU_MEMORY = "{name} ran out of the GPU's memory: a submission may take a part of it, and not the whole."
BAD_REPLY = "{name} gave back something that can't be checked: {problem}"
TIMEOUT_CPU = "{name} used more computing time than the limit of {limit:g} s. Is there a loop that never ends?"
TIMEOUT_WALL = "{name} gave no answer in time. Is it waiting for something, or looping for ever?"
TIMEOUT_TOTAL = "The time for this assignment was used up, by this test or by those before it."
LIBRARY_CELL_SEEN = (
    "{name} uses a recurrent cell of the library, which this assignment asks you to build:\n    {place}: {code}"
)
LIBRARY_CELL_CALLED = "{name} called a recurrent cell of the library, which this assignment asks you to build yourself."
LIBRARY_CELL_REVIEW = "{place} mentions a recurrent cell of the library"
STAND_IN = "Passed with a stand-in for the part it builds on, because your own has a mistake there."
GRADER_ERROR = (
    "The grader itself failed here, so this test has no verdict. It is not your fault; please tell your instructor."
)

# The same, for a hidden test: whole sentences of a fixed list.
HIDDEN = {
    "not-implemented": "This part is not implemented yet.",
    "missing": "A file or name that this test needs is missing.",
    "unreadable": "The file of this part can't be read.",
    "import": "The file of this part could not be imported.",
    "raised": "Your code raised an exception in a hidden test.",
    "exited": "Your code ended the whole program in a hidden test.",
    "died": "The process running your code ended in a hidden test.",
    "memory": "Your code ran out of memory in a hidden test.",
    "gpu-memory": "Your code ran out of the GPU's memory in a hidden test.",
    "reply": "What your code gave back in a hidden test can't be checked.",
    "cpu": "Your code used more computing time than the limit in a hidden test.",
    "wall": "Your code gave no answer in time in a hidden test.",
    "total": "The time for this assignment was used up, by this test or by those before it.",
    "library-seen": "Your code uses a recurrent cell of the library, which this assignment asks you to build.",
    "library-called": "Your code called a recurrent cell of the library in a hidden test.",
    "mismatch": "A promise of the handout is not kept in a hidden test.",
    "grader-error": GRADER_ERROR,
}

# A test's status, as people read it.
VERDICTS = {
    "passed": "passed",
    "failed": "failed",
    "error": "error",
    "timeout": "out of time",
    "grader-error": "no verdict",
}
NOT_BEGUN = "not begun"

STAND_IN_TESTS = "{tests} passed with a stand-in for what they build on, because your own has a mistake there."
PRINTED = "It printed: {text}"
CAUSE = "Likely cause: {says}"
PROMISE = "The handout promises: {sentence}"
CHECK = os.environ.get("GRADER_COMMAND", "grader check")  # a students' bundle has a command of its own
CALLED = "Called: {name}, by the probe {call}"
NEXT_CHECK = f"Then: {CHECK} -a {{assignment}}"
# One next step for each way in which a public test can fail.
NEXT = {
    "not-implemented": "write {name} in {file}; the handout says what it promises.",
    "missing": "see that {file} is there and defines {name}, spelled exactly so.",
    "unreadable": "save {file} anew, as plain UTF-8 text.",
    "import": "mend that line. Until {file} can be imported, all of its tests fail.",
    "raised": f"{CHECK} -a {{assignment}} --pdb stops there, with your variables to look at.",
    "exited": "return from {name} instead; no exit() or quit() is needed in {file}.",
    "died": "call {name} by hand with small tensors, and print before each step to see how far it comes.",
    "memory": "look for a tensor or a list that grows with every step, and print its size.",
    "gpu-memory": "look for tensors that are kept from step to step, their graphs with them, and detach or drop them.",
    "reply": "print what {name} returns, and the type of it.",
    "cpu": "look for the loop that does not end, and print its counter.",
    "wall": "look for a loop or a call that waits: input(), sleep, a lock.",
    "total": "mend what used up the time first.",
    "library-seen": "write {name} with tensor operations; the formula is in the handout.",
    "library-called": "write {name} with tensor operations; the formula is in the handout.",
    "mismatch": "compare {name} with the handout: “{promise}”",
}
# Those that differ where there is no check at hand to type, as in a graded document, and in a notebook.
NEXT_WHEN_GRADED = NEXT | {
    "raised": "your own check with -a {assignment} --pdb stops there, with your variables to look at.",
}
NEXT_IN_NOTEBOOK = NEXT | {
    "not-implemented": "write {name} in its cell and run that; the handout says what it promises.",
    "missing": "run the cell that defines {name}, spelled exactly so.",
    "raised": "%debug in a cell of its own stops there, with your variables to look at.",
}
NEXT_LINE = "Next: {step}"
HIDDEN_LEFT = "{hidden} hidden tests run when you hand in."
ALL_PUBLIC_PASS = f"All public tests pass. {HIDDEN_LEFT}"

_UNTOUCHED = re.compile(re.escape(NOT_IMPLEMENTED).replace(r"\{name\}", r"\w+"))
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:/[\w.+@-]+){2,}/?")
_COMMAND = re.compile(r"::(?=[A-Za-z])|##(?=\[)")  # `::error::` and `##[error]` in a log are orders to GitHub's runner
_PROCESS = re.compile(r"\b(pid|process)([ =:#]+)\d+", re.IGNORECASE)
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # bidi overrides, zero widths and tags are Cf
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_MARKS_IN_A_ROW = 4  # accents that a letter may carry; more only serve to smear the lines above
_READ_AT_MOST = 20  # times the limit of a quotation: the rest of a flood is not even looked at


def printable(text: str) -> str:
    """Untrusted text as a terminal can be given it: no controls but newline and tab, nothing unseen, no smears."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for c in text.replace("\r\n", "\n").replace("\r", "\n"):
        kind = unicodedata.category(c)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        unseen = kind in _CONTROL or c in _BLANK or _is_selector(c)
        if c in "\n\t" or not (unseen or marks > _MARKS_IN_A_ROW):
            kept.append(c)
    return "".join(kept)


def _is_selector(c: str) -> bool:
    return "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"


def one_line(text: str) -> str:
    """Printable, and on one line: for what would otherwise draw lines of its own among the grader's."""
    return " ".join(printable(text).split())


def clean(text: str) -> str:
    """Make untrusted text fit to show: printable, and no paths, addresses, process numbers, or orders.

    Newlines and tabs stay; a path keeps its last part: `/home/ada/cells.py` becomes `cells.py`.
    """
    text = _PATH.sub(lambda match: match.group().rstrip("/").rsplit("/", 1)[-1], printable(text))
    text = _ADDRESS.sub("0x…", text)
    return disarm(_PROCESS.sub(r"\1\2…", text))


def disarm(text: str) -> str:
    """Break what a CI system would obey if it stood in a log: `::error::x` becomes `: :error: :x`.

    Anywhere in the text, for a wrapped line may begin anywhere.
    """
    return _COMMAND.sub(lambda match: " ".join(match.group()), text)


def quote(text: str, limit: int = QUOTE_LIMIT) -> str:
    """Clean untrusted text and cut it to `limit` characters."""
    text = clean(text[: limit * _READ_AT_MOST]).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def gist(text: str) -> str:
    """A message without the call and the next step: what makes two failures the same."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(("Called: ", "Next: ")))


def is_not_begun(text: str) -> bool:
    """Whether this message says, and says only, that an untouched stub was met."""
    said = gist(text)
    return said == HIDDEN["not-implemented"] or bool(_UNTOUCHED.fullmatch(said))


def verdict(test: Mapping[str, Any]) -> str:
    """A test's status as people read it: an untouched stub is no error, only not begun."""
    return NOT_BEGUN if test["status"] == "error" and is_not_begun(test["message"]) else VERDICTS[test["status"]]


def message(*parts: str | None) -> str:
    """Join the parts of a message, a line each, within the document's limit."""
    whole = printable("\n".join(part for part in parts if part))
    return whole if len(whole) <= MESSAGE_LIMIT else whole[: MESSAGE_LIMIT - 1] + "…"
