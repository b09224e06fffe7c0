"""Where an assignment asks for a cell from scratch, the library's recurrent kernels refuse to run.

The refusal sits in torch's dispatcher, below every alias, import trick and thread: `nn.LSTM`,
`torch._VF.lstm` and `torch.ops.aten.lstm` all end there.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

OPERATORS = (
    "lstm.input",
    "lstm.data",
    "gru.input",
    "gru.data",
    "rnn_tanh.input",
    "rnn_tanh.data",
    "rnn_relu.input",
    "rnn_relu.data",
    "lstm_cell",
    "gru_cell",
    "rnn_tanh_cell",
    "rnn_relu_cell",
    "quantized_lstm.input",
    "quantized_lstm.data",
    "quantized_gru.input",
    "quantized_gru.data",
    "quantized_lstm_cell",
    "quantized_gru_cell",
    "quantized_rnn_tanh_cell",
    "quantized_rnn_relu_cell",
    "mkldnn_rnn_layer",
    "_thnn_fused_lstm_cell",
    "_thnn_fused_gru_cell",
    "_cudnn_rnn",
    "miopen_rnn",
    "_lstm_mps",
)
TWINS = ("torch.ao.nn.quantizable.modules.rnn",)  # the same cells written in Python, no kernel to refuse
DECOMPOSITIONS = "torch._decomp.decompositions"  # written in Python too, a function each
KEYS = ("CPU", "CUDA", "AutogradCPU", "AutogradCUDA", "CompositeImplicitAutograd")


_refused: list[Callable[[], Any]] = []  # how to take back each thing that is overridden now
_calls: list[None] = []  # one for each refusal, from whichever thread


class LibraryCellRefused(RuntimeError):
    """A library recurrent kernel was called where the assignment asks for one's own."""


def refuse() -> None:
    """Override the recurrent kernels in this process and its forks; they raise LibraryCellRefused from now on."""
    import torch

    if _refused:
        return
    undo = _refused.append
    library = torch.library.Library("aten", "IMPL")
    undo(library._destroy)
    with warnings.catch_warnings():  # that kernels are overridden is the point
        warnings.simplefilter("ignore")
        for operator in overridable():
            for key in KEYS:
                library.impl(operator, _refuse, key)
    refused = {f"aten::{operator.split('.')[0]}" for operator in OPERATORS}
    decompose = torch._ops.OpOverload.decompose

    def guarded(self: Any, *arguments: Any, **named: Any) -> Any:
        return _refuse() if self._schema.name in refused else decompose(self, *arguments, **named)

    setattr(torch._ops.OpOverload, "decompose", guarded)  # noqa: B010 - a way past the dispatcher
    undo(functools.partial(setattr, torch._ops.OpOverload, "decompose", decompose))
    for twin in TWINS:
        if twin not in sys.modules:
            sys.modules[twin] = None  # type: ignore[assignment] # importing it fails from now on
            undo(functools.partial(sys.modules.pop, twin))
            continue
        for kind in vars(sys.modules[twin]).values():
            if isinstance(kind, type) and issubclass(kind, torch.nn.Module) and kind.__module__ == twin:
                undo(functools.partial(setattr, kind, "forward", kind.forward))
                setattr(kind, "forward", _refuse)  # noqa: B010
    decompositions = vars(sys.modules.get(DECOMPOSITIONS, sys))
    for name in [name for name in decompositions if any(cell in name for cell in ("lstm", "gru", "rnn"))]:
        undo(functools.partial(decompositions.__setitem__, name, decompositions[name]))
        decompositions[name] = _refuse


def allow() -> None:
    """Take all of that back."""
    while _refused:
        _refused.pop()()


def forget() -> None:
    """Put the way back out of easy reach, before a student's code comes.

    The overrides last as long as the library object, which is leaked. Code that digs for it in its own
    process can still undo this; the source scan and people are the other two guards.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_refused[:]))
    _refused.clear()


@functools.cache
def overridable() -> tuple[str, ...]:
    """Those of OPERATORS that this torch has; asked once by the zygote, for it takes milliseconds."""
    import torch

    schemas = torch._C._jit_get_all_schemas()
    known = {schema.name + "." * bool(schema.overload_name) + schema.overload_name for schema in schemas}
    return tuple(operator for operator in OPERATORS if f"aten::{operator}" in known)


def refusals() -> int:
    """How often a cell has been refused in this process; the code that called it may have gone on without a word."""
    return len(_calls)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    _calls.append(None)
    raise LibraryCellRefused("a library recurrent cell was called")
