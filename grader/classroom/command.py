"""`grader batch` as a person sees it: an executor, a progress bar, a line a submission, a summary."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from grader.classroom.batch import Batch, run_batch
from grader.classroom.graders import Choice
from grader.course import Assignment
from grader.progress import console_for
from grader.status import DONE, GRADER_FAILED, STOPPED

SHOWN = 10


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{60 * speed:.0f} a minute" if speed else "")


def run(options: argparse.Namespace, folder: Path, assignments: tuple[Assignment, ...], choice: Choice) -> int:
    """Grade the class and say how it went; returns the exit status."""
    executor, jobs, remote = _executor(options)
    console = console_for(sys.stderr)
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    graded = 0
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("grading", total=None)

        def begin(total: int, known: int) -> None:
            progress.update(bar, total=total - known)

        def done(document: dict[str, Any]) -> None:
            nonlocal graded
            graded += 1
            progress.advance(bar)
            if options.lines:
                print(_line(document), flush=True)

        try:
            batch = run_batch(
                folder,
                options.out,
                assignments,
                choice,
                executor,
                jobs,
                remote=remote,
                regrade=options.regrade,
                begin=begin,
                done=done,
            )
        except KeyboardInterrupt:
            _say(f"grader: stopped; {graded} graded and kept. The same command again goes on.")
            return STOPPED
        finally:
            executor.shutdown(wait=True)
    _summarize(batch, options.out)
    return GRADER_FAILED if batch.incomplete else DONE


def _executor(options: argparse.Namespace) -> tuple[Executor, int, bool]:
    """What the tasks go to, how many it runs at a time, and whether it is other machines."""
    if not options.scheduler:
        return ThreadPoolExecutor(options.jobs), options.jobs, False
    from grader.classroom.cluster import connect

    executor, threads = connect(options.scheduler)
    return executor, threads, True


def _line(document: dict[str, Any]) -> str:
    verdict = f"{document['score']:g} of {document['max_score']:g}" if document["complete"] else "no verdict"
    return f"{document['submission']}: {verdict}"


def _summarize(batch: Batch, out: Path) -> None:
    for name in batch.ignored[:SHOWN]:
        _say(f"grader: not a submission: {ascii(name)[1:-1]}")
    if len(batch.ignored) > SHOWN:
        _say(f"grader: not submissions: {len(batch.ignored) - SHOWN} more")
    for account in batch.errors:
        _say(f"grader: an error of the grader itself, not of the submission:\n{account}")
    complete = [document for document in batch.documents if document["complete"]]
    known = f", {batch.known} of them before" if batch.known else ""
    print(f"{len(complete)} of {len(batch.documents)} submissions graded{known}. Documents and summary.csv: {out}")
    if complete:
        scores = sorted(document["score"] for document in complete)
        middle = (scores[(len(scores) - 1) // 2] + scores[len(scores) // 2]) / 2
        levels = sorted({document["isolation"]["level"] for document in complete})
        print(
            f"Lowest {scores[0]:g}, median {middle:g}, highest {scores[-1]:g} of {complete[0]['max_score']:g} points "
            f"(isolation: {', '.join(levels)})"
        )
    if batch.incomplete:
        names = ", ".join(batch.incomplete[:SHOWN]) + (" …" if len(batch.incomplete) > SHOWN else "")
        _say(f"grader: no verdict for {names}: the grader itself failed there. Run the same command again.")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
