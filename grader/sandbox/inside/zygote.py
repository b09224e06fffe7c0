"""The sandbox's first process: it imports torch once and forks a compartment for each submission.

It never imports a student's code, holds no expected value, and talks only to the trusted process,
over the socket whose number is its first argument; the second says on which rung it stands and, on
`landlock`, what to give up before anything else is done. A compartment talks over a socket of its own,
which the trusted process made and sends along with the request.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any


def main() -> None:
    """Say hello, then answer requests until the trusted process hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    rung = json.loads(sys.argv[2])
    del sys.argv[1:]  # they differ from one run to the next, and a student's code may show them
    fork = os.fork

    from grader.sandbox.inside import compartment, confine, forks, gpu, namespaces
    from grader.wire import read_frame, receive_exactly, write_frame

    if rung["name"] == "namespaced" and "processes" not in rung["without"]:
        home = namespaces.leave_first_process()
        fork = lambda: namespaces.fork_apart(home)  # noqa: E731
    elif rung["name"] == "landlock":
        confine.confine(rung)
    try:
        order, _ = read_frame(lambda count: receive_exactly(control, count))
    except EOFError:  # the trusted process changed its mind
        return
    _warm_up(order["warm"], order["assignments"], order["gpu"])
    write_frame(control, {"ready": True, "touched": gpu.touched()})
    forks.protect()
    forks.serve(
        control,
        lambda request, descriptors: compartment.run(
            {**rung, "scratch": request["scratch"]}, socket.socket(fileno=descriptors[0])
        ),
        fork,
    )


def _warm_up(needs: Any, assignments: Any, on_gpu: bool) -> None:
    """Import what sessions will need and run each kind of operation once, so that a fork is ready.

    Where sessions will use a GPU nothing runs backward and no optimiser steps: both ask CUDA for its devices,
    and a process forked after that can't use any.
    """
    import torch

    from grader.sandbox.inside import library_cells, session
    from grader.wire.values import decode, encode

    for name in assignments:
        importlib.import_module(f"assignments.{name}.probes")
    session.reset(0)
    weight = torch.ones(2, 2, requires_grad=True)
    step = torch.nn.Linear(2, 2)(weight).tanh() * weight.sigmoid()
    loss = torch.nn.functional.cross_entropy(
        torch.stack([step, weight]).flatten(0, 1), torch.zeros(4, dtype=torch.long)
    )
    if not on_gpu:
        loss.backward()
    torch.multinomial(step.detach().softmax(dim=1), 1)[0].item()
    torch.nn.functional.log_softmax(step, dim=1).topk(1)
    decode(*encode({"step": step, "double": step.double(), "long": torch.arange(2)}))
    if "optimizer" in needs and not on_gpu:  # the first optimiser step imports torch._dynamo, a second or more
        torch.optim.Adam([weight]).step()
    if "recurrent" in needs:  # the library's layers set up their kernels at the first call, 30 ms
        for layer in (torch.nn.RNN(2, 2), torch.nn.LSTM(2, 2), torch.nn.GRU(2, 2)):
            outputs = layer(torch.ones(2, 2, 2))[0]
            if not on_gpu:
                outputs.sum().backward()
    library_cells.refuse()  # a compartment takes it back where an assignment may use them
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the trusted process's to handle
    main()
