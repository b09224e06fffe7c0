"""The sandbox's first process: it imports torch once and forks a session whenever it is told to.

It never imports a student's code, holds no expected value, and talks only to the trusted process,
over the socket whose number is its first argument; the second, if there is one, says what to give up
before anything else is done (the rung `landlock`). A session is its fork and talks over a socket of
its own, which the trusted process made and sends along with the request.
"""

from __future__ import annotations

import array
import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

REAP_PATIENCE_S = 2.0
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Say hello, then answer requests until the trusted process hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    confinement = json.loads(sys.argv[2]) if len(sys.argv) > 2 else None
    kit = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    sys.path.insert(0, kit)

    if confinement is not None:
        from grader.sandbox.inside import confine

        confine.confine(confinement["read"], confinement["write"], confinement["uid"])
    from grader.sandbox.inside import canary
    from grader.wire import read_frame, receive_exactly, write_frame

    def receive(count: int) -> bytes:
        return receive_exactly(control, count)

    try:
        order, _ = read_frame(receive)
    except EOFError:  # the trusted process changed its mind
        return
    _warm_up(order.get("warm", ()), order.get("assignments", ()))
    write_frame(control, {"observed": canary.observe(order["acts"])})
    protect()
    children: dict[int, int] = {}
    while True:
        try:
            request, _ = read_frame(receive)
        except EOFError:
            return
        if "fork" in request:
            descriptors = _receive_descriptors(control, 2)
            pid = os.fork()
            if pid == 0:
                control.close()
                if confinement is not None:
                    confine.forbid_signals()
                _become_session(descriptors, request)
            for descriptor in descriptors:
                os.close(descriptor)
            children[request["fork"]] = pid
        elif "ended" in request:
            write_frame(control, {"status": _reap(children.pop(request["ended"], None))})


def protect() -> None:
    """Keep sessions, which have the same uid, out of this process's memory, and adopt what they abandon."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _warm_up(needs: Any, assignments: Any) -> None:
    """Import what sessions will need and run each kind of operation once, so that a fork is ready."""
    import torch

    from grader.sandbox.inside import library_cells, session
    from grader.wire.values import decode, encode

    library_cells.overridable()
    for name in assignments:
        importlib.import_module(f"assignments.{name}.probes")
    session.reset(0)
    weight = torch.ones(2, 2, requires_grad=True)
    step = torch.nn.Linear(2, 2)(weight).tanh() * weight.sigmoid()
    loss = torch.nn.functional.cross_entropy(
        torch.stack([step, weight]).flatten(0, 1), torch.zeros(4, dtype=torch.long)
    )
    loss.backward()
    torch.multinomial(step.detach().softmax(dim=1), 1)[0].item()
    torch.nn.functional.log_softmax(step, dim=1).topk(1)
    decode(*encode({"step": step, "double": step.double(), "long": torch.arange(2)}))
    if "optimizer" in needs:  # the first optimiser step imports torch._dynamo, a second or more
        torch.optim.Adam([weight]).step()
    if "recurrent" in needs:  # the library's layers set up their kernels at the first call, 30 ms
        for layer in (torch.nn.RNN(2, 2), torch.nn.LSTM(2, 2), torch.nn.GRU(2, 2)):
            layer(torch.ones(2, 2, 2))[0].sum().backward()
    gc.collect()
    gc.freeze()


def _become_session(descriptors: list[int], request: dict[str, Any]) -> None:
    """Turn this fork into a session process; never returns."""
    status = 1
    try:
        from grader.sandbox.inside import session

        session.serve(socket.socket(fileno=descriptors[0]), descriptors[1], request)
        status = 0
    finally:
        os._exit(status)


def _reap(pid: int | None) -> int | None:
    """Return a session's wait status, or None if it is unknown or still running after a moment."""
    if pid is None:
        return None
    deadline = time.monotonic() + REAP_PATIENCE_S
    while time.monotonic() < deadline:
        try:
            done, status = os.waitpid(-1, os.WNOHANG)  # as process 1 this one buries orphans too
        except ChildProcessError:
            return None
        if done == pid:
            return status
        if not done:
            time.sleep(0.002)
    return None


def _receive_descriptors(control: socket.socket, count: int) -> list[int]:
    """Receive the file descriptors that follow a fork request."""
    size = array.array("i").itemsize * count
    _, ancillary, _, _ = control.recvmsg(1, socket.CMSG_SPACE(size))
    descriptors = array.array("i")
    for _, _, content in ancillary:
        descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    return list(descriptors)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the trusted process's to handle
    main()
