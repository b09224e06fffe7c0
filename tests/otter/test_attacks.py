"""What beats stock Otter earns what it deserves through the plug-in: both are shown, with the real Otter."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
from pathlib import Path

import pytest

from grader.course import select
from tests.otter.attacks import ATTACKS, MARK, SPOILERS, Attack
from tests.otter.course import (
    ISOLATED,
    LAZY,
    LAZY_DESERVES,
    SECRET,
    Run,
    generated,
    handed_in,
    image_run,
    otter_run,
)
from tests.support import grade_folder

pytest.importorskip("otter", reason="Otter comes with the extra [otter]")
QUICK = ("a package that stands in for otter",)  # the others take as long, some ten seconds each


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Path:
    """The course's archive for Otter as it is."""
    return generated(tmp_path_factory.mktemp("stock") / "course", {})


@pytest.fixture(scope="module")
def isolated(tmp_path_factory) -> Path:
    """The same with our plug-in."""
    return generated(tmp_path_factory.mktemp("isolated") / "course", {"plugins": [ISOLATED]})


@pytest.fixture(scope="module")
def deserved(tmp_path_factory, trusted_sandbox) -> float:
    """What the honest part of the attacks is worth to us."""
    work = handed_in(tmp_path_factory.mktemp("lazy"), LAZY)
    score = grade_folder(work, ["batching"], trusted_sandbox).document["score"]
    assert 0 < score < select(["batching"])[0].points / 2
    return score


def submitted(attack: Attack, folder: Path, mark: Path) -> Path:
    cells = [cell.replace(MARK, str(mark)) for cell in attack.cells]
    beside = {name: text for name, text in attack.beside.items() if text != "THE_LOG"}
    work = handed_in(folder, LAZY, *cells, beside=beside if attack.beside else None)
    if ".OTTER_LOG" in attack.beside:
        import zipfile

        with zipfile.ZipFile(work, "a") as archive:
            archive.writestr(".OTTER_LOG", pickle.dumps(Marking(mark)))
    return work


class Marking:
    """Unpickled, it leaves its mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return eval, (f"__import__('pathlib').Path({str(self.mark)!r}).write_text('here')",)


def got(attack: Attack, archive: Path, folder: Path) -> tuple[bool, Run]:
    """Whether it got what it wants, and the run."""
    mark = folder / "mark"
    work = submitted(attack, folder / "work", mark)
    run = (image_run if attack.wants == "file" else otter_run)(archive, work, folder / "run")
    if attack.wants == "secrets":
        return SECRET in run.shown(), run
    if attack.wants == "mark":
        return mark.exists(), run
    return run.points() > (LAZY_DESERVES if "stock" in str(archive) else 0) + 1e-9, run


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.long) for n in ATTACKS])
def test_an_attack_that_beats_otter_gets_nothing_through_the_plug_in(name, stock, isolated, deserved, tmp_path):
    attack = ATTACKS[name]
    beaten, _ = got(attack, stock, tmp_path / "stock")
    assert beaten, "it does not even beat stock Otter, and shows nothing"
    _, run = got(attack, isolated, tmp_path / "isolated")
    assert run.status == 0, run.printed
    assert run.points() == pytest.approx(deserved)
    assert not (tmp_path / "isolated" / "mark").exists()
    assert SECRET not in run.shown()


@pytest.mark.long
@pytest.mark.parametrize("name", SPOILERS)
def test_what_leaves_otter_without_a_result_costs_its_own_points_only(name, stock, isolated, deserved, tmp_path):
    work = handed_in(tmp_path / "work", LAZY, SPOILERS[name])
    called = handed_in(tmp_path / "called", LAZY, SPOILERS[name], "encode('a', {})")
    with contextlib.suppress(subprocess.TimeoutExpired):  # it would wait for ever
        assert otter_run(stock, called, tmp_path / "stock", timeout=25).results is None
    run = otter_run(isolated, work, tmp_path / "isolated")
    assert run.status == 0, run.printed
    assert run.points() == pytest.approx(deserved)
