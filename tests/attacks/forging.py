"""Attacks that say something in the grader's own words: frames, replies, verdicts, objects that run when read."""

from tests.attacks.attack import at_import, instead_of

ONE_TEST = {"loses": ("test_rnn_without_c",)}  # `forward` with two arguments is asked for by this test alone


@at_import(
    "sampling", stub=True, tries="Prints the line that a passed test run ends with, and a report in XML and JSON."
)
def printed_results():
    print("============ 38 passed in 0.12s ============")
    print('<testsuite tests="38" failures="0" errors="0"/>')
    print('{"score": 100.0, "tests": [{"status": "passed"}]}')


@at_import("sampling", stub=True, tries="Leaves the process with status 0 before anything is tested.")
def exit_zero():
    raise SystemExit(0)


@at_import("sampling", stub=True, tries="Leaves by the back door with status 0, when it is imported.")
def hard_exit_zero():
    import os

    os._exit(0)


@at_import("sampling", stub=True, tries="Has the process leave with status 0 when it ends, whatever happened.")
def exit_zero_at_exit():
    import atexit
    import os

    atexit.register(os._exit, 0)


@at_import(
    "sampling",
    stub=True,
    tries="Writes a report of full marks to every place where one might be looked for.",
    gaps={"split": {"files"}},
)
def reports_everywhere():
    import contextlib

    from targets import OUTSIDE

    for path in ("results.json", "report.xml", "../results.json", f"{OUTSIDE}/results.json"):
        with contextlib.suppress(OSError):
            open(path, "w").write('{"score": 100.0, "tests": []}')


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Answers a probe itself, on the grader's line, with a verdict.",
    **ONE_TEST,
)
def a_verdict_in_a_frame(honest, *given):
    if len(given) == 3:
        import os
        import stat

        from grader.wire.frames import PREFIX

        head = b'{"id": 1, "status": "passed", "score": 100.0, "reply": {"dict": [["passed", true]]}}'
        for descriptor in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    os.write(descriptor, PREFIX.pack(len(head), 0) + head)
            except OSError:
                continue
    return honest(*given)


@instead_of("cells.RNNCellFromScratch.forward", tries="Announces a frame of many gigabytes.", **ONE_TEST)
def a_frame_of_gigabytes(honest, *given):
    if len(given) == 3:
        import os
        import stat
        import struct

        for descriptor in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    os.write(descriptor, struct.pack(">IQ", 2**32 - 1, 2**63))
            except OSError:
                continue
    return honest(*given)


@instead_of(
    "cells.RNNCellFromScratch.forward", tries="Writes bytes on the grader's line that are no frame.", **ONE_TEST
)
def noise_on_the_line(honest, *given):
    if len(given) == 3:
        import os
        import stat

        for descriptor in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    os.write(descriptor, os.urandom(4096))
            except OSError:
                continue
    return honest(*given)


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Announces a frame and never sends the rest of it.",
    hangs=True,
    **ONE_TEST,
)
def half_a_frame(honest, *given):
    if len(given) == 3:
        import os
        import stat
        import struct
        import time

        for descriptor in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    os.write(descriptor, struct.pack(">IQ", 1000, 0) + b"{")
            except OSError:
                continue
        time.sleep(3600)
    return honest(*given)


@instead_of("cells.RNNCellFromScratch.forward", tries="Closes the grader's line and goes on.", **ONE_TEST)
def a_closed_line(honest, *given):
    if len(given) == 3:
        import os

        os.closerange(3, 256)
    return honest(*given)


@instead_of("cells.RNNCellFromScratch.forward", tries="Sends replies for all probes to come ahead of time.", **ONE_TEST)
def replies_ahead_of_time(honest, *given):
    if len(given) == 3:
        import os
        import stat

        from grader.wire.frames import PREFIX

        frames = b""
        for number in range(1, 60):
            head = b'{"id": %d, "reply": {"dict": []}}' % number
            frames += PREFIX.pack(len(head), 0) + head
        for descriptor in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    os.write(descriptor, frames)
            except OSError:
                continue
    return honest(*given)


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Sends the grader a descriptor and file of its own along with a reply.",
    **ONE_TEST,
)
def a_descriptor_for_the_grader(honest, *given):
    if len(given) == 3:
        import array
        import os
        import socket
        import stat

        for descriptor in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    line = socket.socket(fileno=os.dup(descriptor))
                    gift = array.array("i", [os.open("/dev/null", os.O_RDONLY)] * 8)
                    line.sendmsg([b"\0" * 12], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, gift)])
            except OSError:
                continue
    return honest(*given)


@at_import(
    "sampling",
    tries="Answers the grader's greeting itself while it is imported, and pretends to be another session.",
    sabotages_itself=True,
)
def a_greeting_of_its_own():
    import os
    import stat

    from grader.wire.frames import PREFIX

    head = b'{"ready": true, "observed": {"read-secrets": "held"}, "status": 0}'
    for descriptor in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, PREFIX.pack(len(head), 0) + head)
        except OSError:
            continue


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Returns an object whose pickle runs a command when it is read.",
    **ONE_TEST,
)
def a_pickle_that_runs(honest, *given):
    if len(given) == 3:
        import os

        from targets import OUTSIDE

        class Bomb:
            def __reduce__(self):
                return os.system, (f"touch {OUTSIDE}/pickled",)

        return Bomb(), Bomb()
    return honest(*given)


