"""All that wants a GPU, in one command, with its figures as Markdown for RESULTS.md: `make gpu`.

    python -m tests.gpu [--only NAME ...]           an hour or more; writes the figures to standard output
    python -m tests.gpu --device cpu --short        the same steps in small, to see that they run

A step that fails is said and the others go on; ends with 1 then. Without a GPU nothing runs: one line, and 3.
Nothing here is timed against a limit: the figures are for people.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from assignments.cells import oracle
from grader import doctor
from grader.course import ROOT, SOLUTIONS, load_course
from grader.diagnosis import load_misconceptions, mutate
from grader.diagnosis.local import LocalStudent
from grader.options import GradeOptions, start_sandbox
from grader.play.show import FULL
from grader.play.trainer import LibraryModel
from grader.sandbox import SandboxError, gpu
from grader.sandbox.inside.gpu import settle
from grader.status import BELOW, DONE, GRADER_FAILED
from tests.attacks.range import Range, is_root, load_attacks
from tests.devices.suites import solutions
from tests.support import grade_folder, rows_of, write_files
from tests.variants.test_variants import VARIANTS, files_of

BEST = ("namespaced", "landlock", "split")
SMALL = {"embed_size": 4, "hidden_size": 8, "num_layers": 1, "batch_size": 4, "seq_len": 5}
VOCABULARY = 65
Lines = Iterator[str]


@dataclass(frozen=True)
class Choice:
    """Where to run, and whether in small."""

    device: str
    short: bool

    def some(self, everything: list[Any], count: int) -> list[Any]:
        """All of it; in small `count`, from all over."""
        return everything[:: max(1, len(everything) // count)][:count] if self.short else everything


USE = """
import resource, torch
layer = torch.nn.LSTM(8, 8).to(DEVICE)
layer(torch.ones(2, 2, 8, device=DEVICE))[0].sum().backward()
used = 0
if DEVICE == "cuda":
    torch.cuda.synchronize()
    free, whole = torch.cuda.mem_get_info()
    used = whole - free
