"""Probes of the language model: build one, load given weights, feed it, return what came out.

They run beside the student's code and hold inputs but no answers. `sizes` are the arguments of the
constructor, `weights` maps names like `cells.0.W_x` to tensors, x is (B, T) and `states` a list of
one (h, c) a layer. With `plain` the cells step by `plain_step` instead of their own recurrence, so
that a model can be seen apart from its cells.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from assignments.scripted import Complaint, pair, settled

States = list[tuple[torch.Tensor, torch.Tensor]]
MOST_LAYERS = 64  # no probe builds as many


def construct(student: Any, name: str, sizes: dict[str, Any]) -> Any:
    """The student's model `name`, called as the handout writes it: the three sizes, then what is named."""
    options = dict(sizes)
    three = [options.pop(label) for label in ("vocab_size", "embed_size", "hidden_size")]
    return getattr(student, name)(*three, **options)


def build(student: Any, name: str, sizes: dict[str, Any], weights: dict[str, torch.Tensor], plain: bool) -> Any:
    """The model with the given weights, on their device."""
    model = construct(student, name, sizes)
    if not isinstance(model, nn.Module):
        raise Complaint(f"{name} is a {type(model).__name__}, expected an nn.Module")
    settled(model, weights["fc.weight"].device)
    fc = part(model, "fc")
    if isinstance(fc, nn.Linear) and fc.bias is None:  # one without a bias is an nn.Linear too: it gets one
        fc.bias = nn.Parameter(torch.zeros_like(weights["fc.bias"]))
    with torch.no_grad():
        for label, value in weights.items():
            parameter = part(model, label)
            if not isinstance(parameter, torch.Tensor):
                raise Complaint(f"the model has no parameter {label}")
            if parameter.shape != value.shape:
                raise Complaint(f"{label} has shape {tuple(parameter.shape)}, expected {tuple(value.shape)}")
            parameter.copy_(value)
    if plain:
        for cell in model.cells:
            cell.forward = plain_step(cell)
    return model


