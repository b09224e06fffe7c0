"""Probes of training: small models that are trained by the student's `train` and keep what they saw.

They run beside the student's code and hold inputs but no answers. `weights` maps parameter names
to their first values; a model is made of them: a `Bigram` of `table (V, V)` or of `table (V, H)`,
`fc (V, H)` and `bias (V,)`, a `Recurrent` of `embedding (V, H)`, for each layer l `W_l` and `C_l (H, H)`,
and `fc (V, H)`, `bias (V,)`. With `still`, the model answers from these weights for ever, whatever an
optimiser does, but its logits grow with every column it has been fed, so that no two batches cost the
same. `options` are keyword arguments for `train`. `batches` is None, or the batches to use in place of
those of the student's own `create_batches`.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from assignments.scripted import Complaint, Tape, default_said

Weights = dict[str, torch.Tensor]
Batches = list[tuple[torch.Tensor, torch.Tensor]]
GROWTH = 0.05  # of a still model's logits, in parts of the first ones, for each column
CALL_LIMIT = 300  # several times what any test needs, even if characters are fed one by one


class Seen(Exception):
    """Where the model, its inputs and its targets are is known: the loss need not be computed."""


class TargetDevices(TorchFunctionMode):
    """Notes on which device the first loss finds its targets, and ends the run there.

    Seen are losses that would refuse targets on another device than the logits'; indexing would not.
    """

    LOSSES = frozenset({"cross_entropy", "cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss2d", "gather"})

    def __init__(self) -> None:
        super().__init__()
        self.met: list[torch.device] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in self.LOSSES:
            tensors = [part for part in (*args, *(kwargs or {}).values()) if isinstance(part, torch.Tensor)]
            self.met += [part.device for part in tensors if part.dtype == torch.long]
            raise Seen
        return func(*args, **(kwargs or {}))


class Log:
    """What a model and its copies were fed, call by call, and which of them was called last.

    Calls without gradients are counted and not kept: looking is free.
    """

    def __init__(self) -> None:
        self.count = self.columns = 0
        self.calls: list[dict[str, Any]] = []
        self.model: Any = None

    def __deepcopy__(self, memo: Any) -> Log:
        return self


class Recorder(nn.Module):
    """A small model with `CharRNN`'s forward that keeps, for every call, what it was fed; states if told to."""

    layers = 1

    def __init__(self, weights: Weights, still: bool) -> None:
        super().__init__()
        self.labels = list(weights)
        for label, value in weights.items():
            kept = value.cpu().clone()
            self.register_buffer(label, kept) if still else self.register_parameter(label, nn.Parameter(kept))
        if still:  # something to train all the same: it has gradients, and no say in the logits
            self.anchor = nn.Parameter(torch.zeros(1, dtype=value.dtype))
        self.still = still
        self.only_look = self.keeps_states = False
        self.log = Log()
        self.parts: list[nn.Module] = []  # itself and what it holds, so that no call need look for them

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """x (B, T) to logits (B, T, V) and one (h, c) per layer."""
        if not isinstance(x, torch.Tensor) or x.dim() != 2:
            raise Complaint("the model was called with something that is not a (B, T) tensor")
        self.log.count += 1
        if self.log.count > CALL_LIMIT:
            raise Complaint(f"the model was called over {CALL_LIMIT} times: do the batches never end?")
        states = [self.fresh(x) for _ in range(self.layers)] if states is None else self.read(states, x)
        self.parts = self.parts or list(self.modules())
        call = {
            "x": x.detach().clone(),
            "devices": (x.device, getattr(self, self.labels[0]).device),
            "hang": [any(layer[k].grad_fn is not None for layer in states) for k in (0, 1)],
            "modes": [module.training for module in self.parts],
        }
        if self.keeps_states:
            call["incoming"] = torch.stack([part.detach() for layer in states for part in layer])
        if torch.is_grad_enabled():
            self.log.calls.append(call)
            self.log.model = self
        if self.only_look:
            weight = getattr(self, self.labels[0])
            return weight.new_zeros(*x.shape, len(weight)), states
        logits, states = self.compute(x, states)
        if self.still:
            columns = torch.arange(logits.shape[1], dtype=logits.dtype, device=logits.device) + self.log.columns
            pull = self.anchor * torch.arange(logits.shape[2], device=logits.device)
            logits = logits * (1 + GROWTH * columns)[:, None] + (pull - pull.detach())
        self.log.columns += x.shape[1] if torch.is_grad_enabled() else 0
        if self.keeps_states:
            call["outgoing"] = torch.stack([part.detach() for layer in states for part in layer])
        return logits, states

    def values(self) -> Weights:
        """The weights by name, as they are now."""
        return {label: getattr(self, label).detach().clone() for label in self.labels}

    def state_shape(self, x: torch.Tensor) -> tuple[int, int]:
        """The shape of each state that goes with x."""
        raise NotImplementedError

    def fresh(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The states of one layer at the start of a text."""
        like, shape = getattr(self, self.labels[0]), self.state_shape(x)
        return like.new_zeros(shape, device=x.device), like.new_zeros(shape, device=x.device)

    def compute(self, x: torch.Tensor, states: list[Any]) -> tuple[torch.Tensor, list[Any]]:
        """The model proper."""
        raise NotImplementedError

    def read(self, states: Any, x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The states that came, or a complaint that they are not what the model gave out."""
        shape = self.state_shape(x)
        try:
            pairs = [(h, c) for h, c in states]
            fits = len(pairs) == self.layers and all(part.shape == shape for pair in pairs for part in pair)
        except (TypeError, ValueError, AttributeError):
            fits = False
        if not fits:
            raise Complaint("the model was given states that are not the list of (h, c) it returned")
        return pairs


class Bigram(Recorder):
    """Logits looked up by the last character alone: the states are zeros and mean nothing.

    With a weight `extra (V,)`, that is added to all logits behind a dropout of probability 1: it is
    seen outside training mode only.
    """

    def __init__(self, weights: Weights, still: bool) -> None:
        super().__init__(weights, still)
        self.dropout = nn.Dropout(1.0)

    def state_shape(self, x: torch.Tensor) -> tuple[int, int]:
        return x.shape[0], 1

    def compute(self, x: torch.Tensor, states: list[Any]) -> tuple[torch.Tensor, list[Any]]:
        logits = self.table[x]
        if "fc" in self.labels:
            logits = nn.functional.linear(logits, self.fc, self.bias)
        if "extra" in self.labels:
            logits = logits + self.dropout(self.extra)
        return logits, [self.fresh(x)]


class Recurrent(Recorder):
    """Layers with two states each: c = tanh(input + c Cᵀ), h = tanh(c + h Wᵀ), h the next layer's input."""

    def __init__(self, weights: Weights, still: bool) -> None:
        super().__init__(weights, still)
        self.layers = sum(label.startswith("W_") for label in weights)

    def state_shape(self, x: torch.Tensor) -> tuple[int, int]:
        return x.shape[0], self.embedding.shape[1]

    def compute(self, x: torch.Tensor, states: list[Any]) -> tuple[torch.Tensor, list[Any]]:
        tops = []
        weights = [(getattr(self, f"C_{layer}").T, getattr(self, f"W_{layer}").T) for layer in range(self.layers)]
        for column in self.embedding[x].unbind(1):
            following = []
            for (of_c, of_h), (h, c) in zip(weights, states, strict=True):
                c = torch.tanh(torch.addmm(column, c, of_c))
                column = h = torch.tanh(torch.addmm(c, h, of_h))
                following.append((h, c))
            states = following
            tops.append(column)
        return nn.functional.linear(torch.stack(tops, 1), self.fc, self.bias), states


def model_of(weights: Weights, still: bool = False) -> Recorder:
    """The model that these weights are for."""
    return (Bigram if "table" in weights else Recurrent)(weights, still)


def run(student: Any, model: nn.Module, data: torch.Tensor, options: dict[str, Any], batches: Batches | None) -> Any:
    """Call the student's `train`; what it returned."""
    if data.device.type != "cpu":
        options = {**options, "device": str(data.device)}
    with stand_in_batches(data.cpu(), batches):
        return student.train(model, data.cpu(), **options)


@contextlib.contextmanager
def stand_in_batches(data: torch.Tensor, batches: Batches | None) -> Iterator[None]:
    """Let `from batching import create_batches` find a function that hands out the given batches, if any are given.

    Only to who asks for batches of this data in these sizes: it can't make any others.
    """
    if batches is None:
        yield
        return

    def create_batches(data: torch.Tensor, batch_size: int, seq_len: int) -> Iterator[Any]:
        if asks_for_these(data, batch_size, seq_len):
            yield from ((x.cpu().clone(), y.cpu().clone()) for x, y in batches)

    def asks_for_these(asked: Any, batch_size: int, seq_len: int) -> bool:
        asked, used = torch.as_tensor(asked).cpu(), len(batches) * batches[0][0].numel() + 1
        whole = used <= len(asked) <= len(data) and torch.equal(asked, data[: len(asked)])
        return whole and (batch_size, seq_len) == tuple(batches[0][0].shape)

    fake = types.ModuleType("batching")
    fake.create_batches = create_batches
    before = sys.modules.get("batching")
    sys.modules["batching"] = fake
    try:
        yield
    finally:
        del sys.modules["batching"]
        if before is not None:
            sys.modules["batching"] = before


def training(
    student: Any,
    weights: Weights,
    data: torch.Tensor,
    options: dict[str, Any],
    batches: Batches | None,
    runs: int = 1,
) -> dict[str, Any]:
    """Train a model: every weight afterwards, of the model that was trained, be it a copy.

    There may be several runs, one after the other on the same model.
    """
    model = model_of(weights)
    for _ in range(runs):
        with torch.enable_grad():  # whoever left it off in the run before has lost points for that
            run(student, model, data, options, batches)
    return after_training(model.log.model or model)


def training_by_default(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """The rate and the clip if train is not told: what its signature says, and else every weight after such a run."""
    with stand_in_batches(data.cpu(), batches):  # for training may be imported here
        said = {f"{name} by default": default_said(student.train, name) for name in ("learning_rate", "grad_clip")}
    if None in said.values() or batches is not None:
        return said | training(student, weights, data, options, batches)
    two_batches = data[: 2 * options["batch_size"] * options["seq_len"] + 1]
    run(student, model_of(weights), two_batches, options, None)  # that it trains at all
    return said


def training_in_place(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """Train a model: what was returned, and every weight afterwards of the model that was passed."""
    model = model_of(weights)
    losses = run(student, model, data, options, batches)
    return {"the losses": losses, **after_training(model)}


def after_training(model: Recorder) -> dict[str, Any]:
    """The weights of a model under the names that a reply gives them."""
    return {f"{label} after training": value for label, value in model.values().items()}


def losses(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None, still: bool
) -> dict[str, Any]:
    """What training returned, and whether it is a list of Python floats."""
    result = run(student, model_of(weights, still), data, options, batches)
    is_floats = isinstance(result, list) and all(isinstance(loss, float) for loss in result)
    return {
        "the losses": result,
        "the result is a list of floats": is_floats,
        "gradients are on afterwards": torch.is_grad_enabled(),
    }


def inputs_met(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """Everything that the model was fed, laid end to end: (B, all columns)."""
    model = model_of(weights)
    run(student, model, data, options, batches)
    met = [call["x"] for call in model.log.calls]
    wrong = [len(x) for x in met if len(x) != options["batch_size"]]
    if wrong:
        raise Complaint(f"the model was fed a batch of {wrong[0]} rows, expected {options['batch_size']}")
    return {"the inputs": torch.cat(met, 1) if met else None}


def states_met(
    student: Any,
    weights: Weights,
    data: torch.Tensor,
    options: dict[str, Any],
    batches: Batches | None,
    still: bool,
    runs: int = 1,
) -> dict[str, Any]:
    """Of every batch the states that came in and went out, (batches, 2 · layers, B, H), and whether a graph came along.

    No states count as zeros. A batch may be fed in one call or in several, a model trained in one run
    or in several. A RuntimeError after a graph came along is torch's way of saying so, and is left out.
    """
    model = model_of(weights, still)
    model.keeps_states = True
    try:
        for _ in range(runs):
            with torch.enable_grad():
                run(student, model, data, options, batches)
    except RuntimeError:
        if not any(any(call["hang"]) for call in model.log.calls):
            raise
    incoming, outgoing, hang, columns = [], [], [], 0
    for call in model.log.calls:
        if columns % options["seq_len"] == 0:
            incoming.append(call["incoming"])
            hang.append(call["hang"])
        columns += call["x"].shape[1]
        if columns % options["seq_len"] == 0:
            outgoing.append(call["outgoing"])
    return {
        "the states that came in": stacked(incoming),
        "the states that went out": stacked(outgoing),
        "a graph came along with h": [with_h for with_h, _ in hang],
        "a graph came along with c": [with_c for _, with_c in hang],
    }


def stacked(states: list[torch.Tensor]) -> torch.Tensor | None:
    """One tensor of all the states, if they are of one size."""
    same = states and all(state.shape == states[0].shape for state in states)
    return torch.stack(states) if same else None


def modes_met(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """Train a model that comes in evaluation mode: its mode in every call, and the weights afterwards."""
    model = model_of(weights).eval()
    run(student, model, data, options, batches)
    modes = [all(call["modes"]) for call in model.log.calls]
    return {
        "every part was in training mode": bool(modes) and all(modes),
        **after_training(model.log.model or model),
    }


def callbacks(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """What `on_epoch` was called with, and how many columns had been fed by then."""
    model = model_of(weights)
    epochs, told, fed = [], [], []

    def on_epoch(epoch: Any, loss: Any) -> None:
        epochs.append(epoch)
        told.append(loss.item() if isinstance(loss, torch.Tensor) and loss.numel() == 1 else loss)
        fed.append(model.log.columns)

    result = run(student, model, data, {**options, "on_epoch": on_epoch}, batches)
    return {
        "the losses": result,
        "the epochs told to on_epoch": epochs,
        "the losses told to on_epoch": told,
        "the columns fed before each call of on_epoch": fed,
    }


def no_epochs(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """Train for no epochs, then for one: what each returned, what else was done."""
    model, told = model_of(weights), []
    none = {**options, "num_epochs": 0, "on_epoch": lambda epoch, loss: told.append(epoch)}
    result, count = run(student, model, data, none, batches), len(told)
    between = {f"{label} after no epochs": value for label, value in model.values().items()}
    before = model.log.columns
    losses = run(student, model, data, {**options, "num_epochs": 1}, batches)
    return {
        "the result of no epochs": result,
        "the calls of on_epoch in no epochs": count,
        **between,
        "the columns fed in one epoch": model.log.columns - before,
        "the losses": losses,
    }


def devices_met(
    student: Any, weights: Weights, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """Train a model that lies on the CPU on another device: whether batches, targets and model went there.

    Where there is no other device, torch's "meta" device takes its place, up to the first loss: tensors
    there have no contents. Batches that can't be cut without looking at the contents go to the CPU instead.
    """
    device = torch.device("meta") if data.device.type == "cpu" else data.device
    model, targets = model_of(weights), TargetDevices()
    model.only_look = device.type == "meta"
    try:
        with targets if model.only_look else contextlib.nullcontext():
            run(student, model, data.cpu(), {**options, "device": str(device)}, batches)
    except Exception:
        if device.type != "meta":
            raise
    if not model.log.calls:
        device, model = torch.device("cpu"), model_of(weights)
        run(student, model, data.cpu(), {**options, "device": "cpu"}, batches)
    met = [call["devices"] for call in model.log.calls]
    return {
        "the batches went to the device": bool(met) and all(inputs == device for inputs, _ in met),
        "their targets went to the device": all(found == device for found in targets.met),
        "the model went to the device": bool(met) and all(weights == device for _, weights in met),
    }


class Plain(nn.Module):
    """Two logits, the same for every character, and a note of the sizes fed: quick, for many steps and many rows."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(1, 1, 2))
        self.met = Tape()  # (rows, columns) of each call, of copies too

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """x (B, T) to logits (B, T, 2) and one (h, c) of zeros."""
        rows, columns = x.shape
        if torch.is_grad_enabled():  # looking is free
            self.met.append((rows, columns))
        states = [(self.logits.new_zeros(rows, 1), self.logits.new_zeros(rows, 1))]
        return self.logits.expand(rows, columns, -1).clone(), states  # no views: some detach in place


def default_sizes(student: Any, data: torch.Tensor, options: dict[str, Any], batches: Batches | None) -> dict[str, Any]:
    """The rows and columns of a batch if train is not told: what its signature says, or else what a model was fed.

    All calls of one epoch count together.
    """
    with stand_in_batches(data, batches):  # for training may be imported here
        said = [default_said(student.train, name) for name in ("batch_size", "seq_len")]
    if None not in said and batches is None:
        run(student, Plain(), data[:3], {**options, "batch_size": 1, "seq_len": 1}, None)  # that it trains at all
        return {"rows and columns fed by default": said}
    model = Plain()
    run(student, model, data, options, batches)
    sizes = [model.met[0][0], sum(columns for _, columns in model.met)] if model.met else None
    return {"rows and columns fed by default": sizes}


def default_epochs(
    student: Any, data: torch.Tensor, options: dict[str, Any], batches: Batches | None
) -> dict[str, Any]:
    """How many epochs train takes if it is not told: what its signature says, or else how many losses come back."""
    with stand_in_batches(data, batches):  # for training may be imported here
        said = default_said(student.train, "num_epochs")
    if said is not None:
        return {"num_epochs by default": said}
    losses = run(student, Plain(), data, options, batches)
    return {"num_epochs by default": len(losses) if isinstance(losses, list | tuple) else losses}