print(used / 2**20, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
"""


class Failed(Exception):
    """A step found something that should not be; what it printed says what."""


def machine(choice: Choice) -> Lines:
    """What is here, on which rungs a session can use it, and what one process takes of it."""
    found = doctor.examine()
    if choice.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        yield f"{properties.name}, {properties.total_memory / 2**20:.0f} MiB; CUDA {torch.version.cuda}"
    yield f"torch {found['torch']}, Python {found['python']}, {found['system']}, {os.cpu_count()} cores"
    yield ""
    yield from table("rung", "isolation", "the GPU inside")
    for rung, seen in found["rungs"].items():
        yield row(rung, "holds" if seen["available"] else seen["why"], seen["gpu"] or "–")
    told = output(sys.executable, "-c", USE.replace("DEVICE", repr(choice.device))).split()
    yield ""
    taken, resident = (f"{float(number):.0f} MiB" for number in told)
    yield f"With one small process on it {taken} of the GPU are taken; of the machine the process has {resident}."
    yield f"Allowed are {gpu.MEMORY_MB} MiB of the GPU for tensors beside {gpu.CONTEXT_MB} for CUDA itself, and"
    yield f"{gpu.HOST_MB} MiB of the machine on top of a session's own (`grader/sandbox/gpu.py`)."
    if choice.device == "cuda" and not any(seen["gpu"] == "works" for seen in found["rungs"].values()):
        raise Failed("no rung lets a session use the GPU")


def noise(choice: Choice) -> Lines:
    """How far correct cells are from the oracles, for the table in `grader/suite/expectation.py`."""
    seeds = 2 if choice.short else 20
    yield from table("dtype", "TF32", f"largest difference of {seeds} seeds, 20 steps")
    student = LocalStudent("cells")
    for dtype in (torch.float64, torch.float32):
        for tf32 in (False, True) if choice.device == "cuda" and dtype == torch.float32 else (False,):
            settle()
            torch.backends.cuda.matmul.allow_tf32 = tf32
            worst = 0.0
            for seed in range(seeds):
                for name in oracle.SHAPES:
                    rng = torch.Generator().manual_seed(seed)
                    case = oracle.wide_case(name, rng, steps=20, dtype=dtype)
                    worst = max(worst, difference(student, case, choice.device))
            yield row(str(dtype).removeprefix("torch."), "on" if tf32 else "off", f"{worst:.1e}")
    settle()


def difference(student: Any, case: oracle.Case, device: str) -> float:
    """The largest difference between a reference cell's states and the oracle's."""
    cell = getattr(student, case.name)(case.x.shape[2], case.h.shape[1]).to(device, case.x.dtype)
    with torch.no_grad():
        for label, value in case.weights.items():
            getattr(cell, label).copy_(value)
        h, c = case.h.to(device), case.c.to(device)
        right, worst = oracle.walk(case), 0.0
        for x_t, right_h in zip(case.x.to(device), right.h, strict=True):
            h, c = cell(x_t, h, c)
            worst = max(worst, (h.cpu().double() - right_h.double()).abs().max().item())
    return worst


def suites(choice: Choice) -> Lines:
    """The tests of the kit on the device, those that take long too."""
    places = ["tests/laws/test_every_assignment.py", "tests/variants"]
    which = f"{choice.device} and earns_everything and cells" if choice.short else choice.device
    for what in ([*places, "-k", which], *([] if choice.short else [["tests/devices"]])):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "long or not long", *what],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        said = done.stdout.strip().splitlines()
        yield f"`pytest {' '.join(what)}`: {said[-1] if said else done.stderr[-300:]}"
        if done.returncode:
            yield from said[-30:]
            raise Failed("a test failed")


def grades(choice: Choice) -> Lines:
    """Every style and every known mistake, graded on both devices: test for test the same."""
    everything = programs()
    chosen = choice.some(sorted(everything), 3)
    unlike: list[str] = []
    options = GradeOptions(load_course())
    with start_sandbox(options) as cpu, start_sandbox(replace(options, device=choice.device)) as other:
        for name in chosen:
            assignment, files = everything[name]
            with tempfile.TemporaryDirectory() as folder:
                path = write_files(Path(folder, "submission"), {**solutions(*assignment.needs), **files})
                on_cpu, here = (
                    rows_of(grade_folder(path, [assignment.name], sandbox, device=device).document)
                    for sandbox, device in ((cpu, "cpu"), (other, choice.device))
                )
            unlike += [
                f"{name}: {test}: {row['score']:g} on the CPU, {here[test]['score']:g} here: {here[test]['message']}"
                for test, row in on_cpu.items()
                if row["score"] != here[test]["score"]
            ]
    yield f"{len(chosen)} programs (every style, every known mistake): {len(unlike)} tests with other points."
    yield from (f"- {line[:300]}" for line in unlike)
    if unlike:
        raise Failed("grades differ")


def programs() -> dict[str, tuple[Any, dict[str, bytes]]]:
    """Every style and every known mistake by name: the assignment, and its files."""
    found = {
        f"{assignment.name}-{path.stem}": (assignment, files_of(assignment, path)) for assignment, path in VARIANTS
    }
    for assignment in load_course():
        for wrong in load_misconceptions(assignment):
            found[f"{assignment.name}-{wrong.id}"] = (
                assignment,
                {assignment.file: mutate(assignment.name, wrong).encode()},
            )
    return found


def attacks(choice: Choice) -> Lines:
    """The corpus of hostile submissions, on the two rungs that hold something."""
    yield from table("rung", "attacks", "as expected")
    surprises = []
    for rung in ("namespaced", "landlock"):
        chosen = [attack for attack in load_attacks().values() if rung not in attack.never_on]
        quick = [attack for attack in chosen if attack.setting == "shared" and attack.harmless and not attack.hangs]
        chosen = choice.some(quick, 2) if choice.short else chosen
        try:
            with Range(rung, choice.device) as firing_range:
                fine = 0
                for attack in chosen:
                    _, seen = firing_range.run(attack)
                    known = attack.expected_gaps(rung, is_root()) | set(attack.possible_gaps(rung))
                    found = {effect: what for effect, what in seen.items() if effect not in known}
                    fine += not found
                    surprises += [f"{rung}: {attack.name}: {effect}: {what[:200]}" for effect, what in found.items()]
            yield row(rung, str(len(chosen)), str(fine))
        except SandboxError as problem:
            yield row(rung, "–", str(problem))
    yield from (f"- {line}" for line in surprises)
    if surprises:
        raise Failed("an attack did what it should not")


def whole_class(choice: Choice) -> Lines:
    """A class of 100, each grade as predicted."""
    jobs = gpu.how_many_fit(os.cpu_count() or 1, gpu.free_mb()) if choice.device == "cuda" else 1
    size = ["--size", "3", "-a", "cells"] if choice.short else ["--size", "100"]
    level = next(rung for rung in BEST if available(rung, choice.device))
    yield "```"
    yield output(
        *(sys.executable, "-m", "tests.benchmarks.whole_class", *size, "--jobs", str(jobs)),
        *("--level", level, "--device", choice.device),
    ).strip()
    yield "```"


def available(rung: str, device: str) -> bool:
    """Whether sessions on this rung can use the device."""
    try:
        with start_sandbox(GradeOptions((), device=device, rung=rung)):
            return True
    except SandboxError:
        return False


class OverFast(nn.Module):
    """A character model over the reference's FastLSTM."""

    def __init__(self, kind: Any, embed_size: int, hidden_size: int, num_layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, embed_size)
        sizes = [embed_size, *[hidden_size] * (num_layers - 1)]
        self.layers = nn.ModuleList(kind(size, hidden_size) for size in sizes)
        self.fc = nn.Linear(hidden_size, VOCABULARY)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """x (B, T) to logits (B, T, V)."""
        found = self.embedding(x)
        for layer in self.layers:
            found, _ = layer(found)
        return self.fc(found), None


def speed(choice: Choice) -> Lines:
    """One step of training at the lesson's sizes: the reference's cells beside the library's and FastLSTM."""
    sizes = SMALL if choice.short else {key: FULL[key] for key in SMALL}
    shape = {key: sizes[key] for key in ("embed_size", "hidden_size", "num_layers")}
    models = LocalStudent("language_model")
    made: dict[str, Callable[[], nn.Module]] = {
        "nn.LSTM": lambda: LibraryModel(VOCABULARY, *shape.values(), "lstm"),
        "FastLSTM": lambda: OverFast(LocalStudent("fast_lstm").FastLSTM, *shape.values()),
        "LSTM cell, stepped": lambda: models.CharRNN(VOCABULARY, *shape.values(), cell_type="lstm"),
        "GRU cell, stepped": lambda: models.CharRNN(VOCABULARY, *shape.values(), cell_type="gru"),
        "RNN cell, stepped": lambda: models.CharRNN(VOCABULARY, *shape.values(), cell_type="rnn"),
    }
    x = torch.randint(VOCABULARY, (sizes["batch_size"], sizes["seq_len"]), device=choice.device)
    yield f"Forward, backward and Adam on a batch {tuple(x.shape)}, {shape}; TF32 off."
    yield ""
    yield from table("model", "ms a batch", "characters a second", "times nn.LSTM")
    first = 0.0
    for name, make in made.items():
        seconds = a_step(make().to(choice.device), x, rounds=2 if choice.short else 20)
        first = first or seconds
        yield row(name, f"{seconds * 1e3:.1f}", f"{x.numel() / seconds:,.0f}", f"{seconds / first:.2f}")


def a_step(model: nn.Module, x: torch.Tensor, rounds: int) -> float:
    """The best time of a training step, in seconds, with all that the device still had to do."""
    settle()
    optimizer, spent = torch.optim.Adam(model.parameters()), []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x)[0].flatten(0, 1), x.flatten()).backward()
        optimizer.step()
        if x.is_cuda:
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - started)
    return min(spent[1:])


