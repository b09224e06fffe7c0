"""Ctrl-C, and what counts as Ctrl-C: a cancelled job, a closed terminal."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from grader.status import DONE, STOPPED


def run_until_ended(command: Callable[[], int]) -> int:
    """Run a command, which returns its exit status, until it ends or is ended.

    Raises KeyboardInterrupt once Ctrl-C, SIGTERM or SIGHUP has come, whatever became of it on its way:
    half-imported, numpy and torch turn it into errors of their own.
    """
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        sys.unraisablehook = lambda unraisable: None  # what is lost in a hook around fork is nothing to read of
        handler = signal.getsignal(signal.SIGINT)  # `ctrl_c_calls` has one of its own
        if handler is end or not callable(handler):
            raise KeyboardInterrupt
        handler(number, frame)

    usual = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    known = {getattr(signal, name): handler for name, handler in usual.items() if hasattr(signal, name)}
    taken = {ending: handler for ending, handler in known.items() if signal.getsignal(ending) is handler}
    if threading.current_thread() is not threading.main_thread():
        taken = {}
    try:
        for ending in taken:
            signal.signal(ending, end)
        status = command()
    except Exception:
        if came:
            raise KeyboardInterrupt from None
        raise
    finally:
        for ending, handler in taken.items():
            signal.signal(ending, handler)
    if came and status not in (DONE, STOPPED):
        raise KeyboardInterrupt
    return status


@contextlib.contextmanager
def ctrl_c_calls(act: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C do only this meanwhile. Raised anywhere, it could leave a lock held that a thread then waits for."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
