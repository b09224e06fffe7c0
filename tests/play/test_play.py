"""`grader play`: what is shown, what a stub leaves out, and that Ctrl-C keeps what was trained."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from grader import cli
from grader.course import ROOT, SOLUTIONS, STARTER
from grader.play import show
from grader.play.moments import PARTS, Moments

TINY = {"embed_size": 3, "hidden_size": 4, "num_layers": 1, "batch_size": 4, "seq_len": 5, "num_epochs": 2}
TEXT = "The cat sat on the mat. " * 12


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Small sizes, and a working folder with a text in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(show, "SMALL", TINY)
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def played(capfd, *arguments, folder=SOLUTIONS, status=0):
    assert cli.main(["play", str(folder), "--text", "text.txt", *arguments]) == status
    return capfd.readouterr()


def test_all_of_it_plays_and_a_second_run_goes_on(tiny, capfd):
    out, err = played(capfd)
    assert "left out" not in err
    assert [line.split(":")[0] for line in out.splitlines() if "your CharRNN" in line] == ["LSTM", "GRU", "RNN"]
    assert out.count("epoch   2  loss") == 3
    for shown in (" 0.2  The ", " 1.5  The ", "greedy  The ", "beam of 5  The ", "Three kinds of cells"):
        assert shown in out
    kept = {file.name: file.read_bytes() for file in (tiny / "play").glob("*.safetensors")}
    assert len(kept) == 3
    again, _ = played(capfd)  # nothing is left to train: the same models write the same texts
    assert again.count("goes on after 2 epochs") == 3
    assert {file.name: file.read_bytes() for file in (tiny / "play").glob("*.safetensors")} == kept
    more, _ = played(capfd, "--epochs", "3")
    assert more.count("epoch   3  loss") == 3
    other, _ = played(capfd, "--hidden", "5")
    assert "goes on" not in other


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process group")
def test_ctrl_c_keeps_what_was_trained(tiny):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "grader", "play", str(SOLUTIONS), "--text", "text.txt", "--epochs", "100000"]
    (tiny / "text.txt").write_text("The cat sat on the mat. " * 60, encoding="utf-8")
    run = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 200
        while not list((tiny / "play").glob("*.safetensors")):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to both processes
        _, err = run.communicate(timeout=60)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == show.STOPPED
    assert "the weights are kept. The same command goes on." in err
    assert "Traceback" not in err
    (file,) = (tiny / "play").glob("*.safetensors")
    with safe_open(file, framework="pt") as kept:
        assert len(json.loads(kept.metadata()["epochs"])["losses"]) >= 1
        assert any(name.startswith("adam/") for name in kept.keys())  # noqa: SIM118


def test_what_is_missing_is_said_and_the_rest_plays(tiny, capfd):
    folder = tiny / "work"
    shutil.copytree(SOLUTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("language_model.py", "beam_search.py"):
        shutil.copy(STARTER / name, folder / name)
    out, err = played(capfd, folder=folder)
    assert "LSTM: a model of the library, in place of yours" in out
    assert " 0.8  The " in out and "LSTM (library)" in out
    assert "beam_search: not written yet" in err
    out, err = played(capfd, folder=STARTER)
    assert "train: not written yet" not in out
    assert "left out" in err and "Three kinds" not in out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_the_code_leaves_behind_is_not_waited_for(tiny, capfd):
    folder = write_solutions(tiny / "work")
    lingers = f"""
import os, signal
if "PLAYED" not in os.environ:
    os.environ["PLAYED"] = "1"
    pid = os.fork()
    if pid == 0:
        signal.alarm(100)
        signal.pause()
        os._exit(0)
    open({str(tiny / "pid")!r}, "w").write(str(pid))
"""
    (folder / "batching.py").write_text((folder / "batching.py").read_text() + lingers)
    out, _ = played(capfd, folder=folder)
    pid = int((tiny / "pid").read_text())
    os.kill(pid, signal.SIGKILL)  # which raises if it has gone: then it was waited for
    assert "Three kinds" in out


def epochs_of(out):
    """Epoch and loss of each line of the loss curves, as they are shown."""
    return re.findall(r"epoch +(\d+)  loss ([\d.]+)", out)


def file_epochs(file):
    with safe_open(file, framework="pt") as kept:
        return kept.metadata()["epochs"]


def kept_by(folder):
    """What each kind's file holds: its losses, and its tensors."""
    found = {}
    for file in (folder / "play").glob("*.safetensors"):
        with safe_open(file, framework="pt") as kept:
            tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
        found[file.name] = json.loads(file_epochs(file))["losses"], tensors
    return found


