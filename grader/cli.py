"""The command line: calls, prints, and turns every way to fail into one line and a status.

Results go to standard output, progress and complaints to standard error. Status: 0 done, 1 below
`--min-score`, 2 unusable input or usage, 3 the grader could not do its work.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.arguments import CLASS_FORMATS, parser
from grader.course import ROOT, Assignment, CourseError, load_course, select
from grader.interrupts import run_until_ended
from grader.messages import CHECK, one_line
from grader.status import DONE, GRADER_FAILED, STOPPED, UNUSABLE, Stop
from grader.streams import make_patient

LINE_LIMIT = 1000
HANDED_IN = "Give the folder, archive or notebook that was handed in."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    make_patient()
    try:
        _stand_somewhere()
        options = parser().parse_args(arguments)
        status = run_until_ended(lambda: COMMANDS[options.name](options))
        sys.stdout.flush()
        return status
    except Stop as stop:
        _complain(str(stop))
        return stop.status
    except CourseError as problem:
        _complain(f"the course itself has an error: {problem}. Mend that file and try again.")
        return GRADER_FAILED
    except ModuleNotFoundError as problem:
        _complain(_not_here(problem.name or "something"))
        return UNUSABLE
    except OSError as problem:
        _complain(f"{problem.strerror or problem}. Is the disk full, or a file not yours?")
        return GRADER_FAILED
    except Exception as problem:  # a fault of the grader's own; a traceback helps no user
        _complain(f"a fault of the grader itself ({type(problem).__name__}: {problem}). No grade.")
        return GRADER_FAILED
    except KeyboardInterrupt:
        print("grader: stopped.", file=sys.stderr)
        return STOPPED


def _stand_somewhere() -> None:
    """Raise Stop in a folder that has been removed, where neither relative paths nor torch would work."""
    try:
        os.getcwd()
    except OSError:
        raise Stop(UNUSABLE, "the folder you are in is gone. Type: cd ~ and then the command again") from None


def _not_here(module: str) -> str:
    """What to say where a module is missing: a part of ours that students are not given, or a package."""
    if module.startswith("grader."):
        return f"this is a students' bundle, which has no {module}. Type: {CHECK}"
    return f"{module} is not installed in this Python. Type: {'make grade' if CHECK == 'grader check' else CHECK}"


def _complain(line: str) -> None:
    """One line on standard error; names of files and what a sandbox said last may stand in it."""
    line = one_line(line)
    print(f"grader: {line[:LINE_LIMIT]}{'…' if len(line) > LINE_LIMIT else ''}", file=sys.stderr)


def _selected(names: Sequence[str] | None) -> tuple[Assignment, ...]:
    try:
        return select(names)
    except KeyError as unknown:
        known = ", ".join(assignment.name for assignment in load_course())
        raise Stop(UNUSABLE, f"there is no assignment {unknown.args[0]!r}. There are: {known}") from None


def _existing(path: Path, what: str = HANDED_IN) -> Path:
    try:
        found = path.exists()
    except OSError:  # a name that is too long, a folder that may not be entered
        found = False
    if not found:
        raise Stop(UNUSABLE, f"{path} does not exist. {what}")
    return path


def _own_folder(path: Path) -> None:
    what = "Give the one that your .py files lie in."
    if not _existing(path, what.replace("one", "folder")).is_dir():
        raise Stop(UNUSABLE, f"{path} is no folder. {what}")


def _check(options: argparse.Namespace) -> int:
    from grader import check

    assignments = _selected(options.assignment)
    path = _existing(options.path)
    if options.zip is not None and (options.pdb or options.watch):
        raise Stop(UNUSABLE, "--zip goes with a single check. Type it without --watch and --pdb.")
    if options.pdb:
        return check.debug(path, assignments, options.seed)
    if options.watch:
        return check.watch(path, assignments, options.seed)
    return check.once(path, assignments, options.seed, options.zip)


def _grade(options: argparse.Namespace) -> int:
    assignments = _selected(options.assignment)
    path = _existing(options.path)
    if not all((assignment.folder / "test_hidden.py").is_file() for assignment in assignments):
        raise Stop(UNUSABLE, f"this is a students' bundle: hidden tests are run when you hand in. Type: {CHECK}")
    from grader.grade_command import run
    from grader.options import GradeOptions

    return run(options, path, GradeOptions(assignments, options.seed, _device(options.device)))


def _batch(options: argparse.Namespace) -> int:
    assignments = _selected(options.assignment)
    folder = _existing(options.path, "Give the folder of all submissions, or the zip that the platform hands out.")
    if not folder.is_dir() and folder.suffix.lower() != ".zip":
        raise Stop(UNUSABLE, f"{folder} is no folder. To grade one submission: grader grade {folder}")
    _place_for_results(options.out, folder)
    from grader.classroom import BatchError
    from grader.classroom.command import run
    from grader.classroom.graders import Choice
    from grader.downloads import DownloadError

    choice = Choice(
        tuple(assignment.name for assignment in assignments),
        options.seed,
        _device(options.device),
        floor=options.require_isolation,
    )
    try:
        return run(options, folder, assignments, choice)
    except DownloadError as problem:
        raise Stop(UNUSABLE, str(problem)) from None
    except BatchError as problem:
        raise Stop(GRADER_FAILED, str(problem)) from None


def _folder_for(out: Path) -> None:
    if any(place.exists() and not place.is_dir() for place in (out.resolve(), *out.resolve().parents)):
        raise Stop(UNUSABLE, f"{out} is, or lies in, a file. Give --out a folder, or a name that is free.")


def _place_for_results(out: Path, folder: Path) -> None:
    """Raise Stop where a class' results would overwrite a file, or be taken for a submission."""
    _folder_for(out)
    there, class_ = out.resolve(), folder.resolve()
    inside = class_ in (there, *there.parents) and there.parent != class_
    if inside or there / "unpacked" in (class_, *class_.parents):
        raise Stop(UNUSABLE, f"{out} would mix results with what was handed in. Give --out a folder beside {folder}.")


