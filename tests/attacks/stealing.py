"""Attacks that look for what would help them: hidden tests, right answers, memory, secrets, others' work."""

from tests.attacks.attack import at_import

ON_SPLIT = {"split": {"loot"}}
AS_ROOT = {"split as root": {"loot"}}  # another user's process would be closed to it


@at_import("sampling", tries="Reads the hidden tests by the path they have on this machine.", gaps=ON_SPLIT)
def hidden_tests_by_path():
    from targets import HIDDEN_TEST, boast

    try:
        found = open(HIDDEN_TEST).read()
    except OSError:
        return
    boast(found)


@at_import("sampling", tries="Reads the oracle, which knows every right answer.", gaps=ON_SPLIT)
def oracle_by_path():
    from targets import ORACLE, boast

    try:
        found = open(ORACLE).read()
    except OSError:
        return
    boast(found)


@at_import("sampling", tries="Imports the oracle, the hidden tests and the solutions as modules.")
def oracle_by_import():
    import importlib

    from targets import boast

    for name in (
        "assignments.sampling.oracle",
        "assignments.sampling.test_hidden",
        "assignments.cells.oracle",
        "assignments.sampling.misconceptions",
        "solutions.sampling",
        "grader.suite.expectation",
        "tests.attacks.targets",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        boast(name)


@at_import("sampling", tries="Walks the folders on the import path for files with telling names.")
def hidden_tests_beside_the_kit():
    import os
    import sys

    from targets import boast

    telling = ("test_hidden.py", "oracle.py", "misconceptions.py")
    for root in sys.path:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in ("torch", "site-packages", "numpy")]
            for name in names:
                if name in telling and "assignments" in folder:
                    boast(os.path.join(folder, name))


@at_import("sampling", tries="Looks through the stack and every live object for expected values and tests.")
def expected_values_in_memory():
    import gc
    import sys

    from targets import boast

    frame = sys._getframe()
    while frame is not None:
        for name in ("right", "expected", "want", "reference", "oracle"):
            if name in frame.f_locals:
                boast(f"{name} in {frame.f_code.co_filename}")
        frame = frame.f_back
    for thing in gc.get_objects():
        name = getattr(type(thing), "__module__", "")
        if isinstance(name, str) and (name.startswith(("grader.suite", "_pytest")) or name.endswith("oracle")):
            boast(name)


@at_import("sampling", tries="Reads the grader's memory through /proc.", gaps=AS_ROOT)
def grader_memory_by_proc():
    import os

    from targets import ADDRESS, GRADER_PID, SIZE, boast

    try:
        memory = os.open(f"/proc/{GRADER_PID}/mem", os.O_RDONLY)
        found = os.pread(memory, SIZE, ADDRESS)
    except OSError:
        return
    boast(found)


@at_import("sampling", tries="Reads the grader's memory by process_vm_readv.", gaps=AS_ROOT)
def grader_memory_by_system_call():
    import ctypes

    from targets import ADDRESS, GRADER_PID, SIZE, boast

    class Piece(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    buffer = ctypes.create_string_buffer(SIZE)
    libc = ctypes.CDLL(None)
    read = libc.process_vm_readv
    read.restype = ctypes.c_ssize_t
    mine, theirs = Piece(ctypes.addressof(buffer), SIZE), Piece(ADDRESS, SIZE)
    if read(GRADER_PID, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) == SIZE:
        boast(buffer.raw)


@at_import("sampling", tries="Reads the grader's environment and command line through /proc.", gaps=ON_SPLIT)
def grader_command_line():
    from targets import GRADER_PID, boast

    for what in ("cmdline", "environ"):
        try:
            found = open(f"/proc/{GRADER_PID}/{what}").read()
        except OSError:
            continue
        boast(f"{what}: {found}")


@at_import("sampling", tries="Looks for tokens and passwords in its own environment.")
def secrets_in_the_environment():
    import os

    from targets import boast

    for name in os.environ:
        if any(word in name.upper() for word in ("TOKEN", "SECRET", "PASSWORD", "KEY", "PYTEST", "CREDENTIAL")):
            boast(f"{name}={os.environ[name]}")


@at_import("sampling", tries="Looks through inherited file descriptors for anything but its own line.")
def inherited_descriptors():
    import os
    import stat

    from targets import boast

    sockets = 0
    for descriptor in range(3, 1024):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        sockets += stat.S_ISSOCK(mode)
        if sockets > 1 or not stat.S_ISSOCK(mode):
            boast(f"descriptor {descriptor} of mode {mode:o}")


@at_import("sampling", tries="Reads a file outside that every user may read.", gaps=ON_SPLIT)
def a_world_readable_file():
    from targets import OUTSIDE, boast

    try:
        found = open(f"{OUTSIDE}/secret.txt").read()
    except OSError:
        return
    boast(found)


@at_import("sampling", tries="Reaches for a file outside through a link of its own.", gaps=ON_SPLIT)
def a_file_behind_a_link():
    import os

    from targets import OUTSIDE, boast

    try:
        os.symlink(f"{OUTSIDE}/secret.txt", "notes.txt")
        found = open("notes.txt").read()
    except OSError:
        return
    boast(found)


@at_import("sampling", tries="Reads the list of users and the machine's keys.", gaps=ON_SPLIT)
def system_files():
    from targets import boast

    for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.bashrc", "/proc/1/environ", "/proc/kcore"):
        try:
            found = open(path, "rb").read(200)
        except OSError:
            continue
        boast(f"{path}: {found!r}")


@at_import("sampling", tries="Lists the machine's processes with their command lines.", gaps=ON_SPLIT)
def other_processes():
    import os

    from targets import boast

    mine = os.getpid()
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return
    for number in numbers:
        try:
            said = open(f"/proc/{number}/cmdline", "rb").read()
        except OSError:
            continue
        if number != mine and said and b"zygote" not in said:
            boast(said)


@at_import(
    "sampling",
    tries="Looks below the folder for temporary files for what the student before handed in.",
    setting="after another",
)
def the_submission_before():
    import os
    import tempfile

    from targets import boast

    for folder, _, names in os.walk(os.environ.get("TMPDIR", tempfile.gettempdir())):
        for name in names:
            path = os.path.join(folder, name)
            try:
                found = open(path, "rb").read(2**16) if name.endswith(".py") else b""
            except OSError:
                continue
            if b"token-" in found[:100]:
                boast(found[:100])


@at_import("sampling", tries="Asks the process it was forked from for its memory.", setting="alone", gaps=AS_ROOT)
def the_parent_memory():
    import os

    from targets import boast

    parent = os.getppid()
    try:
        line = next(line for line in open(f"/proc/{parent}/maps") if "[heap]" in line)
        memory = os.open(f"/proc/{parent}/mem", os.O_RDONLY)
        found = os.pread(memory, 64, int(line.split("-")[0], 16))
    except (OSError, StopIteration):
        return
    boast(found)


@at_import("sampling", tries="Looks for test names and seeds among the arguments of its own process.")
def its_own_arguments():
    import sys

    from targets import boast

    said = " ".join([*sys.argv, *sys.orig_argv])
    if "test_" in said or "seed" in said or "hidden" in said:
        boast(said)