def write_solutions(folder, **instead):
    """The reference solutions, some of them changed."""
    shutil.copytree(SOLUTIONS, folder, ignore=shutil.ignore_patterns("__pycache__", "notebooks"), dirs_exist_ok=True)
    for name, (old, new) in instead.items():
        text = (folder / f"{name}.py").read_text()
        assert old in text
        (folder / f"{name}.py").write_text(text.replace(old, new))
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """`play/` as a run of two epochs leaves it, for tests to go on from; nobody writes there."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(show, "SMALL", TINY)
        (folder / "text.txt").write_text(TEXT, encoding="utf-8")
        assert cli.main(["play", str(SOLUTIONS), "--text", "text.txt"]) == 0
    return folder / "play"


def test_two_runs_train_as_one_does(tiny, finished, capfd):
    whole, _ = played(capfd, "--epochs", "4")
    expected = kept_by(tiny)
    shutil.rmtree(tiny / "play")
    shutil.copytree(finished, tiny / "play")
    out, _ = played(capfd, "--epochs", "4")
    assert "afresh" not in out and out.count("goes on after 2 epochs") == 3
    assert epochs_of(out) == epochs_of(whole)
    found = kept_by(tiny)
    assert len(found) == 3 and {name: losses for name, (losses, _) in found.items()} == {
        name: losses for name, (losses, _) in expected.items()
    }
    for name, (_, tensors) in found.items():
        assert {"adam/step/fc.bias", "adam/exp_avg/fc.bias", "adam/exp_avg_sq/fc.bias"} <= set(tensors)
        assert all(torch.equal(value, expected[name][1][key]) for key, value in tensors.items())


BY_HAND = """
class Handmade:
    def __init__(self, parameters, lr):
        self.parameters, self.lr, self.step_count = list(parameters), lr, 0
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]
    def zero_grad(self):
        for p in self.parameters: p.grad = None
    def step(self):
        self.step_count += 1
        with torch.no_grad():
            for p, (m, v) in zip(self.parameters, self.moments):
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                root = (v / (1 - 0.999**self.step_count)).sqrt() + 1e-8
                p -= self.lr * m / (1 - 0.9**self.step_count) / root

def train("""


def test_an_optimiser_that_cannot_go_on_is_said(tiny, finished, capfd):
    shutil.copytree(finished, tiny / "play")
    folder = write_solutions(tiny / "work", training=("torch.optim.Adam(", "Handmade("))
    text = (folder / "training.py").read_text()
    (folder / "training.py").write_text(text.replace("def train(", BY_HAND.lstrip("\n"), 1))
    out, _ = played(capfd, "--epochs", "3", folder=folder)
    assert out.count("goes on after 2 epochs") == 3 and out.count("epoch   3  loss") == 3
    assert out.count("the optimiser starts afresh: train has no torch.optim.Adam that steps your model") == 3
    assert not any(name.startswith("adam/") for _, tensors in kept_by(tiny).values() for name in tensors)


def stepped(model, given, **options):
    """One step of an Adam over the model, watched."""
    moments = Moments(model, given)
    with moments.watched():
        optimizer = torch.optim.Adam(model.parameters(), **options)
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    return moments


def test_moments_that_do_not_fit_are_left_alone():
    model = torch.nn.Linear(3, 2)
    first = stepped(model, {})
    assert not first.resumed and "left no moments" in first.why
    kept = first.kept()
    assert set(kept) == {f"adam/{part}/{name}" for part in PARTS for name in ("weight", "bias")}
    again = stepped(model, kept)
    assert again.resumed and float(again.kept()["adam/step/weight"]) == 2.0
    spoilt = [
        kept | {"adam/exp_avg/bias": torch.zeros(3)},
        kept | {"adam/exp_avg/bias": torch.full((2,), torch.nan)},
        kept | {"adam/exp_avg_sq/bias": -torch.ones(2)},
        kept | {"adam/exp_avg/none": torch.zeros(2)},
        {name: value for name, value in kept.items() if name != "adam/step/bias"},
    ]
    for given in spoilt:
        other = stepped(model, given)
        assert not other.resumed and "do not fit" in other.why and float(other.kept()["adam/step/weight"]) == 1.0
    assert "do not fit" in stepped(model, kept, amsgrad=True).why
    unseen = Moments(model, kept)
    with unseen.watched():  # of another model, and no Adam
        torch.optim.SGD(model.parameters(), lr=0.1).step()
        torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step()
    assert not unseen.resumed and "no torch.optim.Adam" in unseen.why
    assert unseen.kept() is kept  # after Ctrl-C within the first epoch they wait for the next run
    unseen.epoch_is_over()
    assert unseen.kept() == {}


def test_a_file_that_does_not_fit_is_set_aside(tiny, finished, capfd):
    shutil.copytree(finished, tiny / "play")
    for name, (losses, tensors) in kept_by(tiny).items():
        file = tiny / "play" / name
        if file.name.startswith("lstm"):
            file.write_bytes(b"\0" * 20)
        elif file.name.startswith("gru"):  # what does fit of it must not slip in
            tensors = {name: torch.ones_like(value) for name, value in tensors.items()} | {"fc.bias": torch.ones(99)}
            save_file(tensors, file, {"epochs": json.dumps({"losses": losses, "seconds": losses})})
        else:
            save_file(tensors, file, {"epochs": json.dumps({"losses": "none"})})
    spoilt = {file.stem: file.read_bytes() for file in (tiny / "play").glob("*.safetensors")}
    out, err = played(capfd)
    assert "goes on" not in out and "Traceback" not in err and err.count("it starts anew") == 3
    assert {file.stem: file.read_bytes() for file in (tiny / "play").glob("*.aside")} == spoilt
    fresh = {file.name: json.loads(file_epochs(file))["losses"] for file in finished.glob("*.safetensors")}
    assert {name: losses for name, (losses, _) in kept_by(tiny).items()} == fresh


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["play", "nowhere"], "nowhere does not exist"),
        (["play", "--text", "none.txt"], "none.txt is no file"),
        (["play", "--text", "short.txt"], "Give a longer one"),
        (["play", "--text", "latin.txt"], "is not UTF-8"),
        (["play", "--epochs", "0"], "--epochs"),
    ],
)
def test_what_cannot_be_played_is_one_line(arguments, says, tiny, capfd):
    (tiny / "short.txt").write_text("short", encoding="utf-8")
    (tiny / "latin.txt").write_bytes(b"caf\xe9" * 100)
    assert cli.main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and says in err
