"""Explains the errors that Python and torch raise most often in students' code.

Matched by exception type and a fragment of the text, since the texts change between versions; a pattern
stands where a fragment would fit too much. The first entry that fits is taken, so the particular stands
before the general. Each says what the error means in this lesson and one thing to do next. The
explanations are ours and quote nothing, so a hidden test may show one too.
"""

from __future__ import annotations

import re
from typing import Any

_READ_AT_MOST = 2000  # characters of an error's text: a pattern may take the square of them
# What tensors have; of the first, modules and most people's own classes have none.
_TENSORS_ONLY = "argmax|detach|item|reshape|shape|squeeze|tolist|transpose|unbind|unsqueeze|view"
_OF_TENSORS = f"{_TENSORS_ONLY}|T|backward|clone|cpu|cuda|device|dim|double|dtype|float|grad|long|mT|mean|numel|requires_grad|size|softmax|sum|to"
_NO_GPU = "That line asks for a GPU, and there is none here. Work on the device that is passed in, or on that of your inputs: `x.device`."
_PAIR = "A tuple stands where a tensor is wanted: take it apart first. Cells and models return a pair, and `nn.GRU`, `nn.RNN` and their cells are given h alone."


def _asked(of: str, names: str) -> re.Pattern[str]:
    """What an object of this kind is told that has none of these attributes."""
    return re.compile(rf"'(?:{of})' object has no attribute '(?:{names})'")


