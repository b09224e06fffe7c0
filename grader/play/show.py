"""`grader play`: a student sees training, texts and a comparison of cells come out of their own code.

The student's code runs in a process of its own (`trainer.py`), whose account is read here line by
line and shown. Ctrl-C reaches both: that process keeps what it has trained and ends, this one waits
for it. Nothing is graded.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import pydoc_data.topics
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

from rich.cells import cell_len
from rich.table import Table

from grader.course import ROOT
from grader.messages import printable, quote
from grader.progress import console_for

FOLDER = Path("play")  # in the working folder: trained models and the picture
SMALL = {"embed_size": 32, "hidden_size": 64, "num_layers": 1, "batch_size": 32, "seq_len": 32, "num_epochs": 8}
FULL = {"embed_size": 64, "hidden_size": 256, "num_layers": 2, "batch_size": 64, "seq_len": 100, "num_epochs": 20}
SMALL_RATE, FULL_RATE = 0.01, 0.002
SLICE = 20_000  # characters of a text that a first run takes
TEXT_LIMIT = 64 * 2**20  # bytes of a text file
BAR = 40  # characters of the longest bar
LINE_LIMIT, NOTE_LIMIT = 600, 200
STOPPED = 130


class PlayError(Exception):
    """There is nothing to play; one line says why and what to do."""


def play(
    folder: Path, text_file: Path | None, epochs: int | None, hidden: int | None, full: bool, device: str = "cpu"
) -> int:
    """Play with the code in `folder` and return a status: 0, or 130 after Ctrl-C. Raises PlayError."""
    from grader.play.trainer import Choices

    text = _text(text_file)
    sizes, rate = (FULL, FULL_RATE) if full else (SMALL, SMALL_RATE)
    text = text if full else text[:SLICE]
    choices = Choices(text=text, **sizes, learning_rate=rate, folder=str(FOLDER.resolve()), device=device)
    choices = replace(choices, num_epochs=epochs or choices.num_epochs, hidden_size=hidden or choices.hidden_size)
    if len(choices.text) <= choices.batch_size * choices.seq_len:
        least = choices.batch_size * choices.seq_len + 1
        raise PlayError(f"the text has {len(text):,} characters, and one batch takes {least:,}. Give a longer one.")
    return _Show(sys.stdout, sys.stderr).follow(folder, asdict(choices))


def _text(file: Path | None) -> str:
    """The text to learn from: a file, or what Python's own help says about the language."""
    if file is None:
        return "\n".join(pydoc_data.topics.topics.values())
    try:
        if file.stat().st_size > TEXT_LIMIT:
            raise PlayError(f"{file} is larger than {TEXT_LIMIT // 2**20} MiB. Give a part of it.")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise PlayError(f"{file} is not UTF-8 text. Save it as UTF-8, or give another --text.") from None
    except OSError as problem:
        raise PlayError(f"{file} can't be read ({problem.strerror}). Give another --text.") from None


