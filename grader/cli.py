"""The command line: parses, calls, prints, and turns every way to fail into one line and a status.

Results go to standard output, progress and complaints to standard error. Status: 0 done, 1 below
`--min-score`, 2 unusable input or usage, 3 the grader could not do its work.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from grader import __version__
from grader.course import ROOT, Assignment, CourseError, load_course, select
from grader.interrupts import run_until_ended
from grader.messages import CHECK, one_line
from grader.status import DONE, GRADER_FAILED, STOPPED, UNUSABLE, Stop
from grader.streams import make_patient

LEVELS = ("split", "landlock", "namespaced")
DEFAULT_FLOOR = "landlock"
ONE_FORMATS = ("json", "csv", "csv-tests", "gradescope", "junit", "github-summary", "github-annotations")
CLASS_FORMATS = (*ONE_FORMATS, "canvas", "moodle")  # of grader.export.formats, loaded only when it is asked for
LINE_LIMIT = 1000
HANDED_IN = "Give the folder, archive or notebook that was handed in."
_SCHEDULER = re.compile(r"((tcp|tls|ws|wss|ucx|ucxx)://)?[^\s/:]+:\d{1,5}|(tcp|tls)://\[[0-9a-fA-F:.]+\]:\d{1,5}")


class _Parser(argparse.ArgumentParser):
    """argparse, but a usage error is one line that says what to type."""

    def error(self, message: str) -> NoReturn:
        raise Stop(UNUSABLE, f"{message}. Type: {self.prog} --help")

    def print_help(self, file: Any = None) -> None:
        (file or sys.stdout).write(self.format_help())  # argparse's own keeps quiet about a full disk

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        sys.stdout.flush()  # a full disk is said by us
        super().exit(status, message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    make_patient()
    try:
        _stand_somewhere()
        options = _parser().parse_args(arguments)
        command: Any = options.command
        status = run_until_ended(lambda: int(command(options)))
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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="grader", description="Assignments on sequence modelling, graded.")
    parser.add_argument("--version", action="version", version=f"grader {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND", parser_class=_Parser)

    check = commands.add_parser("check", help="run the public tests on your work")
    check.add_argument("path", nargs="?", default=".", type=_path, metavar="PATH")
    _assignment_option(check)
    check.add_argument("--watch", action="store_true", help="check again whenever a file is saved")
    check.add_argument("--pdb", action="store_true", help="stop in the debugger where your code fails")
    _seed_option(check)
    check.add_argument("--zip", type=_path, metavar="FILE", help="also write what you hand in, as a zip")
    check.set_defaults(command=_check)

    grade = commands.add_parser("grade", help="run public and hidden tests on one submission")
    grade.add_argument("path", type=_path, metavar="PATH")
    _assignment_option(grade)
    grade.add_argument("--json", metavar="FILE|-", help="write the result document; - prints only that")
    grade.add_argument("--format", default="text", metavar="NAME", help=", ".join(("text", *ONE_FORMATS)))
    grade.add_argument(
        "--min-score", type=_percent, metavar="PERCENT", help="exit with 1 below this share of the points"
    )
    _grading_options(grade)
    grade.set_defaults(command=_grade)

    batch = commands.add_parser("batch", help="grade a whole class; the same command again goes on")
    batch.add_argument(
        "path", type=_path, metavar="FOLDER", help="the submissions, or a platform's download, zip or not"
    )
    batch.add_argument("--out", type=_path, required=True, metavar="DIR", help="where documents and summary go")
    _assignment_option(batch)
    batch.add_argument("--jobs", type=_positive, metavar="N", help="how many at a time; as many as there are cores")
    batch.add_argument("--scheduler", type=_address, metavar="ADDRESS", help="a Dask scheduler, tcp://host:port")
    batch.add_argument("--from", dest="form", metavar="FORM", help="canvas, moodle, gradescope, clones or folder")
    batch.add_argument("--roster", type=_path, metavar="CSV", help="a list of the class to join on")
    batch.add_argument("--due", metavar="TIME", help="what comes later is late: 2026-10-01T23:59+02:00")
    batch.add_argument("--regrade", action="store_true", help="grade again what has been graded before")
    batch.add_argument("--lines", action="store_true", help="print a line for each submission")
    _grading_options(batch)
    batch.set_defaults(command=_batch)

    report = commands.add_parser("report", help="the class report of a batch folder, as HTML")
    report.add_argument("path", type=_path, metavar="DIR")
    report.add_argument("--out", type=_path, metavar="HTML_DIR", help="where index.html goes; DIR/report if left out")
    report.add_argument("--before", type=_path, metavar="DIR", help="an earlier batch folder, to say what changed")
    report.set_defaults(command=_report)

    export = commands.add_parser("export", help="a batch folder in the formats of others, gradebooks among them")
    export.add_argument("path", type=_path, metavar="DIR")
    export.add_argument("--format", required=True, metavar="NAME", help=", ".join(CLASS_FORMATS))
    export.add_argument(
        "--out", type=_path, metavar="FILE", help="standard output if left out; for gradescope a folder"
    )
    export.add_argument("--gradebook", type=_path, metavar="CSV", help="for canvas and moodle: the file to fill in")
    export.add_argument("--column", metavar="TITLE", help="for canvas: the assignment's title or number")
    export.add_argument("-a", "--assignment", metavar="NAME", help="only the points of this one")
    export.set_defaults(command=_export)

    diff = commands.add_parser("diff", help="whose grade changed between two batch folders, and why")
    diff.add_argument("old", type=_path, metavar="OLD_DIR")
    diff.add_argument("new", type=_path, metavar="NEW_DIR")
    diff.set_defaults(command=_diff)

    autograder = commands.add_parser("autograder", help="the zip that Gradescope takes; it holds the hidden tests")
    autograder.add_argument("out", type=_path, metavar="ZIP")
    _assignment_option(autograder)
    autograder.add_argument("--seed", type=int, default=0, metavar="N", help="the seed that inputs are drawn from")
    autograder.add_argument("--require-isolation", choices=LEVELS, default=DEFAULT_FLOOR, metavar="LEVEL")
    autograder.set_defaults(command=_autograder)

    build = commands.add_parser("build", help="make the stubs and notebooks from their sources")
    build.add_argument("--check", action="store_true", help="change nothing; exit with 2 if something is out of date")
    build.set_defaults(command=_build)

    release = commands.add_parser("release", help="make the bundle that students are given")
    release.add_argument("out", type=_path, metavar="OUT", help="a folder, a .zip, or a .git repository to make")
    release.add_argument("--options", type=_path, metavar="FILE", help="assignments, points, dates, wording, as TOML")
    release.add_argument("--form", choices=("folder", "zip", "git"), help="if OUT's ending does not say it")
    release.set_defaults(command=_release)

    plot = commands.add_parser("plot", help="draw what your code does")
    plot.add_argument("plot", metavar="NAME", help="gradient_flow or fast_lstm")
    plot.add_argument("path", nargs="?", default=".", type=_path, metavar="PATH")
    plot.add_argument("--out", type=_path, metavar="FILE", help="an .svg or .png file; NAME.svg if left out")
    plot.set_defaults(command=_plot)

    play = commands.add_parser("play", help="train your model and let it write")
    play.add_argument("path", nargs="?", default=".", type=_path, metavar="PATH")
    play.add_argument("--text", type=_path, metavar="FILE", help="what to learn from; Python's own help if left out")
    play.add_argument("--epochs", type=_positive, metavar="N", help="how many in all, earlier runs counted")
    play.add_argument("--hidden", type=_positive, metavar="N", help="the hidden size")
    _device_option(play)
    play.add_argument("--full", action="store_true", help="the lesson's sizes and the whole text: an hour or more")
    play.set_defaults(command=_play)

    proof = commands.add_parser("proof", help="the kit's certificate, computed now; a quarter of an hour or more")
    proof.add_argument("--quick", action="store_true", help="from a sample of everything, in a few minutes")
    proof.set_defaults(command=_proof)

    doctor = commands.add_parser("doctor", help="what this machine can do, and how to get more")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(command=_doctor)
    return parser


def _path(text: str) -> Path:
    if not text:  # an empty variable of a shell, which Path would take for the folder one is in
        raise argparse.ArgumentTypeError("it is empty; the folder you are in is written as a dot")
    return Path(text)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of percent")
    return value


def _address(text: str) -> str:
    if not _SCHEDULER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address of a scheduler, such as tcp://host:8786")
    return text


def _assignment_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-a", "--assignment", action="append", metavar="NAME", help="only this one; may be repeated")


def _seed_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the seed that inputs are drawn from")


def _device_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("cpu", "cuda", "auto"), default="cpu", help="where tensors lie; cpu")


def _grading_options(parser: argparse.ArgumentParser) -> None:
    _seed_option(parser)
    _device_option(parser)
    parser.add_argument(
        "--require-isolation",
        choices=LEVELS,
        default=DEFAULT_FLOOR,
        metavar="LEVEL",
        help=f"grade at least at this level: {', '.join(LEVELS)}; {DEFAULT_FLOOR} if left out",
    )


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