def _read_batch(folder: Path) -> list[dict[str, Any]]:
    """The documents of a batch folder."""
    from grader.documents import FolderError, read_batch

    try:
        return read_batch(_existing(folder, "Give the folder that grader batch has written: its --out."))
    except FolderError as problem:
        raise Stop(UNUSABLE, str(problem)) from None


def _report(options: argparse.Namespace) -> int:
    documents = _read_batch(options.path)
    before = None if options.before is None else _read_batch(options.before)
    _folder_for(options.out or options.path)
    from grader.report import ReportError, write_report

    try:
        index = write_report(documents, options.out or options.path / "report", before)
    except ReportError as problem:
        raise Stop(GRADER_FAILED, str(problem)) from None
    print(f"{index} is written, and a page for each of {len(documents)} students.")
    return DONE


def _export(options: argparse.Namespace) -> int:
    from grader.export.command import ExportError, export

    if options.format not in CLASS_FORMATS:
        raise Stop(UNUSABLE, f"there is no format {options.format!r}. There are: {', '.join(CLASS_FORMATS)}")
    documents = _read_batch(options.path)
    try:
        export(documents, options)
    except ExportError as problem:
        raise Stop(UNUSABLE, str(problem)) from None
    return DONE


def _diff(options: argparse.Namespace) -> int:
    old, new = _read_batch(options.old), _read_batch(options.new)
    from grader.progress import console_for
    from grader.report.changes import compare, show_changes

    show_changes(compare(old, new), max(len(old), len(new)), console_for(sys.stdout))
    return DONE


