"""Explains the errors that Python and torch raise most often in students' code.

Matched by exception type and a fragment of the text, since the texts change between versions. The
explanations are ours and quote nothing, so a hidden test may show one too.
"""

from __future__ import annotations

from typing import Any

# (exception type, fragment of its text, what to say)
EXPLANATIONS = (
    ("RuntimeError", "shapes cannot be multiplied", "A matrix product got sizes that do not fit. Weights here are stored (out, in): is one of them missing its transpose?"),
    ("RuntimeError", "must match the size of tensor", "Two tensors of different sizes were combined elementwise. Print their shapes just before that line."),
    ("RuntimeError", "backward through the graph a second time", "The states still hang on the last batch's graph. Both h and c have to be cut off from it before they are used again."),
    ("RuntimeError", "modified by an inplace operation", "A tensor that the backward pass still needs was changed in place (`+=`, `copy_` and the like). Make a new tensor instead."),
    ("RuntimeError", "probability tensor contains either", "The sampler was given something that is not a distribution: raw logits, or numbers that overflowed."),
    ("RuntimeError", "selected index k out of range", "More candidates were asked for than there are characters. The width may be larger than the vocabulary."),
    ("RuntimeError", "expected scalar type Long", "Indices have to be whole numbers: a LongTensor."),
    ("RuntimeError", "Expected target size", "Cross-entropy wants (N, V) logits beside (N,) targets: flatten batch and time into one dimension."),
    ("RuntimeError", "view size is not compatible", "`.view` needs contiguous memory; `.reshape` does not."),
    ("RuntimeError", "Expected all tensors to be on the same device", "Some tensors are on another device. Make new ones on the device of the input: `x.new_zeros(…)`."),
    ("RuntimeError", "must have the same dtype", "Two tensors have different dtypes. Make new ones like the input: `x.new_zeros(…)` follows its dtype."),
    ("RuntimeError", "expected m1 and m2 to have the same dtype", "Two tensors have different dtypes. Make new ones like the input: `x.new_zeros(…)` follows its dtype."),
    ("RuntimeError", "numpy() on Tensor that requires grad", "This tensor is still part of a graph. Detach it first, or work under `torch.no_grad()`."),
    ("IndexError", "index out of range in self", "An index is not below the size of the embedding. Do the vocabulary's numbers start at 0 and end at V − 1?"),
    ("TypeError", "missing 1 required positional argument", "It was called with fewer arguments than it asks for. Compare the parameters with the handout's."),
    ("TypeError", "positional arguments but", "It was called with more arguments than it takes. Compare the parameters with the handout's."),
    ("TypeError", "unexpected keyword argument", "It does not know one of its arguments by that name. Compare the parameters with the handout's."),
    ("TypeError", "'NoneType' object", "Something is None here that should not be: a missing `return`, or a state that was never made?"),
    ("AttributeError", "has no attribute 'W_", "A parameter is missing or has another name. The handout's table lists the names."),
    ("AttributeError", "cannot assign module before Module.__init__", "`super().__init__()` has to come first in `__init__`."),
    ("AttributeError", "cannot assign parameter", "`super().__init__()` has to come first in `__init__`."),
)  # fmt: skip


def explain(raised: dict[str, Any] | None) -> str | None:
    """Two sentences on what was raised, or None where there is nothing sure to say."""
    if raised is None:
        return None
    for kind, fragment, says in EXPLANATIONS:
        if raised.get("type") == kind and fragment in raised.get("text", ""):
            return says
    return None
