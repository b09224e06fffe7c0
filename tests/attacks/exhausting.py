"""Attacks that use things up: time, memory, disk, processes, descriptors, output. All of them stop by themselves."""

from tests.attacks.attack import at_import, instead_of

ESCAPES = "without namespaces, a daemon that has shed its environment may escape the search for it"
RNN_FORWARD = "cells.RNNCellFromScratch.forward"
ONE_TEST = {"loses": ("test_rnn_without_c",)}  # `forward` with two arguments is asked for by this test alone


@instead_of(RNN_FORWARD, tries="Prints many megabytes to both of its outputs.")
def a_flood_of_output(honest, *given):
    if len(given) == 3:
        import os

        for _ in range(64):
            os.write(1, b"ATTACK all tests passed\n" * 10_000)
            os.write(2, b"\xff\xfe\x1b[2J" * 10_000)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Allocates more memory than there is, in one piece.", **ONE_TEST)
def memory_in_one_piece(honest, *given):
    if len(given) == 3:
        import torch

        torch.zeros(2**40)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Allocates memory until there is none, piece by piece.", **ONE_TEST)
def memory_piece_by_piece(honest, *given):
    if len(given) == 3:
        hoard = []
        for _ in range(2**13):
            hoard.append(bytearray(2**20))
    return honest(*given)


@instead_of(
    RNN_FORWARD,
    tries="Fills 1.5 GiB of shared memory, which the limit on a process's data does not count.",
    harmless=False,
    **ONE_TEST,
)
def shared_memory(honest, *given):
    if len(given) == 3:
        import mmap

        from targets import boast

        hoard = []
        for _ in range(6):
            hoard.append(mmap.mmap(-1, 2**28))
            hoard[-1][:: mmap.PAGESIZE] = bytes(2**28 // mmap.PAGESIZE)
        boast("1.5 GiB where 1 GiB is the limit")
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Loops for ever.", harmless=False, **ONE_TEST)
def endless_loop(honest, *given):
    while len(given) == 3:
        pass
    return honest(*given)


@instead_of(
    RNN_FORWARD, tries="Sleeps for ever, with every signal ignored that can be.", hangs=True, harmless=False, **ONE_TEST
)
def endless_sleep(honest, *given):
    if len(given) == 3:
        import contextlib
        import signal
        import time

        for number in signal.valid_signals():
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        time.sleep(3600)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Loops in C, where no Python signal handler gets a turn.", harmless=False, **ONE_TEST)
def endless_loop_in_c(honest, *given):
    if len(given) == 3:
        import re

        re.match(r"(a*)*(a*)*(a*)*b", "a" * 64)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Forks up to 300 children, which wait.", gaps={"split": {"loot"}}, **ONE_TEST)
def processes(honest, *given):
    if len(given) == 3:
        import os
        import signal

        from targets import boast

        children = []
        try:
            for _ in range(300):
                child = os.fork()
                if child == 0:
                    signal.pause()
                    os._exit(0)
                children.append(child)
        except OSError:
            return None, None
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
        boast(f"{len(children)} processes")
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Starts up to 300 threads, which wait.", **ONE_TEST)
def threads(honest, *given):
    if len(given) == 3:
        import threading

        from targets import boast

        gate = threading.Event()
        try:
            for _ in range(300):
                threading.Thread(target=gate.wait, daemon=True).start()
        except RuntimeError:
            gate.set()
            return None, None
        gate.set()
        boast("300 threads")
    return honest(*given)


@at_import("sampling", tries="Opens files until there are no descriptors left.")
def descriptors():
    import contextlib
    import os

    with contextlib.suppress(OSError):
        for _ in range(100_000):
            os.open("/dev/null", os.O_RDONLY)
    os.closerange(128, 100_000)


@at_import("sampling", tries="Writes a file of up to 256 MiB.")
def one_large_file():
    import signal

    from targets import boast

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with open("large", "wb", buffering=0) as file:
            for _ in range(256):
                file.write(bytes(2**20))
    except OSError:
        open("large", "wb").close()
        return
    open("large", "wb").close()
    boast("256 MiB in one file")


@at_import(
    "sampling",
    tries="Writes many files, up to 128 MiB together, each within the limit on one.",
    gaps={"split": {"loot"}, "landlock": {"loot"}},
)
def many_files():
    import os

    from targets import boast

    wrote = 0
    try:
        for number in range(16):
            with open(f"part-{number}", "wb", buffering=0) as file:
                wrote += sum(file.write(bytes(2**20)) for _ in range(8))
    except OSError:
        wrote = 0
    for number in range(16):
        if os.path.exists(f"part-{number}"):
            os.unlink(f"part-{number}")
    if wrote == 128 * 2**20:
        boast("128 MiB in 16 files")


@at_import("sampling", tries="Makes ten thousand empty files and folders.")
def many_names():
    import contextlib
    import os

    with contextlib.suppress(OSError):
        for number in range(5_000):
            open(f"empty-{number}", "w").close()
            os.mkdir(f"folder-{number}")


@at_import(
    "sampling",
    tries="Leaves a daemon behind: forked twice, in a session of its own.",
    setting="alone",
)
def a_daemon():
    import os

    from targets import MARKER

    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sh", ["/bin/sh", "-c", f": {MARKER}; sleep 300"])
        os._exit(0)


@at_import(
    "sampling",
    tries="Leaves a daemon behind that has shed its environment.",
    perhaps={"split left": ESCAPES},
    setting="alone",
)
def a_daemon_without_marks():
    import os

    from targets import MARKER

    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve("/bin/sh", ["/bin/sh", "-c", f": {MARKER}; sleep 60"], {})
        os._exit(0)


@at_import(
    "sampling",
    tries="Leaves a daemon behind that holds the grader's line and both outputs open.",
    setting="alone",
    sabotages_itself=True,
)
def a_daemon_on_the_line():
    import os
    import time

    if os.fork() == 0:
        os.setsid()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(1)
        os._exit(0)


@at_import(
    "sampling",
    tries="Keeps threads that compute in the background at every probe.",
    setting="alone",
)
def a_busy_thread():
    import threading

    end = threading.Event()

    def burn():
        for _ in range(50):
            end.wait(0.001)

    for _ in range(8):
        threading.Thread(target=burn, daemon=True).start()


@instead_of(RNN_FORWARD, tries="Returns a generator that never ends.", **ONE_TEST)
def an_endless_generator(honest, *given):
    if len(given) == 3:
        import itertools

        return itertools.count(), itertools.repeat(0)
    return honest(*given)


@instead_of(
    "batching.create_batches", spoils=("create_batches",), sabotages_itself=True, tries="Yields batches without end."
)
def endless_batches(honest, data, batch_size, seq_len):
    import torch

    while True:
        yield torch.zeros(batch_size, seq_len), torch.zeros(batch_size, seq_len)


@at_import(
    "sampling",
    tries="Starts two threads, honestly, after the failures of others have left their processes unburied.",
    setting="after failures",
)
def threads_after_failures():
    import threading

    for _ in range(2):
        threading.Thread(target=len, args=("",)).start()
