"""Grades attacks and says which effects were seen; no assertion is made here.

Most attacks share one sandbox per rung, as submissions of a class do, so that what one of them
leaves behind meets the next.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import tempfile
import traceback
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.course import ROOT, SOLUTIONS, load_course, select
from grader.documents import as_json
from grader.export import show_document
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import Sandbox, session
from grader.suite import plugin, run
from tests.attacks.attack import ATTACKS, Attack, honest_files, write
from tests.attacks.targets import Targets
from tests.support import rows_of

KINDS = (
    *("stealing", "tampering", "forging", "escaping", "exhausting"),
    *("crashing", "uploads", "notebooks", "injecting", "cheating"),
)
MESSAGE_LIMIT = 2000
WIDE_S, SHORT_S = 240.0, 4.0
COMMAND = re.compile(r"^\s*::[A-Za-z]|##\[", re.MULTILINE)  # what GitHub's runner would obey


def load_attacks() -> dict[str, Attack]:
    """All attacks by name, class by class."""
    for kind in KINDS:
        importlib.import_module(f"tests.attacks.{kind}")
    return dict(sorted(ATTACKS.items(), key=lambda entry: KINDS.index(entry[1].kind)))


class Range:
    """One rung's sandbox and what there is to aim at; a context."""

    def __init__(self, rung: str, device: str = "cpu") -> None:
        self.rung, self.device = rung, device

    def __enter__(self) -> Range:
        with contextlib.ExitStack() as stack:
            self.targets = stack.enter_context(Targets())
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attacks-")))
            self._shared: Sandbox | None = stack.enter_context(self.open_sandbox())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open_sandbox(self) -> Sandbox:
        """A sandbox for the whole course on this rung, not yet entered."""
        return start_sandbox(GradeOptions(load_course(), device=self.device, rung=self.rung))

    def run(self, attack: Attack) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """Grade one attack. Returns the document, and each effect seen with what was seen of it."""
        beside = Path(tempfile.mkdtemp(dir=self._folder))
        folder = beside / "submission"
        submission = attack.build(folder, self.targets.source)
        before = contents(folder)
        seen: dict[str, str] = {}
        output = io.StringIO()
        document = None
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), self._guards(attack):
                document = self._grade(attack, submission, beside)
        except Exception:
            seen["incomplete"] = traceback.format_exc(limit=-4)
        if output.getvalue():
            seen["noise"] = output.getvalue()[:300]
        if contents(folder) != before:
            seen["files"] = "the submission was changed"
        seen |= dict.fromkeys(self.targets.harm(), "outside")
        if attack.setting != "shared" and self.targets.left_behind():
            seen["left"] = "a process with the marker lives"
        if document is not None:
            seen |= examine(document, attack, [*self.targets.tokens.values()])
            if document["isolation"]["level"] != self.rung:
                seen["rung"] = document["isolation"]["level"]
        return document, seen

    def left_behind(self) -> bool:
        """Whether anything outlives the shared sandbox, which is closed for that."""
        self._close_shared()
        return self.targets.left_behind()

    def _close_shared(self) -> None:
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def _grade(self, attack: Attack, submission: Path, beside: Path) -> dict[str, Any]:
        options = GradeOptions(select([attack.assignment]), device=self.device)
        if attack.setting == "shared":
            if self._shared is None:
                self._shared = self._stack.enter_context(self.open_sandbox())
            return grade(submission, options, self._shared).document
        self._close_shared()  # one at a time: two of one process have the same uid on the rung landlock
        with self.open_sandbox() as sandbox:
            if attack.setting == "after another":
                other = {name: f"# {self.targets.tokens['other']}\n{text}" for name, text in solutions().items()}
                grade(write(beside / "other", other), options, sandbox)
            if attack.setting == "after failures":
                wrong = {"cells.py": solutions()["cells.py"].replace("torch.tanh(", "torch.sin(")}
                for number in range(3):  # each failed test costs a session or two of its own
                    others = GradeOptions(select(["cells"]), device=self.device)
                    grade(write(beside / f"wrong-{number}", wrong), others, sandbox)
            if attack.setting == "twice":
                grade(submission, options, sandbox)
            return grade(submission, options, sandbox).document

    @contextlib.contextmanager
    def _guards(self, attack: Attack) -> Iterator[None]:
        """Wall-clock guards that a busy machine can't trip, and a short one for a probe that only waits for it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run, "SUBMISSION_WALL_S", WIDE_S)
            patch.setattr(plugin, "ASSIGNMENT_WALL_S", WIDE_S)
            if attack.hangs:
                patch.setattr(session, "PROBE_WALL_S", SHORT_S)
            yield


def is_root() -> bool:
    """Whether this process is root with the capabilities of a whole machine's root (a container's has fewer)."""
    needed = (2, 18, 19, 21)  # DAC_READ_SEARCH, SYS_CHROOT, SYS_PTRACE, SYS_ADMIN
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    held = int(re.findall(r"CapEff:\s*([0-9a-f]+)", status)[0], 16)
    return os.geteuid() == 0 and all(held >> bit & 1 for bit in needed)


def solutions() -> dict[str, str]:
    """The honest modules."""
    return honest_files(SOLUTIONS)


def examine(document: dict[str, Any], attack: Attack, tokens: list[str]) -> dict[str, str]:
    """The effects that can be seen in a result document."""
    seen: dict[str, str] = {}
    text = json.dumps(document, ensure_ascii=False)
    if not document["complete"]:
        seen["incomplete"] = "the document says so"
    loot = re.search(r"LOOT.{0,200}", text)
    if loot or any(token in text for token in tokens):
        seen["loot"] = loot.group() if loot else "a token"
    rows = rows_of(document)
    passed = {name for name, row in rows.items() if row["status"] == "passed"}
    deserved = attack.deserves(rows)
    if passed - deserved:
        seen["high"] = ", ".join(sorted(passed - deserved))
    if deserved - passed and not attack.sabotages_itself and "loot" not in seen:  # a boast ends the program
        seen["low"] = ", ".join(f"{name}: {rows[name]['message']}" for name in sorted(deserved - passed))[:600]
    problem = unfit(document)
    if problem and "loot" not in seen:  # what was boasted of may be anything
        seen["text"] = problem
    return seen


def unfit(document: dict[str, Any]) -> str:
    """What is wrong with a document's texts, or with how a terminal shows them; empty if nothing is."""
    said = [*strings({k: v for k, v in document.items() if k != "assignments"}), *strings(document["assignments"])]
    for text in said:
        if any(c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text):
            return f"a control character: {text[:80]!r}"
        if len(text) > MESSAGE_LIMIT:
            return f"{len(text)} characters"
        if any(path in text for path in (str(ROOT), tempfile.gettempdir() + os.sep)):
            return f"a path: {text[:200]!r}"
    for row in rows_of(document).values():
        if row["visibility"] == "hidden" and "ATTACK" in row["message"]:
            return f"a hidden test quotes: {row['message'][:200]!r}"
    shown = io.StringIO()
    show_document(document, Console(file=shown, width=100, force_terminal=False))
    rendered = shown.getvalue()
    command = COMMAND.search(rendered) or COMMAND.search(as_json(document))
    return f"a workflow command: {command.string[command.start() :][:80]!r}" if command else ""


def strings(value: Any) -> Iterator[str]:
    """Every string in plain data, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def contents(folder: Path) -> dict[str, object]:
    """What lies below a folder: kind, size and time of each entry."""
    return {str(path): (oct(path.lstat().st_mode), path.lstat().st_size) for path in sorted(folder.rglob("*"))}