class _Show:
    """What is told, shown: results on one stream, progress and complaints on the other."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.console = console_for(out)
        self.waiting = console_for(err).status("starting") if err.isatty() else None
        self.models: list[dict[str, Any]] = []
        self.stopped: dict[str, Any] | None = None
        self.heading = ""
        self.even = 1.0

    def follow(self, folder: Path, choices: dict[str, Any]) -> int:
        """Start the student's process and show what it tells until it ends."""
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch, "choices.json")
            file.write_text(json.dumps(choices), encoding="utf-8")
            reading, writing = os.pipe()
            command = [sys.executable, "-m", "grader.play.trainer", str(folder.resolve()), str(file), str(writing)]
            path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
            environment = {**os.environ, "PYTHONPATH": path}
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process gets it too, and ends tidily
            try:
                student = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=sys.stderr.fileno(),
                    env=environment,
                    pass_fds=[writing],
                    preexec_fn=_heed_interrupts,
                )
                os.close(writing)
                if self.waiting:
                    self.waiting.start()
                for told in _events(reading):
                    getattr(self, f"on_{told['event']}", lambda told: None)(told)
                status = student.wait()
            finally:
                if self.waiting:
                    self.waiting.stop()
                signal.signal(signal.SIGINT, before)
        if self.stopped or status in (STOPPED, -signal.SIGINT):  # the latter while it was still loading torch
            return self.interrupted()
        if status != 0:
            raise PlayError(f"your code ended the playing before it was done (status {status}).")
        self.compare()
        return 0

    def on_batch(self, told: dict[str, Any]) -> None:
        if self.waiting:
            self.waiting.update(f"epoch {told['epoch']}: batch {told['batch']} of {told['batches']}")

    def on_model(self, told: dict[str, Any]) -> None:
        self.models.append(told)
        self.even = math.log(max(2, told["vocab"]))
        whose = "your CharRNN" if told["own"] else "a model of the library, in place of yours"
        past = len(told["losses"])
        self.head(
            f"{told['kind'].upper()}: {whose}, {told['parameters']:,} parameters, {told['characters']:,} characters"
        )
        if past:
            self.console.print(f"goes on after {past} epoch{'s' * (past > 1)} of an earlier run")
        for epoch, (loss, seconds) in enumerate(zip(told["losses"], told["seconds"], strict=True), start=1):
            self.on_epoch({"epoch": epoch, "loss": loss, "seconds": seconds}, new=False)

    def on_epoch(self, told: dict[str, Any], new: bool = True) -> None:
        """One line of the loss curve; a full bar is what even chances would cost."""
        share = told["loss"] / self.even if math.isfinite(told["loss"]) else 1.0
        bar = "█" * round(BAR * min(1.0, max(0.0, share)))
        self.console.print(f"epoch {told['epoch']:3}  loss {told['loss']:.3f}  {bar:{BAR}}  {told['seconds']:.1f} s")
        if new:
            self.models[-1]["losses"].append(told["loss"])
            self.models[-1]["seconds"].append(told["seconds"])

    def on_afresh(self, told: dict[str, Any]) -> None:
        self.console.print(f"the optimiser starts afresh: {quote(str(told['why']), NOTE_LIMIT)}")

    def on_text(self, told: dict[str, Any]) -> None:
        self.head("Your generate_text, from cold to hot")
        self.console.print(f"{told['how']:>4}  {_shown(told['text'])}", soft_wrap=True)

    def on_search(self, told: dict[str, Any]) -> None:
        self.head("The likeliest text: step by step, and by your beam search")
        score = "" if told["score"] is None else f"   (log-probability {told['score']:.1f})"
        self.console.print(f"{told['how']:>9}  {_shown(told['text'])}{score}", soft_wrap=True)

    def on_note(self, told: dict[str, Any]) -> None:
        print(f"grader: left out: {quote(str(told['text']), NOTE_LIMIT)}", file=sys.stderr)

    def on_stopped(self, told: dict[str, Any]) -> None:
        self.stopped = told

    def head(self, text: str) -> None:
        """A line above what belongs together."""
        if text != self.heading:
            self.console.print(f"{chr(10) if self.heading else ''}{text}")
            self.heading = text

    def interrupted(self) -> int:
        epochs = self.stopped["epochs"] if self.stopped else 0
        kept = f" after {epochs} whole epoch{'s' * (epochs != 1)}; the weights are kept" if self.stopped else ""
        print(f"grader: stopped{kept}. The same command goes on.", file=sys.stderr)
        return STOPPED

    def compare(self) -> None:
        """The table of kinds of cells, and the picture where matplotlib is there."""
        trained = [model for model in self.models if model["losses"]]
        if not trained:
            return
        self.head("Three kinds of cells on the same text")
        table = Table(box=None, pad_edge=False)
        table.add_column("cell")
        for name in ("parameters", "epochs", "loss", "perplexity", "s an epoch"):
            table.add_column(name, justify="right")
        for model in trained:
            loss = model["losses"][-1]
            time = sum(model["seconds"]) / len(model["seconds"])
            perplexity = f"{math.exp(loss):.2f}" if loss < 50 else "—"
            name = model["kind"].upper() if model["own"] else f"{model['kind'].upper()} (library)"
            row = (
                name,
                f"{model['parameters']:,}",
                str(len(model["losses"])),
                f"{loss:.3f}",
                perplexity,
                f"{time:.1f}",
            )
            table.add_row(*row)
        self.console.print(table)
        if importlib.util.find_spec("matplotlib") is None:
            print(
                "grader: no picture without matplotlib. Type: .venv/bin/pip install matplotlib",
                file=sys.stderr,
            )
            return
        from grader.play.draw import save

        for target in (FOLDER / "losses.svg", FOLDER / "losses.png"):
            save("losses", {"models": trained}, target)
        self.console.print(f"\n{FOLDER / 'losses.svg'} and losses.png are drawn.")


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _events(descriptor: int) -> Iterator[dict[str, Any]]:
    """What is told, event by event; lines that are none are passed over."""
    with open(descriptor, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict) and isinstance(told.get("event"), str):
                yield told


def _shown(text: str) -> str:
    """A text on one line, as a terminal can be given it."""
    line = printable(text).replace("\n", "↵").replace("\t", " ")
    return line if cell_len(line) <= LINE_LIMIT else line[:LINE_LIMIT] + "…"
