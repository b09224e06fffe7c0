"""Probes of the cells: build one, load given weights, step it, return what came out.

They run beside the student's code and hold inputs but no answers. Shapes: x (T, B, I), h and c
(B, H); `weights` maps the contract's parameter names to tensors.
"""

from __future__ import annotations

from typing import Any

import torch

from assignments.scripted import Complaint, pair, settled


def build(student: Any, name: str, weights: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor) -> Any:
    """The student's cell `name` for the sizes of x and h, in their dtype, with the given weights."""
    cell = settled(getattr(student, name)(x.shape[-1], h.shape[-1]), x.device, x.dtype)
    load(cell, weights)
    return cell


def load(cell: Any, weights: dict[str, torch.Tensor]) -> None:
    """Write the weights into the cell's own, in place, as an optimiser does."""
    with torch.no_grad():
        for label, value in weights.items():
            parameter = getattr(cell, label, None)
            if not isinstance(parameter, torch.Tensor):
                raise Complaint(f"the cell has no parameter {label}")
            if parameter.shape != value.shape:
                raise Complaint(f"{label} has shape {tuple(parameter.shape)}, expected {tuple(value.shape)}")
            parameter.copy_(value)


def walk(cell: Any, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[list[Any], list[Any]]:
    """Step the cell over x; return the list of every h and the list of every c."""
    hs, cs = [], []
    for x_t in x:
        h, c = pair(cell(x_t, h, c), "forward")
        for label, state in (("h", h), ("c", c)):
            if not isinstance(state, torch.Tensor):
                raise Complaint(f"forward returned a {type(state).__name__} for {label}, expected a tensor")
        hs.append(h)
        cs.append(c)
    return hs, cs


def steps(
    student: Any, name: str, weights: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
) -> dict[str, Any]:
    """Step the cell over x: every h and every c, each (T, B, H)."""
    hs, cs = walk(build(student, name, weights, x, h), x, h, c)
    return {"h": torch.stack(hs), "c": torch.stack(cs)}


def steps_of_a_used_cell(
    student: Any,
    name: str,
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    h: torch.Tensor,
    c: torch.Tensor,
    rows: int,
) -> dict[str, Any]:
    """The same of a cell that was called before: with other weights, on the first rows of the batch."""
    cell = build(student, name, {label: -value for label, value in weights.items()}, x, h)
    walk(cell, x[:1, :rows], h[:rows], c[:rows])
    load(cell, weights)
    hs, cs = walk(cell, x, h, c)
    return {"h": torch.stack(hs), "c": torch.stack(cs)}


def transposed_inputs(
    student: Any, name: str, weights: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
) -> dict[str, Any]:
    """The same with tensors of the same numbers that are not contiguous in memory."""
    x, h, c = (tensor.mT.contiguous().mT for tensor in (x, h, c))
    return steps(student, name, weights, x, h, c)


def without_c(
    student: Any, name: str, weights: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor
) -> dict[str, Any]:
    """One step of a cell that is called with two arguments: both values it returns."""
    first, second = pair(build(student, name, weights, x, h)(x[0], h), "forward")
    return {"h": first, "c": second}


def gradients(
    student: Any,
    name: str,
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    h: torch.Tensor,
    c: torch.Tensor,
    along_h: torch.Tensor,
    along_c: torch.Tensor,
) -> dict[str, Any]:
    """Gradients of `sum(along_h * every h) + sum(along_c * last c)`: of x, h, c and each parameter.

    A gradient that never arrives is None.
    """
    cell = build(student, name, weights, x, h)
    leaves = {"x": x.requires_grad_(), "h_prev": h.requires_grad_(), "c_prev": c.requires_grad_()}
    hs, cs = walk(cell, x, h, c)
    loss = (torch.stack(hs) * along_h).sum() + (cs[-1] * along_c).sum()
    if not loss.requires_grad:
        raise Complaint("what forward returned has no gradient: it was detached or computed under no_grad")
    loss.backward()
    leaves.update({label: getattr(cell, label) for label in weights})
    return {f"the gradient of {label}": leaf.grad for label, leaf in leaves.items()}


def inputs_afterwards(
    student: Any, name: str, weights: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
) -> dict[str, Any]:
    """Two steps from the same tensors, a third with all weights at 0: what came out, and the tensors afterwards."""
    cell = build(student, name, weights, x, h)
    with torch.no_grad():
        first, _ = pair(cell(x[0], h, c), "forward")
        first = first.clone()
        second, _ = pair(cell(x[0], h, c), "forward")
        second = second.clone()
        load(cell, {label: torch.zeros_like(value) for label, value in weights.items()})
        third, _ = pair(cell(x[0], h, c), "forward")
        kept = not torch.is_grad_enabled()
    afterwards = {"x_t": x[0], "h_prev": h, "c_prev": c, "the grad mode is left as found": kept}
    return {"h": first, "h of a second call": second, "h of a third call, with weights of 0": third, **afterwards}


def construction(student: Any, name: str, labels: list[str], input_size: int, hidden_size: int) -> dict[str, Any]:
    """A fresh cell's parameters: the shape of each, whether it is trained, and its values."""
    cell = getattr(student, name)(input_size, hidden_size)
    trained = {id(parameter) for parameter in cell.parameters() if parameter.requires_grad}
    found: dict[str, Any] = {}
    for label in labels:
        parameter = getattr(cell, label, None)
        if not isinstance(parameter, torch.Tensor):
            raise Complaint(f"the cell has no parameter {label}")
        found[f"the shape of {label}"] = list(parameter.shape)
        found[f"{label} is a trained parameter"] = id(parameter) in trained
        found[label] = parameter
    return found
