"""A class on several machines: a real Dask scheduler and workers that share no folder with the batch."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time

import pytest

from grader.course import ROOT
from tests.classroom.support import command, documents, make_class, run

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'sequence-grader[cluster]'")


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address and two workers of one thread each, in working folders of their own."""
    quiet, written = ("--no-dashboard",), tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(written))
    started = [_start("scheduler", tmp_path / "scheduler", *options, *quiet)]
    address = _address(written, started[0])
    for number in (1, 2):
        options = (address, "--nthreads", "1", "--no-nanny", *quiet)
        started.append(_start("worker", tmp_path / f"worker-{number}", *options))
    yield address, started[1:]
    for process in started:
        process.kill()
        process.wait()


def _start(program, folder, *options):
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "dask", program, *options],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("w"),
    )


def _address(written, scheduler):
    """Where the scheduler listens, once it has said so."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert scheduler.poll() is None, "the scheduler has ended"
        with contextlib.suppress(OSError, ValueError):  # not there yet, or half of it
            return json.loads(written.read_text())["address"]
        time.sleep(0.1)
    raise TimeoutError("the scheduler has not said where it listens")


def wait_for_workers(address, count):
    deadline = time.monotonic() + 200
    with distributed.Client(address, timeout="60s", set_as_default=False) as client:
        client.wait_for_workers(count, timeout=deadline - time.monotonic())


def check_a_lost_worker(tmp_path, cluster, size):
    address, workers = cluster
    wait_for_workers(address, 2)
    folder = make_class(tmp_path / "in", size)
    run(folder, tmp_path / "local", "--jobs", "2")
    process = subprocess.Popen(
        command(folder, tmp_path / "out", "--scheduler", address, "--lines"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(size // 2):
        assert process.stdout.readline()
    workers[0].send_signal(signal.SIGKILL)
    rest, error = process.communicate(timeout=250)
    assert process.returncode == 0, error
    assert f"{size} of {size} submissions graded" in rest
    assert documents(tmp_path / "out") == documents(tmp_path / "local")


@pytest.mark.timeout(900)
def test_a_lost_worker_loses_no_grade(tmp_path, cluster):
    check_a_lost_worker(tmp_path, cluster, 10)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_lost_worker_in_a_class_of_sixty(tmp_path, cluster):
    check_a_lost_worker(tmp_path, cluster, 60)