def move_what_was_not_given(model: Any, weights: dict[str, torch.Tensor]) -> None:
    """As training would: each trained parameter beside the given ones and those of the cells is 0.5 now, if any is."""
    ours = {id(part(model, label)) for label in weights}
    cells = {id(parameter) for cell in model.cells for parameter in cell.parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad and id(parameter) not in ours | cells:
                parameter.fill_(0.5)


def part(model: Any, label: str) -> Any:
    """What lies at `cells.0.W_x` in a model, or None."""
    found = model
    for step in label.split("."):
        try:
            found = found[int(step)] if step.isdigit() else getattr(found, step)
        except (AttributeError, IndexError, KeyError, TypeError):
            return None
    return found


def plain_step(cell: Any) -> Any:
    """A linear step over an LSTM's or RNN's own parameters, whose whole walk is one matrix product.

    With d = x W_xᵀ + bias (the first H rows of each): c = c_prev / 2 + d, h = h_prev / 4 + 2c for an
    LSTM, whose W_x has 4H rows, so that neither can be taken for the other; h = h_prev / 2 + d, returned
    twice, for an RNN.
    """
    size = cell.W_h.shape[1]
    two_states = cell.W_x.shape[0] == 4 * size

    def forward(x_t: torch.Tensor, h_prev: torch.Tensor, c_prev: torch.Tensor | None = None) -> Any:
        drive = x_t @ cell.W_x[:size].T + cell.bias[:size]
        if not two_states:
            h = h_prev / 2 + drive
            return h, h
        c = c_prev / 2 + drive
        return h_prev / 4 + 2 * c, c

    return forward


def feed(model: Any, x: torch.Tensor, *states: Any) -> tuple[Any, States]:
    """One call of the model: its logits, and its states as a list of pairs."""
    logits, after = pair(model(x, *states), "forward")
    if not isinstance(after, list | tuple):
        raise Complaint(f"forward returned a {type(after).__name__} for the states, expected a list")
    if len(after) > MOST_LAYERS:
        raise Complaint(f"forward returned states of {len(after)} layers")
    return logits, [pair(layer, f"for layer {number} forward") for number, layer in enumerate(after)]


def named(states: States) -> dict[str, Any]:
    """States as parts of a reply."""
    found: dict[str, Any] = {"the number of states": len(states)}
    for number, (h, c) in enumerate(states):
        found[f"h of layer {number}"] = h
        found[f"c of layer {number}"] = c
    return found


def forward(
    student: Any,
    name: str,
    sizes: dict[str, Any],
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    states: Any = None,
    plain: bool = False,
) -> dict[str, Any]:
    """Feed x once, with states if there are any: the logits and the states afterwards."""
    model = build(student, name, sizes, weights, plain)
    logits, after = feed(model, x) if states is None else feed(model, x, states)
    return {"logits": logits, **named(after)}


def in_pieces(
    student: Any,
    name: str,
    sizes: dict[str, Any],
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    lengths: list[int],
    plain: bool = False,
) -> dict[str, Any]:
    """Feed x in pieces of these lengths, the states carried from each to the next."""
    model = build(student, name, sizes, weights, plain)
    found: dict[str, Any] = {}
    carried: tuple[Any, ...] = ()
    for number, piece in enumerate(x.split(lengths, dim=1)):
        found[f"logits of piece {number}"], after = feed(model, piece, *carried)
        carried = (after,)
    return {**found, **named(after)}


def calls(
    student: Any,
    name: str,
    sizes: dict[str, Any],
    weights: dict[str, torch.Tensor],
    xs: list[torch.Tensor],
    plain: bool = False,
) -> dict[str, Any]:
    """One model, as if trained already, called with each x of a list, no states given: the logits of every call."""
    model = build(student, name, sizes, weights, plain)
    move_what_was_not_given(model, weights)
    return {f"logits of call {number}": feed(model, x)[0] for number, x in enumerate(xs)}


def gradients(
    student: Any,
    name: str,
    sizes: dict[str, Any],
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    along: torch.Tensor,
    states: Any = None,
    plain: bool = False,
    training: bool = True,
) -> dict[str, Any]:
    """Gradients of `sum(along * logits)`: of each parameter and of the states passed in.

    A gradient that never arrives is None. The model is in training mode or in evaluation mode.
    """
    model = build(student, name, sizes, weights, plain).train(training)
    leaves = {label: part(model, label) for label in weights}
    if states is not None:
        states = [(h.requires_grad_(), c.requires_grad_()) for h, c in states]
        leaves.update({label: state for label, state in named(states).items() if isinstance(state, torch.Tensor)})
    logits, _ = feed(model, x) if states is None else feed(model, x, states)
    if not isinstance(logits, torch.Tensor) or logits.shape != along.shape:
        raise Complaint(f"the logits are not a tensor of shape {tuple(along.shape)}")
    loss = (logits * along).sum()
    if not loss.requires_grad:
        raise Complaint("the logits have no gradient: they were detached or computed under no_grad")
    loss.backward()
    return {f"the gradient of {label}": leaf.grad for label, leaf in leaves.items()}


def states_afterwards(
    student: Any,
    name: str,
    sizes: dict[str, Any],
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    states: Any,
    plain: bool = False,
) -> dict[str, Any]:
    """Feed x from given states: the logits, and the list and the tensors given as they are afterwards."""
    model = build(student, name, sizes, weights, plain)
    given = [tuple(layer) for layer in states]
    held = list(given)
    with torch.no_grad():
        logits, _ = feed(model, x, held)
        logits = logits.clone() if isinstance(logits, torch.Tensor) else logits
    same = len(held) == len(given) and all(one is other for one, other in zip(held, given, strict=True))
    return {"logits": logits, "the list is as it was": same, **named(given)}


def grad_modes(
    student: Any,
    name: str,
    sizes: dict[str, Any],
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    plain: bool = False,
) -> dict[str, Any]:
    """Feed x with gradients on and with gradients off: the logits, and whether each mode was kept."""
    model = build(student, name, sizes, weights, plain)
    found: dict[str, Any] = {}
    for mode in (True, False):
        with torch.set_grad_enabled(mode):
            found["logits"], _ = feed(model, x)
            found[f"grad mode {'on' if mode else 'off'} is kept"] = torch.is_grad_enabled() is mode
    return found


def structure(student: Any, name: str, sizes: dict[str, Any], labels: list[str]) -> dict[str, Any]:
    """A fresh model: what its parts are, how many cells, and of each parameter the shape and whether it is trained."""
    model = construct(student, name, sizes)
    kinds = {"embedding": nn.Embedding, "cells": nn.ModuleList, "fc": nn.Linear}
    parts = {label: getattr(model, label, None) for label in kinds}
    for label, found in parts.items():
        if found is None:
            raise Complaint(f"the model has no {label}")
    reply: dict[str, Any] = {
        f"{label} is an nn.{kind.__name__}": isinstance(parts[label], kind) for label, kind in kinds.items()
    }
    if hasattr(parts["cells"], "__len__"):
        reply["the number of cells"] = len(parts["cells"])
    parameters = model.parameters() if isinstance(model, nn.Module) else []
    trained = {id(parameter) for parameter in parameters if parameter.requires_grad}
    owners: dict[int, str] = {}
    for label in labels:
        parameter = part(model, label)
        if not isinstance(parameter, torch.Tensor):
            raise Complaint(f"the model has no parameter {label}")
        reply[f"the shape of {label}"] = list(parameter.shape)
        reply[f"{label} is a trained parameter"] = id(parameter) in trained
        reply[f"{label} is the same tensor as"] = owners.setdefault(id(parameter), label)
    return reply


def refusals(student: Any, name: str, sizes: dict[str, Any], cell_types: list[str], **inputs: Any) -> dict[str, Any]:
    """What `forward` replies, and for each other cell type what constructing raises, and in which words."""
    reply = forward(student, name, sizes, **inputs)
    for cell_type in cell_types:
        kind, text = "nothing", ""
        try:
            construct(student, name, {**sizes, "cell_type": cell_type})
        except ValueError as problem:
            kind, text = "ValueError", str(problem)
        except Exception as problem:
            kind = type(problem).__name__
        reply[f"what cell_type={cell_type!r} raises"] = kind
        named = all(word in text.lower() for word in ("rnn", "lstm", "gru"))
        reply[f"the error for cell_type={cell_type!r} names the three"] = named
        reply[f"the words of the error for cell_type={cell_type!r}"] = text
    return reply
