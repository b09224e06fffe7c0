"""`remembered`: what an oracle found for some arguments is kept for the next submission that is asked the same.

Arguments count by their content, never by who they are, so nothing kept can be out of date. What is
handed out is the very object that was kept: whoever changed it would change it for all.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable
from typing import Any, ParamSpec, TypeVar

import torch

KEPT = 1024  # answers of each function; a suite asks for at most a few dozen
PLAIN = frozenset({str, int, float, bool, type(None)})

Asked = ParamSpec("Asked")
Found = TypeVar("Found")


def remembered(oracle: Callable[Asked, Found]) -> Callable[Asked, Found]:
    """Keep what a function without side effects returns, by the content of its arguments.

    They may be tensors and plain values, in dataclasses, lists, tuples and dictionaries.
    """
    kept: dict[Hashable, Found] = {}

    @functools.wraps(oracle)
    def remembering(*args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        key = _content([args, kwargs])
        if key not in kept:
            if len(kept) >= KEPT:
                del kept[next(iter(kept))]
            kept[key] = oracle(*args, **kwargs)
        return kept[key]

    return remembering


def _content(value: Any) -> Hashable:
    """Something hashable that is equal for equal content only."""
    if type(value) in PLAIN:
        return value  # type: ignore[no-any-return]
    if isinstance(value, torch.Tensor):
        plain = value.detach().cpu().contiguous()
        return str(plain.dtype), tuple(plain.shape), plain.numpy().tobytes()
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_content, value))
    if isinstance(value, dict):
        return dict, tuple((_content(key), _content(item)) for key, item in value.items())
    if dataclasses.is_dataclass(value):
        return type(value), tuple(_content(getattr(value, f.name)) for f in dataclasses.fields(value) if f.compare)
    raise TypeError(f"an oracle's answer can't be remembered by a {type(value).__name__}")
