"""Explains the errors that Python and torch raise most often in students' code.

Matched by exception type and a fragment of the text, since the texts change between versions; the first
entry that fits is taken, so the particular stands before the general. Each says what the error means in
this lesson and one thing to do next. The explanations are ours and quote nothing, so a hidden test may
show one too.
"""

from __future__ import annotations

from typing import Any

# (exception type, fragments of its text of which one is enough, what to say)
EXPLANATIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    # Shapes
    ("RuntimeError", ("shapes cannot be multiplied", "size mismatch, got input", "Expected size for first two dimensions"), "A matrix product got sizes that do not fit. Weights here are stored (out, in): is one of them missing its transpose, or should `*` stand there and not `@`?"),
    ("RuntimeError", ("einsum(): subscript", "einsum(): the number of subscripts"), "The letters of an einsum do not fit the tensors: one letter stands for one size, and each dimension needs a letter. Write each tensor's shape next to its letters."),
    ("RuntimeError", ("must match the size of tensor", "doesn't match the broadcast shape"), "Two tensors of different sizes were combined elementwise. Print their shapes just before that line; states are (B, H), whatever the batch before had."),
    ("RuntimeError", ("stack expects each tensor to be equal size",), "Tensors of different sizes can't be stacked: every step of a sequence gives one of the same shape. Print the shapes in the list."),
    ("RuntimeError", ("stack expects a non-empty",), "An empty list was stacked: the loop over the steps never ran. Which dimension does it loop over, and how long is that?"),
    ("ValueError", ("expected a non-empty list of Tensors",), "An empty list was concatenated: the loop that fills it never ran. What does it loop over, and how long is that?"),
    ("RuntimeError", ("Sizes of tensors must match except in dimension", "Tensors must have same number of dimensions"), "Tensors can be concatenated along one dimension only if all others agree. Print their shapes: is one of them missing its batch or its time dimension?"),
    ("RuntimeError", ("The expanded size of the tensor",), "A tensor does not fit the place it is written to, or the shape it is expanded to. Print both shapes just before that line."),
    ("RuntimeError", ("is invalid for input of size", "split_with_sizes expects"), "There are too many or too few numbers for that shape. In batches: cut the text to B · n · T characters first."),
    ("RuntimeError", ("view size is not compatible",), "`.view` needs contiguous memory, which a transpose or a slice takes away. Use `.reshape` there."),
    ("RuntimeError", ("tensor.mT is only supported",), "A vector can't be transposed like a matrix: a dimension was lost before that line. Was something squeezed, or indexed with a number where a slice was meant?"),
    ("IndexError", ("Dimension out of range", "too many indices for tensor"), "A tensor has fewer dimensions than that line expects. Print its shape; a batch of one row is still (1, …)."),
    ("RuntimeError", ("Expected target size",), "Cross-entropy wants (N, V) logits beside (N,) targets. Flatten batch and time into one dimension, in both."),
    ("ValueError", ("Expected input batch_size",), "There are not as many targets as rows of logits. Flatten batch and time into one dimension, in both, and leave V alone."),
    ("RuntimeError", ("cannot be converted to Scalar", "Boolean value of Tensor with more than one value"), "A whole tensor stands where one number is needed. Pick the entry you mean, or reduce the tensor first: `.mean()`, `.sum()`, `.all()`."),
    # Kinds of numbers and places
    ("RuntimeError", ("must have the same dtype", "to have the same dtype", "expected scalar type Double", "expected scalar type Float"), "float32 and float64 met in one product. Make new tensors like the input: `x.new_zeros(…)` follows its dtype and its device."),
    ("RuntimeError", ("expected target dtype to be Long", "expected scalar type Long", "have one of the following scalar types: Long", "dtype int32/int64 for index"), "Indices and targets have to be whole numbers. Make them with `dtype=torch.long`."),
    ("IndexError", ("tensors used as indices must be long",), "Indices have to be whole numbers. Make them with `dtype=torch.long`."),
    ("NotImplementedError", ("not implemented for 'Long'", "not implemented for 'Int'"), "Softmax and its kin are for floats, and these are whole numbers. Are the logits what you passed, or the indices?"),
    ("RuntimeError", ("can't be cast to the desired output type",), "A result with a fraction can't be written into a tensor of whole numbers. Make a new tensor instead of working in place."),
    ("RuntimeError", ("Only Tensors of floating point",), "Only floats can have gradients. Give the tensor a float dtype; indices need no gradient."),
    ("RuntimeError", ("Expected all tensors to be on the same device", "is not on the expected device"), "Some tensors are on another device. Make new ones on the device of the input: `x.new_zeros(…)`, and send batches with `.to(device)`."),
    # Gradients
    ("RuntimeError", ("backward through the graph a second time",), "The backward pass went through one graph twice. From batch to batch, cut both h and c off from the graph they came with; for several gradients of one loss, ask for all of them in one backward pass."),
    ("RuntimeError", ("leaf Variable that requires grad is being used in an in-place",), "A parameter was changed in place while gradients are recorded. Set initial values under `torch.no_grad()`, or before you make it an `nn.Parameter`."),
    ("RuntimeError", ("modified by an inplace operation",), "A tensor that the backward pass still needs was changed in place (`+=`, `copy_` and the like). Make a new tensor instead."),
    ("RuntimeError", ("does not require grad and does not have a grad_fn",), "The loss has no graph behind it, so nothing can learn from it. Look for a `detach`, an `.item()` or a `no_grad` between the model and the loss."),
    ("RuntimeError", ("implicitly created only for scalar outputs",), "`backward` starts from one number, and this is a tensor of several. Take the mean of the losses first."),
    ("RuntimeError", ("numpy() on Tensor that requires grad",), "This tensor is still part of a graph. Detach it first, or work under `torch.no_grad()`."),
    ("RuntimeError", ("support the deepcopy protocol",), "A tensor that is part of a graph can't be deep-copied. Detach the states, or copy them with `.clone()`."),
    ("RuntimeError", ("Inference tensors cannot be saved", "inference tensor outside InferenceMode"), "A tensor made in inference mode came back to be trained with. Use `torch.no_grad()` there, or make the tensor outside."),
    ("ValueError", ("optimizer got an empty parameter list",), "The optimiser was given nothing to train. Are the weights `nn.Parameter`s, and the cells in an `nn.ModuleList`?"),
    # Sampling and searching
    ("RuntimeError", ("probability tensor contains either",), "The sampler was given something that is not a distribution: raw logits, or numbers that overflowed. Take the softmax of the scaled logits."),
    ("RuntimeError", ("invalid multinomial distribution",), "All probabilities are 0, so nothing can be drawn. Did an exponential underflow? Softmax takes care of that."),
    ("ValueError", ("to satisfy the constraint",), "The sampler was given logits that are not numbers any more. Was there a division by a temperature of 0?"),
    ("OverflowError", ("math range error", "too large"), "An exponential is too large for a float. Subtract the largest logit first; the probabilities stay the same."),
    ("RuntimeError", ("selected index k out of range",), "More candidates were asked for than there are. The beam may be wider than the vocabulary: take no more than there are expansions."),
    # Looking things up
    ("IndexError", ("index out of range in self",), "An index is not below the size of the embedding. Do the vocabulary's numbers start at 0 and end at V − 1?"),
    ("IndexError", ("is out of bounds",), "An index points behind the end of a tensor. Print the index and the shape; targets lie from 0 to V − 1, steps from 0 to T − 1."),
    ("IndexError", ("list index out of range", "string index out of range", "tuple index out of range"), "A list is shorter than that line expects. Print its length; are there as many states as layers?"),
    ("TypeError", ("can be converted to an index",), "A tensor of several numbers stands where one index is needed. Take its entries one by one, or call `.tolist()` first."),
    ("TypeError", ("indices must be integers",), "A list or a string was indexed with something that is no whole number. `[row, step]` works on tensors only; and what is looked up by a character has to be a dict."),
    ("KeyError", ("tensor(",), "A dict does not find a number that is still inside a tensor. Turn it into an int first: `.item()` or `.tolist()`."),
    ("KeyError", ("'", '"'), "A key is missing in a dict: most likely a character that is not in the vocabulary. The handout says what to raise for those; look before you use it."),
    ("KeyError", ("",), "A number is missing in a dict. Does the vocabulary count from 0, and are the two mappings passed in the right order?"),
    ("TypeError", ("unhashable type",), "A list can't be the key of a dict or the member of a set. Make it a tuple or a string."),
    # Functions and their results
    ("ValueError", ("not enough values to unpack", "too many values to unpack"), "That line unpacks more or fewer values than it was given. A cell and a model return a pair, and states are a list of one (h, c) per layer."),
    ("TypeError", ("cannot unpack non-iterable NoneType",), "A function gave back None where a pair was expected. Is its `return` missing, perhaps in one branch only?"),
    ("TypeError", ("cannot unpack non-iterable",), "That line unpacks several values and was given a single one. A cell and a model return a pair: what does yours return?"),
    ("TypeError", ("'NoneType' object", "'NoneType' and", "and 'NoneType'", "type 'NoneType'"), "Something is None here that should not be: a missing `return`, or states that were never made? The first call comes without states."),
    ("AttributeError", ("'NoneType' object has no attribute",), "Something is None here that should not be: a missing `return`, a gradient that never arrived, or states that were never made. Print what it is just before."),
    ("TypeError", ("required positional argument",), "A function was called with fewer arguments than it asks for. Compare the parameters, and their order, with the handout's."),
    ("TypeError", ("positional argument",), "A function was called with more arguments than it takes. Compare the parameters with the handout's; in a class the first is `self`."),
    ("TypeError", ("unexpected keyword argument",), "A function does not know one of its arguments by that name. Compare the parameters with the handout's."),
    ("AttributeError", ("before Module.__init__",), "`super().__init__()` has to come first in `__init__`."),
    ("AttributeError", ("has no attribute 'W_", "has no attribute 'b_", "has no attribute 'bias'"), "A parameter is missing or has another name. The handout's table lists the names."),
    ("AttributeError", ("'list' object has no attribute", "'tuple' object has no attribute"), "A list or a tuple is used like a tensor. States are a list of one (h, c) per layer: take the pair apart first."),
    ("AttributeError", ("'Tensor' object has no attribute",), "A tensor has nothing of that name. Is it a slip in the spelling, or should a list or a module stand there?"),
    ("TypeError", ("as parameter",), "A parameter was replaced by a plain tensor. Wrap it in `nn.Parameter`, or write into it under `torch.no_grad()`."),
    ("TypeError", ("is not a Module subclass",), "An `nn.ModuleList` holds modules only. Put the cells themselves into it."),
    ("TypeError", ("must be Tensor, not",), "A torch function was given something that is no tensor. `math` has functions for single numbers; make a tensor of a list first."),
    ("TypeError", ("object is not callable",), "Something is called that is no function: has a name been used twice, for a function and for its result?"),
    ("TypeError", ("'generator' object", "type 'generator'"), "A generator can be walked through once and has no length. Make a list of it where you need more."),
    ("TypeError", ("expected str instance", "can only concatenate str"), "Text is joined from characters only. Turn each index into its character with `idx_to_char` first."),
    ("TypeError", ("object does not support item assignment",), "A tuple can't be changed. Make a new pair (h, c), and a new list of them."),
    ("TypeError", ("cannot be interpreted as an integer", "must be tuple of ints, not float"), "A size or a count is a float. Divide whole numbers with `//`."),
    ("ValueError", ("only one element tensors can be converted", "expected sequence of length"), "`torch.tensor` makes a tensor of numbers, not of tensors or of rows of different lengths. Use `torch.stack` for tensors of one shape."),
    ("ValueError", ("arg is an empty sequence", "iterable argument is empty"), "The largest or smallest of nothing was asked for. Can the list be empty there, because no hypothesis is live or none has finished?"),
    # Python itself
    ("ZeroDivisionError", ("",), "Something is divided by zero: a mean over no batches, a size of 0, or a temperature of 0. Look at such cases before you divide."),
    ("RecursionError", ("",), "A function calls itself without an end, or once for each of very many steps. Check when it stops; a loop has no such limit."),
    ("UnboundLocalError", ("",), "A name is used before anything was assigned to it: the branch or the loop that does so did not run. Give it a value before."),
    ("NameError", ("",), "A name is used that was never defined. Is it a typing slip, a missing import, or a `self.` left out?"),
    ("ModuleNotFoundError", ("",), "A module is imported that is not there. Submissions may use torch, numpy, the standard library and their own files."),
    ("ImportError", ("cannot import name",), "A module does not define the name that is imported from it. Compare the spelling; do two files import each other?"),
    ("IndentationError", ("",), "The indentation of this line does not fit those around it. Indent by four spaces, and never by tabs."),
    ("SyntaxError", ("",), "Python can't read this line, or the one before it. Look for a bracket or a quote that was not closed."),
)  # fmt: skip


def explain(raised: dict[str, Any] | None) -> str | None:
    """Two sentences on what was raised, or None where there is nothing sure to say."""
    if raised is None:
        return None
    for kind, fragments, says in EXPLANATIONS:
        if raised.get("type") == kind and any(fragment in raised.get("text", "") for fragment in fragments):
            return says
    return None
