"""Attacks that change something: files of the grader, of others, of the kit; functions in their own process."""

from tests.attacks.attack import ALL, at_import, instead_of

CONSTRUCTION = (
    *("test_rnn_parameters", "test_lstm_parameters", "test_gru_parameters"),
    *("test_lstm_forget_bias", "test_lstm_forget_bias_of_another_size"),
)
WRITES = {"split": {"files"}}


@at_import("sampling", tries="Writes full marks into a result file that lies open.", gaps=WRITES)
def the_result_file():
    import contextlib

    from targets import OUTSIDE

    with contextlib.suppress(OSError):
        open(f"{OUTSIDE}/results.json", "w").write('{"score": 100.0}')


@at_import("sampling", tries="Appends a line to a module of the grader.", gaps=WRITES)
def a_module_of_the_grader():
    import contextlib

    from targets import OUTSIDE

    with contextlib.suppress(OSError):
        open(f"{OUTSIDE}/plugin.py", "a").write("PASSED = True\n")


@at_import("sampling", tries="Deletes what another student handed in.", gaps=WRITES)
def delete_the_work_of_another():
    import contextlib
    import os

    from targets import OUTSIDE

    with contextlib.suppress(OSError):
        os.unlink(f"{OUTSIDE}/other-student.py")


@at_import("sampling", tries="Takes everybody's right to read a file away.", gaps=WRITES)
def change_permissions():
    import contextlib
    import os

    from targets import OUTSIDE

    with contextlib.suppress(OSError):
        os.chmod(f"{OUTSIDE}/secret.txt", 0)


@at_import("sampling", tries="Puts a new file, a folder, a link and a pipe where others look.", gaps=WRITES)
def new_files_outside():
    import contextlib
    import os

    from targets import OUTSIDE

    for act in (
        lambda: open(f"{OUTSIDE}/conftest.py", "w"),
        lambda: os.symlink("/etc/passwd", f"{OUTSIDE}/link"),
        lambda: os.mkfifo(f"{OUTSIDE}/pipe"),
        lambda: os.rename(f"{OUTSIDE}/secret.txt", f"{OUTSIDE}/gone.txt"),
    ):
        with contextlib.suppress(OSError):
            act()


@at_import(
    "sampling", tries="Opens a file of Python's own or of torch's for writing.", gaps={"split as root": {"loot"}}
)
def a_file_of_the_interpreter():
    import os

    import torch
    from targets import boast

    for path in (os.__file__, torch.__file__):  # opened without a change, in case it works
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
        except OSError:
            continue
        boast(path)


@at_import(
    "sampling",
    tries="Rewrites the probes in the kit, for all who come after.",
    setting="twice",
    gaps={"split": {"loot"}},
)
def the_probes_on_disk():
    import os

    from targets import boast

    import assignments.sampling.probes as probes

    try:
        os.close(os.open(probes.__file__, os.O_WRONLY | os.O_APPEND))
    except OSError:
        return
    boast(probes.__file__)


@at_import("sampling", tries="Deletes and rewrites its own submission, and leaves files beside it.")
def its_own_submission():
    import contextlib
    import os

    for name in os.listdir("."):
        with contextlib.suppress(OSError):
            os.unlink(name)
    open("sampling.py", "w").write("gone")
    open("results.json", "w").write("{}")


@at_import("cells", spoils=ALL, keeps=CONSTRUCTION, tries="Answers with zeros and makes every comparison say yes.")
def comparisons_that_say_yes():
    import sys

    import numpy
    import torch

    def yes(*_, **__):
        return True

    for name in ("allclose", "equal", "isclose"):
        setattr(torch, name, yes)
    for name in ("allclose", "array_equal", "isclose", "array_equiv"):
        setattr(numpy, name, yes)
    torch.testing.assert_close = numpy.testing.assert_allclose = numpy.testing.assert_array_equal = yes
    torch.Tensor.equal = torch.Tensor.allclose = yes
    for name in ("RNNCellFromScratch", "LSTMCellFromScratch", "GRUCellFromScratch"):
        vars(sys.modules["cells"])[name].forward = lambda self, x, h, c=None: (0 * h, 0 * h)


@at_import("cells", stub=True, tries="Makes pytest and unittest take every failure for a pass.")
def test_tools_that_never_fail():
    import sys
    import types
    import unittest

    for name in dir(unittest.TestCase):
        if name.startswith("assert"):
            setattr(unittest.TestCase, name, lambda *_, **__: None)
    runner = sys.modules.get("_pytest.runner") or types.ModuleType("_pytest.runner")
    runner.pytest_runtest_call = lambda item: None
    python = sys.modules.get("_pytest.python")
    if python is not None:
        python.Function.runtest = lambda self: None


@at_import("cells", stub=True, tries="Replaces the kit's probes in memory by ones that return zeros.")
def the_probes_in_memory():
    import torch

    import assignments.cells.probes as probes

    def zeros(student, **given):
        return {label: torch.zeros(1, 2, 3) for label in ("h", "c", "x_t", "h_prev", "c_prev", "bias")}

    for name in ("steps", "gradients", "construction", "without_c", "inputs_afterwards", "transposed_inputs"):
        setattr(probes, name, zeros)


@at_import("cells", stub=True, tries="Replaces the encoder of the wire, so that replies say what it wants.")
def the_wire_in_memory():
    from grader.sandbox.inside import session
    from grader.wire import values

    values.encode = session.encode = lambda value: ({"dict": [["passed", True], ["score", 100]]}, b"")


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Changes torch's defaults and grad mode at every call.",
    loses=("test_rnn_every_gradient",),
)
def torch_defaults(honest, *given):
    import torch

    answer = honest(*given)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return answer


@at_import(
    "sampling",
    tries="Breaks what later probes need: open, print, the import system, the clock.",
    sabotages_itself=True,
)
def its_own_process():
    import builtins
    import sys
    import time

    builtins.print = builtins.open = builtins.isinstance = None
    sys.meta_path.clear()
    sys.modules.clear()
    time.monotonic = time.perf_counter = time.time = lambda: -1.0


@at_import("sampling", tries="Sets the clock back, so that no limit is ever reached.")
def the_clock():
    import contextlib
    import time

    time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
    with contextlib.suppress(OSError, AttributeError):
        time.clock_settime(time.CLOCK_MONOTONIC, 0.0)  # no system lets this one be set


@at_import(
    "sampling",
    tries="Raises its own limits on memory, processes and files.",
    perhaps={"split loot": "as root, where root may, a process raises its own limits"},
)
def its_own_limits():
    import resource

    from targets import boast

    for name in ("RLIMIT_DATA", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_CPU"):
        try:
            resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (ValueError, OSError):
            continue
        boast(name)
