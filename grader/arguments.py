"""The commands and their options: what can be typed, and what --help says of it."""

from __future__ import annotations

import argparse
import math
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

from grader import __version__
from grader.status import UNUSABLE, Stop

LEVELS = ("split", "landlock", "namespaced")
DEFAULT_FLOOR = "landlock"
ONE_FORMATS = ("json", "csv", "csv-tests", "gradescope", "junit", "github-summary", "github-annotations")
CLASS_FORMATS = (*ONE_FORMATS, "canvas", "moodle")  # of grader.export.formats, loaded only when it is asked for
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


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `name` of what it returns is the command's."""
    root = _Parser(prog="grader", description="Assignments on sequence modelling, graded.")
    root.add_argument("--version", action="version", version=f"grader {__version__}")
    commands = root.add_subparsers(dest="name", required=True, metavar="COMMAND", parser_class=_Parser)

    check = commands.add_parser("check", help="run the public tests on your work")
    check.add_argument("path", nargs="?", default=".", type=_path, metavar="PATH")
    _assignment_option(check)
    check.add_argument("--watch", action="store_true", help="check again whenever a file is saved")
    check.add_argument("--pdb", action="store_true", help="stop in the debugger where your code fails")
    _seed_option(check)
    check.add_argument("--zip", type=_path, metavar="FILE", help="also write what you hand in, as a zip")

    grade = commands.add_parser("grade", help="run public and hidden tests on one submission")
    grade.add_argument("path", type=_path, metavar="PATH")
    _assignment_option(grade)
    grade.add_argument("--json", metavar="FILE|-", help="write the result document; - prints only that")
    grade.add_argument("--format", default="text", metavar="NAME", help=", ".join(("text", *ONE_FORMATS)))
    grade.add_argument(
        "--min-score", type=_percent, metavar="PERCENT", help="exit with 1 below this share of the points"
    )
    _grading_options(grade)

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

    report = commands.add_parser("report", help="the class report of a batch folder, as HTML")
    report.add_argument("path", type=_path, metavar="DIR")
    report.add_argument("--out", type=_path, metavar="HTML_DIR", help="where index.html goes; DIR/report if left out")
    report.add_argument("--before", type=_path, metavar="DIR", help="an earlier batch folder, to say what changed")

    export = commands.add_parser("export", help="a batch folder in the formats of others, gradebooks among them")
    export.add_argument("path", type=_path, metavar="DIR")
    export.add_argument("--format", required=True, metavar="NAME", help=", ".join(CLASS_FORMATS))
    export.add_argument(
        "--out", type=_path, metavar="FILE", help="standard output if left out; for gradescope a folder"
    )
    export.add_argument("--gradebook", type=_path, metavar="CSV", help="for canvas and moodle: the file to fill in")
    export.add_argument("--column", metavar="TITLE", help="for canvas: the assignment's title or number")
    export.add_argument("-a", "--assignment", metavar="NAME", help="only the points of this one")

    diff = commands.add_parser("diff", help="whose grade changed between two batch folders, and why")
    diff.add_argument("old", type=_path, metavar="OLD_DIR")
    diff.add_argument("new", type=_path, metavar="NEW_DIR")

    autograder = commands.add_parser("autograder", help="the zip that Gradescope takes; it holds the hidden tests")
    autograder.add_argument("out", type=_path, metavar="ZIP")
    _assignment_option(autograder)
    autograder.add_argument("--seed", type=int, default=0, metavar="N", help="the seed that inputs are drawn from")
    autograder.add_argument("--require-isolation", choices=LEVELS, default=DEFAULT_FLOOR, metavar="LEVEL")

    build = commands.add_parser("build", help="make the stubs and notebooks from their sources")
    build.add_argument("--check", action="store_true", help="change nothing; exit with 2 if something is out of date")

    release = commands.add_parser("release", help="make the bundle that students are given")
    release.add_argument("out", type=_path, metavar="OUT", help="a folder, a .zip, or a .git repository to make")
    release.add_argument("--options", type=_path, metavar="FILE", help="assignments, points, dates, wording, as TOML")
    release.add_argument("--form", choices=("folder", "zip", "git"), help="if OUT's ending does not say it")

    plot = commands.add_parser("plot", help="draw what your code does")
    plot.add_argument("plot", metavar="NAME", help="gradient_flow or fast_lstm")
    plot.add_argument("path", nargs="?", default=".", type=_path, metavar="PATH")
    plot.add_argument("--out", type=_path, metavar="FILE", help="an .svg or .png file; NAME.svg if left out")

    play = commands.add_parser("play", help="train your model and let it write")
    play.add_argument("path", nargs="?", default=".", type=_path, metavar="PATH")
    play.add_argument("--text", type=_path, metavar="FILE", help="what to learn from; Python's own help if left out")
    play.add_argument("--epochs", type=_positive, metavar="N", help="how many in all, earlier runs counted")
    play.add_argument("--hidden", type=_positive, metavar="N", help="the hidden size")
    _device_option(play)
    play.add_argument("--full", action="store_true", help="the lesson's sizes and the whole text: an hour or more")

    proof = commands.add_parser("proof", help="the kit's certificate, computed now; a quarter of an hour or more")
    proof.add_argument("--quick", action="store_true", help="from a sample of everything, in a few minutes")

    doctor = commands.add_parser("doctor", help="what this machine can do, and how to get more")
    doctor.add_argument("--json", action="store_true")
    return root


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
