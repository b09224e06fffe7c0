"""One probe's call in a line that a student can follow: tensors as their shapes, everything else as it is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import torch

from grader.messages import quote

ARGUMENT_LIMIT = 200
CALL_LIMIT = 420
TENSORS_LISTED = 4
LIST_LIMIT = 24  # of characters; a longer one is told by its length


def describe_call(probe: Any, inputs: Mapping[str, Any]) -> str:
    """`steps(name='LSTMCellFromScratch', x (4, 2, 5), …): step the cell over x`.

    What stands behind the colon is the first sentence of the probe's docstring.
    """
    shown = ", ".join(_argument(name, value) for name, value in inputs.items() if value is not None)
    words = (inspect.getdoc(probe) or "").split("\n\n")[0]
    first = re.split(r"(?<=[\w`)])[.:;](?:\s|$)", " ".join(words.split()), maxsplit=1)[0]
    call = f"{probe.__name__}({shown})"
    if len(call) > CALL_LIMIT:
        call = call[: CALL_LIMIT - 2] + "…)"
    return quote(f"{call}: {first[:1].lower()}{first[1:]}" if first else call, CALL_LIMIT * 2)


def _argument(name: str, value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{name} {_tensor(value)}"
    shown = _shown(value)
    return f"{name}={shown if len(shown) <= ARGUMENT_LIMIT else shown[: ARGUMENT_LIMIT - 1] + '…'}"


def _tensor(value: torch.Tensor) -> str:
    kind = str(value.dtype).removeprefix("torch.")
    return f"{tuple(value.shape)}" + ("" if kind == "float32" else f" {kind}")


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, Mapping):
        if len(value) > TENSORS_LISTED and all(isinstance(item, torch.Tensor) for item in value.values()):
            return f"{{{len(value)} tensors}}"
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        shown = "[" + ", ".join(_shown(item) for item in value) + "]"
        return shown if len(shown) <= LIST_LIMIT else f"[{len(value)} items]"
    return f"{value:g}" if isinstance(value, float) else repr(value)