# (exception type, fragments or patterns of its text of which one is enough, what to say)
EXPLANATIONS: tuple[tuple[str, tuple[str | re.Pattern[str], ...], str], ...] = (
    # Shapes
    ("RuntimeError", ("shapes cannot be multiplied", "size mismatch, got input", "Expected size for first two dimensions", "inconsistent tensor size, expected tensor"), "A matrix product got sizes that do not fit. Print both shapes: is a transpose missing (weights are stored (out, in)), was a layer made for another size, or should `*` stand there and not `@`?"),
    ("RuntimeError", ("self must be a matrix", "mat2 must be a matrix"), "`mm` multiplies two matrices, and one of these has more or fewer dimensions. Print both shapes; `@` takes a batch of matrices too."),
    ("RuntimeError", ("must be batches of square matrices",), "Only a square matrix has eigenvalues, a determinant or an inverse, and this one is not square. What the handout asks for, a matrix of any shape has."),
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
    ("RuntimeError", ("Boolean value of Tensor with more than one value",), "A condition was given a whole tensor. Reduce it first: `.all()`, `.any()`, `.item()`. Where tuples are sorted, equal scores are told apart by the tensors behind them: order by the score alone."),
    ("RuntimeError", ("cannot be converted to Scalar",), "A whole tensor stands where one number is needed. Pick the entry you mean, or reduce the tensor first: `.mean()`, `.sum()`."),
    # The library's recurrent cells
    ("ValueError", ("Expected input to be 2D or 3D",), "`nn.LSTM`, `nn.GRU` and `nn.RNN` take (T, B, I), or (B, T, I) with `batch_first=True`. Print the input's shape: is a dimension missing, or one too many?"),
    ("RuntimeError", ("must be equal to input_size", "input has inconsistent input_size"), "The last dimension of a library cell's input is not the size it was made for. Print the shape. Was the cell made for the size of the embedding, and is the input embedded?"),
    ("RuntimeError", (re.compile(r"^Expected hidden(\[\d\])? size"), re.compile(r"\bhx (and cx )?should also be")), "The states do not fit the input: `nn.LSTM`, `nn.GRU` and `nn.RNN` want them as (layers, B, H), even with `batch_first=True`. Print both shapes: does the layer look for B where your input has it?"),
    ("ValueError", (re.compile(r"Cell: Expected (input|hx\[\d\]|hidden) to be 1D or 2D"),), "`nn.LSTMCell` and its kin do one step: the input is (B, I), each state is (B, H). Print the shapes: is there a dimension too many, of time or of layers?"),
    ("RuntimeError", ("has inconsistent hidden_size", "doesn't match hidden0 batch size", "doesn't match hidden1 batch size"), "The states of a library cell are (B, H): B that of its input, H the size it was made with. Print the shapes of both."),
    ("TypeError", ("argument 'hx' (position 2) must be tuple of Tensors",), "`nn.LSTMCell` takes its states as one pair (h, c), and was given a single tensor. `nn.GRUCell` and `nn.RNNCell` have h alone."),
    ("TypeError", (re.compile(r"\b(LSTM|GRU|RNN)(Cell)?\.forward\(\) takes from 2 to 3 positional"),), "A library cell takes its input and one thing more, the states: a pair (h, c) for the LSTMs, h alone for the others."),
    ("ValueError", ("RNN input dtype",), "A library cell's input has another dtype than its weights. Are these indices that were not embedded, or did float64 meet float32? Print the dtype of the input."),
    # Kinds of numbers and places
    ("RuntimeError", (re.compile(r"the same dtype, but got:? .*\b([Ll]ong|[Ii]nt)\b"),), "Whole numbers and floats met in one product. Are these indices that should have been embedded first? If they are numbers to reckon with, make floats of them."),
    ("RuntimeError", ("must have the same dtype", "to have the same dtype", "expected scalar type Double", "expected scalar type Float"), "float32 and float64 met in one product. Make new tensors like the input: `x.new_zeros(…)` follows its dtype and its device."),
    ("RuntimeError", ("expected target dtype to be Long", "expected scalar type Long", "have one of the following scalar types: Long", "dtype int32/int64 for index"), "Indices and targets have to be whole numbers. Make them with `dtype=torch.long`."),
    ("IndexError", ("tensors used as indices must be long",), "Indices have to be whole numbers. Make them with `dtype=torch.long`."),
    ("NotImplementedError", ("not implemented for 'Long'", "not implemented for 'Int'"), "Softmax and its kin are for floats, and these are whole numbers. Are the logits what you passed, or the indices?"),
    ("RuntimeError", ("can't be cast to the desired output type",), "A result with a fraction can't be written into a tensor of whole numbers. Make a new tensor instead of working in place."),
    ("RuntimeError", ("Only Tensors of floating point",), "Only floats can have gradients. Give the tensor a float dtype; indices need no gradient."),
    ("RuntimeError", ("Expected all tensors to be on the same device", "is not on the expected device"), "Some tensors are on another device. Make new ones on the device of the input: `x.new_zeros(…)`, and send batches with `.to(device)`."),
    ("AssertionError", (re.compile(r"^Torch not compiled with \w+ enabled"),), _NO_GPU),
    ("RuntimeError", ("Found no NVIDIA driver", "No CUDA GPUs are available", "Cannot get CUDA generator without"), _NO_GPU),
    # Gradients
    ("RuntimeError", ("backward through the graph a second time",), "The backward pass went through one graph twice. From batch to batch, cut both h and c off from the graph they came with; for several gradients of one loss, ask for all of them in one backward pass."),
    ("RuntimeError", ("leaf Variable that requires grad is being used in an in-place",), "A tensor that collects a gradient, a parameter or an input, was changed in place (`+=`, `copy_`, `x[…] =`). Make a new tensor instead; initial values may be set under `torch.no_grad()`."),
    ("RuntimeError", ("This view is the output of a function that returns multiple views",), "A piece of a tensor was changed in place (`+=`, `copy_` and the like): one that `unbind`, `split`, `chunk` or a loop over the tensor gave. Make a new tensor instead: `a = a + b`."),
    ("RuntimeError", ("modified by an inplace operation",), "A tensor that the backward pass still needs was changed in place (`+=`, `copy_` and the like). Make a new tensor instead."),
    ("RuntimeError", ("does not require grad and does not have a grad_fn",), "What the backward pass starts from has no graph behind it. Look for a `detach`, an `.item()` or a `no_grad` on the way there from the model."),
    ("RuntimeError", ("implicitly created only for scalar outputs",), "A backward pass starts from one number, and this is a tensor of several. Which number does the handout take the gradient of? Reduce the tensor to that first."),
    ("RuntimeError", ("`inputs` argument to `grad()` cannot be empty", "grad requires non-empty inputs"), "`torch.autograd.grad` was asked for the gradients of no tensors at all: the list it was given is empty. Did the loop that fills it run?"),
    ("RuntimeError", ("appears to not have been used in the graph",), "A gradient was asked for a tensor that the result was not computed from. Is it the very tensor that the next step was given, not a copy, a stack or a slice of it?"),
    ("RuntimeError", ("One of the differentiated Tensors does not require grad",), "A gradient was asked for a tensor that has no part in any graph. Was it computed under `no_grad`, detached, or made from something that needs no gradient?"),
    ("RuntimeError", ("numpy() on Tensor that requires grad",), "This tensor is still part of a graph. Detach it first, or work under `torch.no_grad()`."),
    ("RuntimeError", ("support the deepcopy protocol",), "A tensor that is part of a graph can't be deep-copied. Detach the states, or copy them with `.clone()`."),
    ("RuntimeError", ("Inference tensors cannot be saved", "inference tensor outside InferenceMode"), "A tensor made in inference mode came back to be trained with. Use `torch.no_grad()` there, or make the tensor outside."),
    ("ValueError", ("optimizer got an empty parameter list",), "The optimiser was given nothing to train. Are the weights `nn.Parameter`s, and the cells in an `nn.ModuleList`?"),
    # Functions of one's own for autograd
    ("RuntimeError", ("Legacy autograd function with non-static forward",), "A `torch.autograd.Function` is not called like a module: its class has `.apply` for that. `forward` and `backward` are static methods, and their first argument is `ctx`."),
    ("RuntimeError", ("returned an incorrect number of gradients",), "`backward` returns one gradient for each argument that `forward` has after `ctx`, in the same order, with None where none is needed. Count both."),
    ("RuntimeError", ("returned an invalid gradient at index",), "A gradient has the shape of what it belongs to, and `backward` returns them in the order of `forward`'s arguments. Print both shapes at the index that torch names."),
    ("RuntimeError", ("expected Variable or None",), "`backward` returns tensors or None, one for each argument of `forward` after `ctx`. Something else is among them: is a pair inside the tuple, or a number?"),
    ("TypeError", ("save_for_backward can only save variables",), "`ctx.save_for_backward` takes tensors, one by one: put a `*` before a list of them. Anything else can be kept as an attribute of `ctx`."),
    ("NotImplementedError", ("You must implement either the backward or vjp method",), "This Function has no `backward`. Is it misspelled, or indented out of the class?"),
    ("AttributeError", (re.compile(r"'\w+Backward' object has no attribute"),), "`ctx` has nothing of that name. `backward` finds what `forward` left there: its attributes, and what it saved, in `ctx.saved_tensors`."),
    ("TypeError", (re.compile(r"(?<!Tensor)\.backward\(\) (takes|missing) .*positional argument"),), "Autograd calls a Function's `backward` with `ctx` and one gradient for each tensor that `forward` returned. Do its parameters say so?"),
    # Sampling and searching
    ("RuntimeError", ("probability tensor contains either",), "The sampler was given something that is not a distribution: raw logits, or numbers that overflowed. Take the softmax of the scaled logits."),
    ("RuntimeError", ("invalid multinomial distribution",), "All probabilities are 0, so nothing can be drawn. Did an exponential underflow? Softmax takes care of that."),
    ("ValueError", ("to satisfy the constraint",), "The sampler was given logits that are not numbers any more. Was there a division by a temperature of 0?"),
    ("OverflowError", ("math range error", "too large"), "An exponential is too large for a float. Subtract the largest logit first; the probabilities stay the same."),
    ("RuntimeError", ("selected index k out of range",), "More candidates were asked for than there are. The beam may be wider than the vocabulary: take no more than there are expansions."),
    # Looking things up
    ("IndexError", ("index out of range in self",), "An index is not below the size of the embedding. Do the vocabulary's numbers start at 0 and end at V − 1?"),
    ("IndexError", ("is out of bounds",), "An index points behind the end of a tensor. Print the index and the shape; targets lie from 0 to V − 1, steps from 0 to T − 1."),
    ("IndexError", ("list index out of range", "string index out of range", "tuple index out of range"), "A list, a tuple or a string is shorter than that line expects, or empty. Print its length just before: did the loop that fills it run, and are there as many states as layers?"),
    ("IndexError", ("pop from empty list", "pop from an empty deque", re.compile(r"^index out of range$")), "Something was taken out of an empty list or heap. Can it be empty there, because nothing was put in or all is used up? Look before you take."),
    ("TypeError", ("can be converted to an index",), "A tensor of several numbers stands where one index is needed. Take its entries one by one, or call `.tolist()` first."),
    ("TypeError", ("tuple indices must be integers or slices, not tuple",), _PAIR),
    ("TypeError", ("indices must be integers",), "A list or a string was indexed with something that is no whole number. `[row, step]` works on tensors only; and what is looked up by a character has to be a dict."),
    ("KeyError", ("tensor(",), "A dict does not find a number that is still inside a tensor. Turn it into an int first: `.item()` or `.tolist()`."),
    ("KeyError", ("'", '"'), "A key is missing in a dict: most likely a character that is not in the vocabulary. For those the handout expects a `ValueError`: look whether it is there before you use it."),
    ("KeyError", ("",), "A number is missing in a dict. Does the vocabulary count from 0, and are the two mappings passed in the right order?"),
    ("TypeError", ("unhashable type",), "A list can't be the key of a dict or the member of a set. Make it a tuple or a string."),
    # Functions and their results
    ("ValueError", ("not enough values to unpack", "too many values to unpack"), "That line unpacks more or fewer values than it was given. A cell and a model return a pair, and states are a list of one (h, c) per layer."),
    ("TypeError", ("cannot unpack non-iterable NoneType",), "A function gave back None where a pair was expected. Is its `return` missing, perhaps in one branch only?"),
    ("TypeError", ("cannot unpack non-iterable",), "That line unpacks several values and was given a single one. A cell and a model return a pair: what does yours return? A Function is called by `.apply`."),
    ("TypeError", ("'NoneType' object is not callable",), "None was called like a function. An argument that may be left out, as `on_epoch` may, is None then: look before you call it."),
    ("TypeError", ("'NoneType' object", "'NoneType' and", "and 'NoneType'", "type 'NoneType'", "not NoneType", "got NoneType", 'not "NoneType"'), "Something is None here that should not be: a missing `return`, an argument that was left out, or states that were never made? The first call comes without states."),
    ("AttributeError", ("'NoneType' object has no attribute",), "Something is None here that should not be: a missing `return`, a gradient that never arrived, or states that were never made. Print what it is just before."),
    ("TypeError", ("required positional argument",), "A function was called with fewer arguments than it asks for. Compare the parameters, and their order, with the handout's; a Function's `forward` is called by `.apply`."),
    ("TypeError", ("positional argument",), "A function was called with more arguments than it takes. Compare the parameters with the handout's; in a class the first is `self`, in a Function `ctx`."),
    ("TypeError", ("unexpected keyword argument",), "A function does not know one of its arguments by that name. Compare the parameters with the handout's."),
    ("AttributeError", ("before Module.__init__",), "`super().__init__()` has to come first in `__init__`."),
    ("AttributeError", ("has no attribute 'W_", "has no attribute 'b_", "has no attribute 'bias'"), "A parameter is missing or has another name. The handout's table lists the names."),
    ("AttributeError", (_asked("list", _OF_TENSORS),), "A list is used like a tensor. `torch.tensor` makes one of numbers and `torch.stack` one of tensors; states are a list of one (h, c) per layer."),
    ("AttributeError", (_asked("tuple", _OF_TENSORS),), _PAIR),
    ("AttributeError", (_asked("int|float", _OF_TENSORS),), "A plain number is used like a tensor. If the number is what you want, it is there already; if not, look where the tensor became one: `.item()`, `float()`, or a sum of nothing, which is 0."),
    ("AttributeError", (re.compile(r"has no attribute '(init_hidden|init_states?|initHidden|init_zero_state|initial_states?|zero_states?)'"),), "The models here promise no method that makes the first states, only `forward`. What does the handout say of a call without states?"),
    ("AttributeError", (_asked(r"(?!Tensor|NoneType)\w+", _TENSORS_ONLY),), "Something that is no tensor is used like one. Is it text that was not encoded, a module that was made but not called, or a Function called without `.apply`?"),
    ("AttributeError", ("'list' object has no attribute", "'tuple' object has no attribute"), "A list or a tuple has nothing of that name. Is it a slip in the spelling, or should a dict, a set or a tensor stand there?"),
    ("AttributeError", ("'Tensor' object has no attribute",), "A tensor has nothing of that name. Is it a slip in the spelling, or should a list or a module stand there?"),
    ("TypeError", ("as parameter",), "A parameter was replaced by a plain tensor. Wrap it in `nn.Parameter`, or write into it under `torch.no_grad()`."),
    ("TypeError", ("is not a Module subclass",), "An `nn.ModuleList` holds modules only. Put the cells themselves into it."),
    ("TypeError", ("must be Tensor, not tuple",), _PAIR),
    ("TypeError", ("must be Tensor, not",), "A torch function was given something that is no tensor. `math` has functions for single numbers; `torch.tensor` makes a tensor of a list of numbers, `torch.stack` of a list of tensors."),
    ("TypeError", ("object is not callable",), "Something is called that is no function. Has a name been used twice, for a function and for its result, or do brackets stand behind a plain value, as in `x.shape()`?"),
    ("TypeError", (re.compile(r"'[<>]=?' not supported between instances of '(\w+)' and '\1'"),), "Two things were compared that have no order. Where tuples are sorted, kept in a heap or given to `max`, equal scores are told apart by what stands behind them: order by the score alone."),
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
    text = raised.get("text", "")[:_READ_AT_MOST]
    for kind, fragments, says in EXPLANATIONS:
        if raised.get("type") == kind and any(_fits(fragment, text) for fragment in fragments):
            return says
    return None


def _fits(fragment: str | re.Pattern[str], text: str) -> bool:
    return fragment in text if isinstance(fragment, str) else fragment.search(text) is not None
