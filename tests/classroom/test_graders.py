"""The processes that grade: how they start, whom they serve, and what is left when they can't."""

from __future__ import annotations

import concurrent.futures
import errno
import threading
import time

import pytest

from grader.classroom import graders
from grader.classroom.batch import BatchError, _result
from grader.classroom.graders import Choice, GraderDied, GraderRefused, GradingProcess, Pool, Task, grade_task

CHOICE = Choice(("batching",), floor="split", rung="split")


class Stub:
    """Stands where a grading process stands."""

    made: list[Stub]

    def __init__(self, choice, *, fails=()):
        self.level, self.choice, self.closed, self.stopped = "split", choice, False, threading.Event()
        self.fails = fails

    def begin(self):
        for problem in self.fails:
            raise problem

    def grade(self, name, path):
        return {"document": {"submission": name}}

    def stop(self):
        self.stopped.set()

    def close(self):
        self.closed = True


@pytest.fixture
def made(monkeypatch):
    """A pool of its own, and every process that it starts; a list of what is raised at the next starts."""
    started, failing = [], []

    def start(choice):
        started.append(Stub(choice, fails=[failing.pop(0)] if failing else ()))
        return started[-1]

    monkeypatch.setattr(graders, "GradingProcess", start)
    monkeypatch.setattr(graders, "POOL", Pool())
    return started, failing


def test_a_process_serves_one_task_after_the_other(made):
    started, _ = made
    for name in ("ada", "bob"):
        assert grade_task(Task(name, "nowhere"), CHOICE)["document"]["submission"] == name
    assert len(started) == 1 and not started[0].closed


def test_who_was_started_for_another_batch_serves_no_more(made):
    started, _ = made
    mended = Choice(CHOICE.assignments, rung="split", floor="split", course="after the mend")
    grade_task(Task("ada", "nowhere"), CHOICE)
    grade_task(Task("ada", "nowhere"), mended)
    assert [process.closed for process in started] == [True, False]
    assert started[1].choice.course == "after the mend"


def test_a_start_that_fails_is_tried_again_and_then_costs_this_submission_alone(made):
    started, failing = made
    failing.append(GraderDied("it ended"))
    assert "document" in grade_task(Task("ada", "nowhere"), CHOICE)
    graders.POOL.close()
    graders.POOL.open()
    failing += [GraderDied("it ended"), GraderDied("it ended")]
    assert "twice (it ended)" in grade_task(Task("bob", "nowhere"), CHOICE)["blamed"]
    assert all(process.closed for process in started)


def test_one_that_is_refused_is_ended_and_says_why(made):
    started, failing = made
    failing.append(GraderRefused("no sandbox here"))
    with pytest.raises(GraderRefused, match="no sandbox here"):
        grade_task(Task("ada", "nowhere"), CHOICE)
    assert started[0].closed


def test_closing_reaches_those_that_are_only_starting(made, monkeypatch):
    started, _ = made
    at_work = threading.Event()

    def begin(self):
        at_work.set()
        assert self.stopped.wait(20)
        raise GraderDied("it ended")

    monkeypatch.setattr(Stub, "begin", begin)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        future = executor.submit(grade_task, Task("ada", "nowhere"), CHOICE)
        assert at_work.wait(20)
        graders.POOL.close()
        with pytest.raises(GraderDied):
            future.result()
        with pytest.raises(GraderDied, match="stopped"):
            grade_task(Task("bob", "nowhere"), CHOICE)
    assert len(started) == 1 and started[0].closed


@pytest.mark.parametrize(
    ("problem", "says"),
    [(GraderRefused("no sandbox"), "no sandbox"), (concurrent.futures.CancelledError(), "the scheduler was lost")],
)
def test_what_would_strike_every_task_ends_the_batch(problem, says):
    future = concurrent.futures.Future()
    future.set_exception(problem)
    with pytest.raises(BatchError, match=says):
        _result(future)


def test_what_strikes_one_task_leaves_the_others():
    future = concurrent.futures.Future()
    future.set_exception(OSError(errno.ENOSPC, "No space left on device"))
    assert "No space left" in _result(future)["blamed"]


def test_another_version_of_the_course_grades_nothing():
    process = GradingProcess(Choice(("batching",), rung="split", floor="split", course="another"))
    try:
        with pytest.raises(GraderRefused, match="another version of the course"):
            process.begin()
    finally:
        process.close()


def test_a_start_that_fails_says_why():
    process = GradingProcess(Choice(("no_such_assignment",)))
    try:
        with pytest.raises(GraderRefused, match=r"could not start .*no_such_assignment"):
            process.begin()
    finally:
        process.close()


def test_stopped_while_it_starts_it_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for delay in (0.3, 0.8, 1.6, 2.6):
        process = GradingProcess(CHOICE)
        time.sleep(delay)
        process.stop()
        process.close()
    assert not list(tmp_path.iterdir())
