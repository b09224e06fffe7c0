"""Probes of the fast LSTM: build one, load given weights, run it, return what came out and count its products.

They run beside the student's code and hold inputs but no answers. x is (B, T, I), `state` a pair (h, c)
of (B, H) tensors or None; `weights` maps the contract's parameter names to tensors.

The count is taken here, in the student's own process, below autograd: the one figure that a submission
could forge. Nothing a machine is busy with can move it.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from assignments.scripted import Complaint, pair, settled

PRODUCTS = ("mm", "mv", "matmul")  # in the name of an operation; `einsum`, `linear` and `@` come down to these
WITH_SUMMAND = ("add", "badd")  # addmm, addmv, baddbmm: what is added comes first


class ProductCount(TorchDispatchMode):
    """Notes the inner size of every matrix product that is dispatched while it is on, backward passes included."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operation imports torch._dynamo, a second or so

    def __init__(self) -> None:
        super().__init__()
        self.inner_sizes: list[int] = []

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation; note it if it is a product."""
        place = left_factor(operation)
        if place is not None:
            left = [value for value in args if isinstance(value, torch.Tensor)][place:]
            self.inner_sizes.append(left[0].shape[-1] if left and left[0].dim() else 0)
        return operation(*args, **(kwargs or {}))


@functools.cache
def left_factor(operation: Any) -> int | None:
    """Which of the operation's tensors is the left factor of its product; None if it is no product."""
    name = operation._schema.name.split("::")[-1].lstrip("_")
    if not any(part in name for part in PRODUCTS):
        return None
    return 1 if name.startswith(WITH_SUMMAND) else 0


def build(student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor) -> Any:
    """The student's FastLSTM for the sizes of x and the weights, in x's dtype, with the given weights."""
    hidden_size = weights["W_h"].shape[1]
    lstm = settled(student.FastLSTM(x.shape[2], hidden_size), x.device, x.dtype)
    with torch.no_grad():
        for label, value in weights.items():
            parameter = getattr(lstm, label, None)
            if not isinstance(parameter, torch.Tensor):
                raise Complaint(f"the module has no parameter {label}")
            if parameter.shape != value.shape:
                raise Complaint(f"{label} has shape {tuple(parameter.shape)}, expected {tuple(value.shape)}")
            parameter.copy_(value)
    return lstm


def walk(lstm: Any, x: torch.Tensor, state: Any) -> dict[str, Any]:
    """One call: outputs, h and c."""
    outputs, last = pair(lstm(x) if state is None else lstm(x, state), "forward")
    h, c = pair(last, "for the last state forward")
    found = {"outputs": outputs, "h": h, "c": c}
    for label, value in found.items():
        if not isinstance(value, torch.Tensor):
            raise Complaint(f"forward returned a {type(value).__name__} for {label}, expected a tensor")
    return found


def numbers(student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any = None) -> dict[str, Any]:
    """One call: outputs, h and c."""
    return walk(build(student, weights, x), x, state)


def strided(student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any = None) -> dict[str, Any]:
    """The same with tensors of the same numbers that are not contiguous in memory."""
    if state is not None:
        state = tuple(tensor.mT.contiguous().mT for tensor in state)
    return numbers(student, weights, x.mT.contiguous().mT, state)


def gradients(
    student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any, along: dict[str, torch.Tensor]
) -> dict[str, Any]:
    """Gradients of `sum(along[label] * value)` over what `along` names of outputs, h and c: of every leaf.

    A gradient that never arrives is None.
    """
    lstm = build(student, weights, x)
    leaves = _leaves(lstm, weights, x, state)
    return _backward(walk(lstm, x, state), along, leaves)


def gradients_apart(
    student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any, along: dict[str, torch.Tensor]
) -> dict[str, Any]:
    """The same for each that `along` names on its own: "from h, the gradient of x" and so on."""
    lstm = build(student, weights, x)
    leaves = _leaves(lstm, weights, x, state)
    found = {}
    for label, direction in along.items():
        for leaf in leaves.values():
            leaf.grad = None
        came = _backward(walk(lstm, x, state), {label: direction}, leaves)
        found.update({f"from {label}, {name}": value for name, value in came.items()})
    return found


def _leaves(lstm: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any) -> dict[str, torch.Tensor]:
    leaves = {"x": x.requires_grad_()}
    if state is not None:
        leaves |= {"h_0": state[0].requires_grad_(), "c_0": state[1].requires_grad_()}
    return leaves | {label: getattr(lstm, label) for label in weights}


def _backward(
    found: dict[str, torch.Tensor], along: dict[str, torch.Tensor], leaves: dict[str, torch.Tensor]
) -> dict[str, Any]:
    for label, direction in along.items():
        if found[label].shape != direction.shape:
            raise Complaint(f"{label} has shape {tuple(found[label].shape)}, expected {tuple(direction.shape)}")
    loss = torch.stack([(found[label] * direction).sum() for label, direction in along.items()]).sum()
    if not loss.requires_grad:
        raise Complaint("what forward returned has no gradient: it was detached or computed under no_grad")
    loss.backward()
    return {f"the gradient of {label}": leaf.grad for label, leaf in leaves.items()}


def forward_products(student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any = None) -> Any:
    """The second call of a module: outputs, h and c, and the inner sizes of its products in falling order.

    The second, for what compiles itself does so at the first.
    """
    lstm = build(student, weights, x)
    walk(lstm, x, state)
    with ProductCount() as count:
        found: dict[str, Any] = walk(lstm, x, state)
    found["the inner sizes of the forward products"] = sorted(count.inner_sizes, reverse=True)
    return found


def all_products(
    student: Any,
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    along: dict[str, torch.Tensor],
    state: Any = None,
) -> dict[str, Any]:
    """The second call and its backward pass: every gradient, and the number of products forward and in all."""
    lstm = build(student, weights, x)
    leaves = _leaves(lstm, weights, x, state)
    walk(lstm, x, state)
    with ProductCount() as count:
        came = walk(lstm, x, state)
        forward = len(count.inner_sizes)
        found = _backward(came, along, leaves)
    return {
        **found,
        "the number of forward products": forward,
        "the number of products in all": len(count.inner_sizes),
    }


def afterwards(student: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, state: Any) -> dict[str, Any]:
    """Two calls from the same tensors: both outputs, and the tensors and the grad mode as they are then."""
    lstm = build(student, weights, x)
    found: dict[str, Any] = {}
    for label in ("outputs", "outputs of a second call"):
        with torch.no_grad():
            found[label] = walk(lstm, x, state)["outputs"].clone()
            kept = not torch.is_grad_enabled()
        found["the grad mode is left as found"] = kept and torch.is_grad_enabled()
    return {**found, "x": x, "h given": state[0], "c given": state[1]}


def construction(student: Any, input_size: int, hidden_size: int) -> dict[str, Any]:
    """A fresh module's parameters: the shape of each, whether it is trained, and the bias."""
    lstm = student.FastLSTM(input_size, hidden_size)
    trained = {id(parameter) for parameter in lstm.parameters() if parameter.requires_grad}
    found: dict[str, Any] = {}
    for label in ("W_x", "W_h", "bias"):
        parameter = getattr(lstm, label, None)
        if not isinstance(parameter, torch.Tensor):
            raise Complaint(f"the module has no parameter {label}")
        found[f"the shape of {label}"] = list(parameter.shape)
        found[f"{label} is a trained parameter"] = id(parameter) in trained
    return {**found, "bias": lstm.bias}