@instead_of("cells.RNNCellFromScratch.forward", tries="Returns an object that equals everything.", **ONE_TEST)
def an_object_that_equals_everything(honest, *given):
    if len(given) == 3:

        class Anything:
            dtype = shape = device = property(lambda self: self)

            def __eq__(self, other):
                return True

            __ne__ = __lt__ = __le__ = lambda self, other: False

            def __bool__(self):
                return True

            def __array__(self, *_, **__):
                import numpy

                return numpy.zeros(0)

            def __getattr__(self, name):
                return lambda *_, **__: True

            __hash__ = None

        return Anything(), Anything()
    return honest(*given)


@instead_of(
    "cells.RNNCellFromScratch.forward",
    spoils=("RNNCellFromScratch",),
    keeps=("test_rnn_parameters",),
    tries="Returns a tensor subclass that answers every comparison with yes.",
)
def a_tensor_that_lies(honest, *given):
    import torch

    class Liar(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            if getattr(function, "__name__", "") in ("allclose", "equal", "isclose", "eq", "__eq__"):
                return True
            return super().__torch_function__(function, types, args, kwargs or {})

    h, c = honest(*given)
    return (h + 1).as_subclass(Liar), (c + 1).as_subclass(Liar)


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Returns a tensor subclass that encodes itself as something else.",
    **ONE_TEST,
)
def a_tensor_that_encodes_itself(honest, *given):
    h, c = honest(*given)
    if len(given) == 3:
        import torch

        class Shifty(torch.Tensor):
            def detach(self):
                return {"tensor": "0"}

            to = contiguous = clone = numpy = detach

        return h.as_subclass(Shifty), c.as_subclass(Shifty)
    return h, c


@instead_of(
    "batching.decode", tries="Returns a str subclass that compares as it likes.", loses=("test_decode_a_tensor",)
)
def a_string_that_lies(honest, indices, table):
    class Liar(str):
        def __eq__(self, other):
            return True

        def __ne__(self, other):
            return False

        __hash__ = str.__hash__

    text = honest(indices, table)
    return Liar("wrong") if text == "fox e" else text


@instead_of(
    "batching.encode",
    spoils=("encode",),
    sabotages_itself=True,
    tries="Returns tensors whose shapes would broadcast against any answer.",
)
def shapes_that_broadcast(honest, text, char_to_idx):
    import torch

    honest(text, char_to_idx)
    return torch.zeros(0, 1, dtype=torch.long) if len(text) % 2 else torch.zeros((), dtype=torch.long)


@instead_of(
    "cells.RNNCellFromScratch.forward",
    spoils=("RNNCellFromScratch",),
    keeps=("test_rnn_parameters",),
    tries="Answers with NaN, which some comparisons take for equal or pass over.",
)
def nothing_but_nan(honest, *given):
    h, c = honest(*given)
    return h * float("nan"), c * float("nan")


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Returns tensors that can't be copied: sparse, meta, quantised, on no device.",
    **ONE_TEST,
)
def tensors_without_data(honest, *given):
    h, c = honest(*given)
    if len(given) == 3:
        import torch

        return torch.empty(h.shape, device="meta"), c.to_sparse()
    return h, c


@instead_of(
    "cells.RNNCellFromScratch.forward", tries="Returns a value nested deeper than any parser likes.", **ONE_TEST
)
def a_deep_reply(honest, *given):
    if len(given) == 3:
        deep = []
        for _ in range(100_000):
            deep = [deep]
        return deep, {"again": deep}
    return honest(*given)


@instead_of("cells.RNNCellFromScratch.forward", tries="Returns a value that contains itself.", **ONE_TEST)
def a_reply_of_itself(honest, *given):
    if len(given) == 3:
        loop = []
        loop.append(loop)
        return loop, {0: loop}
    return honest(*given)


@instead_of("cells.RNNCellFromScratch.forward", tries="Returns more numbers than a frame may hold.", **ONE_TEST)
def a_reply_too_large(honest, *given):
    if len(given) == 3:
        import torch

        return torch.zeros(1, 2**25), torch.zeros(1, 2**25)
    return honest(*given)


@instead_of(
    "cells.RNNCellFromScratch.forward",
    tries="Returns integers of a million digits, lone surrogates and dictionaries with odd keys.",
    **ONE_TEST,
)
def odd_values(honest, *given):
    if len(given) == 3:
        return 10**10_000, {"\ud800": {float("nan"): float("inf"), (): "\0\x1b"}, frozenset(): 1}
    return honest(*given)


@instead_of(
    "cells.RNNCellFromScratch.forward", tries="Returns objects whose attributes, class and length raise.", **ONE_TEST
)
def an_object_that_raises(honest, *given):
    if len(given) == 3:

        def refuse(*_, **__):
            raise RuntimeError("ATTACK")

        class Rude:
            __class__ = property(refuse)
            __len__ = __iter__ = __getitem__ = __bool__ = __str__ = __repr__ = __getattr__ = __index__ = refuse

        return Rude(), Rude()
    return honest(*given)