def play(choice: Choice) -> Lines:
    """`grader play` from end to end, at the lesson's hyperparameters."""
    sizes = ["--epochs", "1", "--hidden", "4"] if choice.short else ["--full"]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        said = output(
            *(sys.executable, "-m", "grader", "play", str(SOLUTIONS), "--device", choice.device, *sizes), folder=folder
        )
    yield f"`grader play solutions --device {choice.device} {' '.join(sizes)}`: {time.perf_counter() - started:.0f} s"
    yield "```"
    yield from (
        line for line in said.strip().splitlines() if re.search(r"epoch +\d*[05] |CharRNN|^\w+ +[\d,]+ +\d", line)
    )
    yield "```"


def output(*command: str, folder: str | Path = ROOT) -> str:
    """What a command prints. Raises Failed with the end of its complaints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(command[1:4])} ended with {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def table(*columns: str) -> Lines:
    """The head of a Markdown table."""
    yield row(*columns)
    yield "|" + "---|" * len(columns)


def row(*cells: str) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


STEPS: dict[str, Callable[[Choice], Lines]] = {
    "machine": machine,
    "noise": noise,
    "speed": speed,
    "grades": grades,
    "attacks": attacks,
    "class": whole_class,
    "suites": suites,
    "play": play,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the steps and print what they found."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--short", action="store_true", help="each step in small, to see that it runs")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), metavar="NAME", help=", ".join(STEPS))
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        trial = "python -m tests.gpu --device cpu --short"
        print(f"tests.gpu: there is no GPU here that CUDA can use. To see that the steps run: {trial}", file=sys.stderr)
        return GRADER_FAILED
    choice, failed = Choice(options.device, options.short), []
    for name in options.only:
        started = time.perf_counter()
        print(f"\n### {name}: {(STEPS[name].__doc__ or name).splitlines()[0]}\n", flush=True)
        try:
            for line in STEPS[name](choice):
                print(line, flush=True)
        except Exception as problem:  # the other steps are worth their time all the same
            failed.append(name)
            why = str(problem) if isinstance(problem, Failed) else traceback.format_exc(limit=-4)
            print(f"\n**Not as it should be:** {why}", flush=True)
        print(f"\n({time.perf_counter() - started:.0f} s)", flush=True)
    done = f"all of {', '.join(options.only)}" if not failed else f"failed: {', '.join(failed)}"
    print(f"\nOn {choice.device}{', in small' if choice.short else ''}: {done}", flush=True)
    return BELOW if failed else DONE


if __name__ == "__main__":
    raise SystemExit(main())
