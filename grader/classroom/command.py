"""`grader batch` as a person sees it: an executor, a progress bar, a line a submission, a summary."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from grader.classroom.batch import Batch, run_batch
from grader.classroom.graders import Choice
from grader.course import Assignment
from grader.downloads import FORMS, Class, DownloadError, collect, moment
from grader.messages import disarm, one_line
from grader.progress import console_for
from grader.sandbox import gpu
from grader.status import DONE, GRADER_FAILED, STOPPED

SHOWN = 10


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{60 * speed:.0f} a minute" if speed else "")


def run(options: argparse.Namespace, folder: Path, assignments: tuple[Assignment, ...], choice: Choice) -> int:
    """Grade the class and say how it went; returns the exit status."""
    console = console_for(sys.stderr)
    call = _call(options, folder, lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True))
    executor, jobs, remote = _executor(options, choice.device)
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
                call=call,
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


def _call(options: argparse.Namespace, folder: Path, say: Callable[[str], None]) -> Callable[[Path], Class]:
    """What reads the download, as the options say, and tells what it read. Raises DownloadError."""
    if options.form is not None and options.form not in FORMS:
        raise DownloadError(f"there is no form {options.form!r}. There are: {', '.join(FORMS)}")
    due = moment(options.due) if options.due else None
    if options.due and due is None:
        raise DownloadError(f"{options.due!r} is no time. Write it so: 2026-10-01T23:59 or 2026-10-01T23:59+02:00")

    def call(unpacked: Path) -> Class:
        known = collect(folder, unpacked, form=options.form, listed=options.roster, due=due)
        for line in [*_each("", known.remarks), *_read_as(known)]:  # before hours of grading, not after them
            say(line)
        return known

    return call


def _read_as(known: Class) -> list[str]:
    """How the download was understood, where more than names is known."""
    came = [entry.told for entry in known.submissions if entry.told is not None]
    if not came:
        return []
    late, nothing = (sum(bool(told[key]) for told in came) for key in ("late", "nothing"))
    here = len(came) - nothing
    return [f"grader: read as {known.form}: {here} handed in, {late} of them late; {nothing} handed in nothing."]


def _executor(options: argparse.Namespace, device: str) -> tuple[Executor, int, bool]:
    """What the tasks go to, how many it runs at a time, and whether it is other machines."""
    if not options.scheduler:
        jobs = _jobs(options.jobs, device)
        return ThreadPoolExecutor(jobs), jobs, False
    from grader.classroom.cluster import connect

    executor, threads = connect(options.scheduler)
    return executor, threads, True


def _jobs(asked: int | None, device: str) -> int:
    """How many to grade at a time: as many as asked for or as there are cores; on a GPU as many as fit into it."""
    wanted = asked or os.cpu_count() or 1
    if device == "cpu":
        return wanted
    jobs = gpu.how_many_fit(wanted, gpu.free_mb())
    if asked and jobs < asked:
        _say(f"grader: {jobs} at a time, not {asked}: more have no room on the GPU.")
    return jobs


def _line(document: dict[str, Any]) -> str:
    verdict = f"{document['score']:g} of {document['max_score']:g}" if document["complete"] else "no verdict"
    return f"{document['submission']}: {verdict}"


def _summarize(batch: Batch, out: Path) -> None:
    for line in _each("not a submission: ", batch.ignored):
        _say(line)
    for line in _each("put into earlier/, a document of nobody in this class, from an earlier run: ", batch.gone):
        _say(line)
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


def _each(what: str, accounts: Sequence[str]) -> list[str]:
    """The first few accounts, a line each, and how many more there are. Names of students stand in them."""
    lines = [f"grader: {what}{disarm(one_line(account))}" for account in accounts[:SHOWN]]
    more = len(accounts) - SHOWN
    return [*lines, f"grader: {what}and {more} more"] if more > 0 else lines


def _say(text: str) -> None:
    print(text, file=sys.stderr)
