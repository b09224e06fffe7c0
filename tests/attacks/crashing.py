"""Attacks that end badly on purpose, in the hope that a grader falls with them or takes the silence for a pass."""

from tests.attacks.attack import at_import, instead_of

RNN_FORWARD = "cells.RNNCellFromScratch.forward"
ONE_TEST = {"loses": ("test_rnn_without_c",)}  # `forward` with two arguments is asked for by this test alone


@instead_of(RNN_FORWARD, tries="Writes to address 0.", **ONE_TEST)
def segmentation_fault(honest, *given):
    if len(given) == 3:
        import ctypes

        ctypes.string_at(0)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Aborts.", **ONE_TEST)
def abort(honest, *given):
    if len(given) == 3:
        import os

        os.abort()
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Kills itself with a signal that nothing catches.", **ONE_TEST)
def kill_itself(honest, *given):
    if len(given) == 3:
        import os

        os.kill(os.getpid(), 9)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Stops itself, so that it neither answers nor ends.", hangs=True, **ONE_TEST)
def stop_itself(honest, *given):
    if len(given) == 3:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGSTOP)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Kills the process group it is in.", **ONE_TEST)
def kill_its_group(honest, *given):
    if len(given) == 3:
        import os

        os.killpg(0, 9)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Kills the process it was forked from.", setting="alone", harmless=False, **ONE_TEST)
def kill_its_parent(honest, *given):
    if len(given) == 3:
        import contextlib
        import os

        if os.getppid() > 0:
            with contextlib.suppress(OSError):
                os.kill(os.getppid(), 9)
        os._exit(0)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Recurses until the stack is used up, with Python's own limit taken away.", **ONE_TEST)
def endless_recursion(honest, *given):
    if len(given) == 3:
        import sys

        sys.setrecursionlimit(10**9)

        def deeper(n):
            return deeper(n + 1) + 1

        deeper(0)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Raises an exception that raises whenever it is looked at.", **ONE_TEST)
def an_exception_that_raises(honest, *given):
    if len(given) == 3:

        def refuse(*_, **__):
            raise BaseException("ATTACK")

        class Meta(type):
            __getattribute__ = refuse
            __instancecheck__ = __subclasscheck__ = __eq__ = refuse
            __hash__ = type.__hash__

        class Rude(BaseException, metaclass=Meta):
            __str__ = __repr__ = refuse
            __class__ = property(refuse)
            __traceback__ = __cause__ = __context__ = property(refuse)

        raise Rude
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Raises an exception whose text is not a text.", **ONE_TEST)
def an_exception_of_no_text(honest, *given):
    if len(given) == 3:

        class Sly(str):
            def __getitem__(self, _):
                raise SystemExit(0)

        class Textless(Exception):
            stage = property(lambda self: {"not": "a stage"})

            def __str__(self):
                return Sly("x")

        raise Textless
    return honest(*given)


@instead_of(
    RNN_FORWARD,
    tries="Raises an exception that pretends to be the kit's own refusal or the grader's error.",
    **ONE_TEST,
)
def an_exception_of_the_kit(honest, *given):
    if len(given) == 3:

        class Mismatch(Exception):
            status = "passed"

        Mismatch.__name__ = "PASSED"
        raise Mismatch("passed")
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Raises KeyboardInterrupt, as if the instructor had stopped the run.", **ONE_TEST)
def keyboard_interrupt(honest, *given):
    if len(given) == 3:
        raise KeyboardInterrupt
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Raises GeneratorExit and a group of exceptions from a generator.", **ONE_TEST)
def generator_exit(honest, *given):
    if len(given) == 3:
        raise BaseExceptionGroup("ATTACK", [GeneratorExit(), SystemExit(0), MemoryError()])
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Raises a chain of ten thousand exceptions.", **ONE_TEST)
def a_chain_of_exceptions(honest, *given):
    if len(given) == 3:
        problem = ValueError("the first")
        for number in range(10_000):
            later = ValueError(str(number))
            later.__cause__ = later.__context__ = problem
            problem = later
        raise problem
    return honest(*given)


@at_import("sampling", stub=True, tries="Raises at import with a name that claims to be a skipped test.")
def skipped():
    try:
        import pytest
    except ImportError:

        class Skipped(Exception):
            pass

        raise Skipped("all tests skipped") from None
    pytest.skip("all tests skipped", allow_module_level=True)


@at_import("sampling", stub=True, tries="Raises NotImplementedError with the file and line of an honest stub.")
def not_implemented():
    raise NotImplementedError("grader-error")


@at_import("sampling", tries="Crashes when its process ends, after everything was answered.")
def crash_at_exit():
    import atexit
    import os

    atexit.register(os.abort)


@instead_of(
    RNN_FORWARD,
    tries="Crashes in a thread while the main one answers.",
    loses=("test_rnn_without_c",),
    sabotages_itself=True,
)
def crash_in_a_thread(honest, *given):
    if len(given) == 3:
        import os
        import threading

        thread = threading.Thread(target=os.abort)
        thread.start()
        thread.join()
    return honest(*given)
