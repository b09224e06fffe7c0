"""The moments of Adam, taken from a run of the student's `train` and given to the next one.

`train` makes its own optimiser and promises nobody to hand it out. So torch is asked to tell of every step that
an optimiser takes: the first Adam that steps the model is given what an earlier run left, and what it holds
at the end is kept. Nothing of `train` is changed. An Adam written by hand takes no steps that torch knows of;
then there is nothing to keep, and the next run says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

PREFIX = "adam/"  # of the tensors' names in a file: adam/exp_avg/fc.weight
PARTS = ("step", "exp_avg", "exp_avg_sq")


class Moments:
    """What Adam knows of each parameter of a model, by the names of `PARTS` and of the parameter.

    `resumed` tells whether an optimiser took what was given; `why` not, in words that follow "afresh: ".
    """

    def __init__(self, model: nn.Module, given: dict[str, torch.Tensor]) -> None:
        self.parameters = dict(model.named_parameters())
        self.given = given
        self.resumed = False
        self.why = "train has no torch.optim.Adam that steps your model"
        self._adam: torch.optim.Adam | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at every optimiser's steps meanwhile."""
        handle = register_optimizer_step_pre_hook(self._before_step)
        try:
            yield
        finally:
            handle.remove()

    def kept(self) -> dict[str, torch.Tensor]:
        """The moments to write: of the optimiser that was seen, else those that were given and nobody took."""
        if self._adam is None:
            return self.given
        found = {}
        for name, parameter in self.parameters.items():
            state = self._adam.state.get(parameter, {})
            if set(state) == set(PARTS):
                for part in PARTS:
                    found[f"{PREFIX}{part}/{name}"] = torch.as_tensor(state[part]).detach().cpu().contiguous().clone()
        return found

    def epoch_is_over(self) -> None:
        """What nobody took before an epoch was trained is out of date, and not kept for another run."""
        if self._adam is None:
            self.given = {}

    def _before_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Called before each step of any optimiser. The first Adam over the model is the one."""
        if self._adam is not None or not isinstance(optimizer, torch.optim.Adam):
            return
        stepped = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        if not stepped & {id(parameter) for parameter in self.parameters.values()}:
            return
        self._adam = optimizer
        if not self.given:
            self.why = "the earlier run left no moments of Adam"
        elif optimizer.state or any(group["amsgrad"] for group in optimizer.param_groups) or not self._fit():
            self.why = "the moments that were kept do not fit train's optimiser"
        else:
            for name, parameter in self.parameters.items():
                if id(parameter) in stepped and f"{PREFIX}step/{name}" in self.given:
                    state = {part: self.given[f"{PREFIX}{part}/{name}"].clone() for part in PARTS}
                    optimizer.state[parameter] = {
                        part: value if part == "step" else value.to(parameter) for part, value in state.items()
                    }
            self.resumed = True

    def _fit(self) -> bool:
        """Whether what was given is whole, of this model's shapes, and numbers that Adam could have had."""
        for key, value in self.given.items():
            part, _, name = key.removeprefix(PREFIX).partition("/")
            parameter = self.parameters.get(name)
            if (
                part not in PARTS
                or parameter is None
                or any(f"{PREFIX}{other}/{name}" not in self.given for other in PARTS)
            ):
                return False
            shape = torch.Size([]) if part == "step" else parameter.shape
            if value.shape != shape or not value.is_floating_point() or not bool(value.isfinite().all()):
                return False
            if part != "exp_avg" and bool((value < 0).any()):
                return False
        return True