def _autograder(options: argparse.Namespace) -> int:
    from grader.release.autograder import AutograderError, autograder_zip

    chosen = [f"--seed={options.seed}", f"--require-isolation={options.require_isolation}"]
    if options.assignment:
        chosen += [f"--assignment={assignment.name}" for assignment in _selected(options.assignment)]
    try:
        content = autograder_zip(chosen)
        options.out.write_bytes(content)
    except AutograderError as problem:
        raise Stop(UNUSABLE, str(problem)) from None
    except OSError as problem:
        raise Stop(UNUSABLE, f"{options.out} can't be written ({problem.strerror}). Give another name.") from None
    size = len(content) / 2**20
    print(f"{options.out} is written, {size:.1f} MiB. It holds the hidden tests: give it to Gradescope only.")
    return DONE


def _device(asked: str) -> str:
    """The device to use. Raises Stop for a GPU that is asked for and can't be had."""
    if asked == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if asked == "auto":
        return "cpu"
    why = "torch sees none" if torch.version.cuda else "this torch is a CPU build"
    raise Stop(GRADER_FAILED, f"no CUDA device can be used here: {why}. Type the same with --device cpu or auto.")


def _build(options: argparse.Namespace) -> int:
    from grader.release import StubError, build_notebooks, build_stubs

    try:
        changed = build_stubs(write=not options.check) + build_notebooks(write=not options.check)
    except StubError as problem:
        raise Stop(UNUSABLE, str(problem)) from None
    for path in changed:
        print(f"{'out of date' if options.check else 'written'}: {path}")
    if not changed:
        print("everything is up to date")
    return UNUSABLE if changed and options.check else DONE


def _release(options: argparse.Namespace) -> int:
    from grader.release.command import ReleaseError, release

    try:
        release(options.out, options.options, options.form)
    except ReleaseError as problem:
        raise Stop(UNUSABLE, f"{problem}.") from None
    return DONE


def _plot(options: argparse.Namespace) -> int:
    from grader.play import NAMES, PlotError, can_draw, make_plot

    if options.plot not in NAMES:
        raise Stop(UNUSABLE, f"there is no plot {options.plot!r}. There are: {', '.join(NAMES)}")
    _own_folder(options.path)
    if not can_draw():
        raise Stop(GRADER_FAILED, "drawing needs matplotlib. Type: .venv/bin/pip install matplotlib")
    target = options.out or Path(f"{options.plot}.svg")
    try:
        notes = make_plot(options.plot, options.path, target)
    except PlotError as problem:
        raise Stop(UNUSABLE, str(problem)) from None
    for note in notes:
        print(f"grader: left out: {note}", file=sys.stderr)
    print(f"{target} is drawn.")
    return DONE


def _play(options: argparse.Namespace) -> int:
    from grader.play import PlayError, play

    _own_folder(options.path)
    if options.text is not None and not options.text.is_file():
        raise Stop(UNUSABLE, f"{options.text} is no file. Give --text a file of plain text.")
    try:
        device = _device(options.device)
        return play(options.path, options.text, options.epochs, options.hidden, options.full, device)
    except PlayError as problem:
        raise Stop(UNUSABLE, str(problem)) from None


def _proof(options: argparse.Namespace) -> int:
    if not (ROOT / "tests" / "certificate.py").is_file():
        raise Stop(GRADER_FAILED, "what is to be proved stands in tests/, which is not here. Take a whole checkout.")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # the console command does not see the checkout's tests by itself
    from grader.sandbox import SandboxError

    try:
        certificate = importlib.import_module("tests.certificate")
        return DONE if certificate.main(options.quick) else GRADER_FAILED
    except SandboxError as problem:
        raise Stop(GRADER_FAILED, f"{problem}. Type: grader doctor") from None


def _doctor(options: argparse.Namespace) -> int:
    from grader import doctor

    findings = doctor.examine()
    if options.json:
        print(json.dumps(findings, indent=1))
    else:
        doctor.show(findings, sys.stdout)
    return DONE


COMMANDS = {
    "check": _check,
    "grade": _grade,
    "batch": _batch,
    "report": _report,
    "export": _export,
    "diff": _diff,
    "autograder": _autograder,
    "build": _build,
    "release": _release,
    "plot": _plot,
    "play": _play,
    "proof": _proof,
    "doctor": _doctor,
}
