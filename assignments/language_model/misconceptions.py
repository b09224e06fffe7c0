"""Known wrong language models, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

LSTM, ANY = "CharLSTM", "CharRNN"

CHECK = "if cell_type not in list(CELLS):"
MESSAGE = "f\"cell_type is {cell_type!r}, expected one of {', '.join(CELLS)}\""
INPUT_SIZES = "input_sizes = [embed_size] + [hidden_size] * (num_layers - 1)"
CELLS = "self.cells = nn.ModuleList(CELLS[cell_type](size, hidden_size) for size in input_sizes)"
DEFAULT = "        if states is None:\n            states = self.zero_states(x)\n"
WALK_IN_TIME = "for inputs in self.embedding(x).unbind(dim=1):"
WALK_UP = "for cell, (h, c) in zip(self.cells, states, strict=True):"
STEP = "h, c = cell(inputs, h, c)"
KEEP = "new_states.append((h, c))"
NEXT_LAYER = "inputs = h  # what the next layer reads"
CARRY = "            states = new_states\n"
TOP = "tops.append(inputs)"
LOGITS = "logits = self.fc(torch.stack(tops, dim=1))"
RESULT = "return logits, states"
ZEROS = "zeros = torch.zeros(x.shape[0], self.hidden_size, dtype=self.fc.weight.dtype, device=x.device)"
LSTM_INIT = 'super().__init__(vocab_size, embed_size, hidden_size, num_layers, cell_type="lstm")'

MISCONCEPTIONS = (
    Misconception(
        "lm-layers-read-embedding",
        ANY,
        ((NEXT_LAYER, "top = h"), (TOP, "tops.append(top)")),
        "One layer is right; with more, a shape error, because a further layer takes H values and gets E.",
        "It seems that every layer is given the embedded character. Only the lowest one reads it: what does the layer "
        "above it read? The sizes of the cells in the handout tell.",
    ),
    Misconception(
        "lm-all-layers-take-embed-size",
        ANY,
        ((INPUT_SIZES, "input_sizes = [embed_size] * num_layers"),),
        "One layer is right; further cells have W_x of the wrong width.",
        "It seems that every cell is built for inputs of the embedding's size. Only the lowest layer reads "
        "embeddings; the others read something of another size.",
    ),
    Misconception(
        "lm-one-layer",
        ANY,
        ((INPUT_SIZES, "input_sizes = [embed_size]"),),
        "One cell whatever num_layers says.",
        "The model seems to have one layer, however many are asked for. Follow num_layers from its parameter to where "
        "the cells are made.",
    ),
    Misconception(
        "lm-shared-cell",
        ANY,
        (
            (
                CELLS,
                "lowest, *others = (CELLS[cell_type](size, hidden_size) for size in input_sizes)\n"
                "        self.cells = nn.ModuleList([lowest] + [cell for cell in others[:1] for _ in others])",
            ),
        ),
        "Up to two layers all is right; from three on the upper layers are one object.",
        "The upper layers seem to be one and the same cell, entered several times. Multiplying a list repeats "
        "the object in it; each layer needs a cell of its own.",
    ),
    Misconception(
        "lm-cells-in-a-list",
        ANY,
        ((CELLS, CELLS.replace("nn.ModuleList(", "list(")),),
        "Forward is right; parameters() lacks the cells, so they are never trained or moved.",
        "The cells seem to be in a plain Python list. PyTorch does not look into one, so an optimiser would never "
        "see their parameters. There is a container made for this.",
    ),
    Misconception(
        "lm-c-to-next-layer",
        ANY,
        ((NEXT_LAYER, "inputs = c"),),
        "Right for RNN and GRU, whose two states are one; wrong for the LSTM.",
        "The next layer, and at the top the projection, seem to be given c. A cell has two states and shows only one "
        "of them to the outside.",
    ),
    Misconception(
        "lm-previous-h-to-next-layer",
        ANY,
        (
            (STEP, "before = h\n                h, c = cell(inputs, h, c)"),
            (NEXT_LAYER, "inputs = before if cell is not self.cells[-1] else h"),
        ),
        "One layer is right; with more, the upper layers lag a step behind.",
        "The upper layers seem to be a step late, as if they were given what the layer below had before this step "
        "rather than after it.",
    ),
    Misconception(
        "lm-state-not-updated",
        ANY,
        ((CARRY, ""), (RESULT, "return logits, new_states")),
        "The first character is right, and every step starts from the initial states.",
        "The first step is right, and from then on the model seems to have no memory: every step starts from the "
        "same states. What comes out of a step has to go into the next one.",
    ),
    Misconception(
        "lm-ignores-given-states",
        ANY,
        ((DEFAULT, "        states = self.zero_states(x)\n"),),
        "Right without states; whatever is passed in is replaced by zeros.",
        "The states that are passed in seem to have no influence: every call begins at zero. Zeros are meant only "
        "for calls that bring none.",
    ),
    Misconception(
        "lm-returns-first-states",
        ANY,
        (
            (DEFAULT, DEFAULT + "        first_states = states\n"),
            (RESULT, "return logits, first_states"),
        ),
        "Logits are right; the states returned are those of the beginning.",
        "The logits are right, but the states that come back seem to be those the sequence began with. Whoever "
        "carries them on would forget what was just read.",
    ),
    Misconception(
        "lm-returns-top-state-only",
        ANY,
        ((RESULT, "return logits, states[-1:]"),),
        "One layer is right; with more the list is too short.",
        "Only one pair of states seems to come back from a model of several layers. To go on from here, every layer "
        "needs its own.",
    ),
    Misconception(
        "lm-returns-states-top-first",
        ANY,
        ((RESULT, "return logits, states[::-1]"),),
        "One layer is right; with more the order is turned round.",
        "The states seem to come back with the top layer first, and are handed to the wrong layers by the next call. "
        "The handout says which end of the list is which.",
    ),
    Misconception(
        "lm-bottom-layer-to-logits",
        ANY,
        ((TOP, "tops.append(new_states[0][0])"),),
        "One layer is right; with more, the upper layers have no effect.",
        "The logits seem to be made from the lowest layer, so that the layers above it have no say. Which h is left "
        "when all layers have had their turn?",
    ),
    Misconception(
        "lm-one-state-for-all-layers",
        ANY,
        (
            (
                WALK_UP,
                "h, c = states[0]\n            for cell in self.cells:",
            ),
        ),
        "One layer is right; with more, a layer starts from the states of the layer below.",
        "The layers seem to share one h and one c: each overwrites what the one before it left. Every layer has "
        "states of its own.",
    ),
    Misconception(
        "lm-h-and-c-swapped",
        ANY,
        ((KEEP, "new_states.append((c, h))"),),
        "Right for one step, and for RNN and GRU; from the second step on an LSTM takes one for the other.",
        "h and c seem to have changed places between one step and the next. A state is the pair (h, c), in this order, "
        "wherever it is put away and taken up again.",
    ),
    Misconception(
        "lm-logits-from-c",
        ANY,
        ((TOP, "tops.append(c)"),),
        "Right for RNN and GRU; an LSTM's logits are made from its cell state.",
        "The logits seem to be made from the top layer's c. An LSTM keeps c to itself; what it shows is h.",
    ),
    Misconception(
        "lm-carries-h-only",
        ANY,
        ((KEEP, "new_states.append((h, torch.zeros_like(c)))"),),
        "Right for one step, and for RNN and GRU; the LSTM's c begins at zero in every step.",
        "h is carried from step to step, but c seems to begin at zero each time. An LSTM's long memory sits in c.",
    ),
    Misconception(
        "lm-steps-first",
        ANY,
        ((LOGITS, LOGITS.replace("dim=1", "dim=0")),),
        "Logits of shape (T, B, V); the same shape where T = B.",
        "The logits seem to come with time before batch. Stacking puts the new axis where you tell it to: the handout "
        "wants (B, T, V).",
    ),
    Misconception(
        "lm-reshape-for-transpose",
        ANY,
        ((LOGITS, "logits = self.fc(torch.stack(tops).reshape(*x.shape, -1))"),),
        "The right shape with rows and steps mixed; right where B or T is 1.",
        "The shape is right, but the numbers belong to other rows and steps. Reshape does not exchange two axes: it "
        "deals the same numbers out in another order.",
    ),
    Misconception(
        "lm-walks-over-rows",
        ANY,
        (
            (WALK_IN_TIME, WALK_IN_TIME.replace("dim=1", "dim=0")),
            (LOGITS, LOGITS.replace("dim=1", "dim=0")),
            (ZEROS, ZEROS.replace("x.shape[0]", "x.shape[1]")),
        ),
        "Logits of the right shape, in which each row continues the row above it.",
        "It seems that the loop runs over the rows of x rather than over its steps: the rows, which should know "
        "nothing of each other, are read one after the other. Which axis of x is time?",
    ),
    Misconception(
        "lm-last-step-only",
        ANY,
        ((LOGITS, "logits = self.fc(tops[-1])"),),
        "Logits of shape (B, V).",
        "Logits seem to be made for the last character only. The model should say after every character what may "
        "come next: (B, T, V).",
    ),
    Misconception(
        "lm-probabilities",
        ANY,
        ((LOGITS, "logits = torch.softmax(self.fc(torch.stack(tops, dim=1)), dim=-1)"),),
        "Outputs are positive and sum to 1; training slows down because softmax is taken twice.",
        "What comes back seems to be probabilities: each row sums to 1. Logits are what a softmax is taken of later, "
        "by the loss and by the sampler.",
    ),
    Misconception(
        "lm-log-probabilities",
        ANY,
        ((LOGITS, "logits = torch.log_softmax(self.fc(torch.stack(tops, dim=1)), dim=-1)"),),
        "Training is the same, but the outputs are not fc's.",
        "What comes back seems to be log-probabilities. The promise is fc's output as it is; normalising is up to "
        "whoever uses it.",
    ),
    Misconception(
        "lm-detaches-given-states",
        ANY,
        (
            (
                DEFAULT,
                DEFAULT + "        states = [(h.detach(), c.detach()) for h, c in states]\n",
            ),
        ),
        "Numbers are right; no gradient reaches the states passed in.",
        "The numbers are right, but the states that are passed in seem to be cut off from the graph. Whether to "
        "cut is a decision of the training loop, which may want the gradient.",
    ),
    Misconception(
        "lm-detaches-every-step",
        ANY,
        ((STEP, "h, c = cell(inputs, h.detach(), c.detach())"),),
        "Numbers are right; gradients reach one step back and no further.",
        "The numbers are right, but gradients seem to end at the step they come from: the states are detached inside "
        "the loop. Then nothing can be learned that needs two steps.",
    ),
    Misconception(
        "lm-detaches-between-layers",
        ANY,
        (
            (
                NEXT_LAYER,
                "inputs = h if cell is self.cells[-1] else h.detach()",
            ),
        ),
        "Numbers are right; the lower layers and the embedding get no gradient through the layers above.",
        "The numbers are right, but no gradient seems to come down from one layer to the one below. Something is "
        "detached on the way up.",
    ),
    Misconception(
        "lm-overwrites-the-list",
        ANY,
        (
            (
                f"            new_states = []\n            {WALK_UP}",
                "            for layer, cell in enumerate(self.cells):\n                h, c = states[layer]",
            ),
            (KEEP, "states[layer] = (h, c)"),
            (CARRY, ""),
        ),
        "Everything is right but the caller's list, which holds the new states afterwards.",
        "The list that was passed in seems to hold other states afterwards. A caller who starts twice from the same "
        "states would not; put the new ones into a list of your own.",
    ),
    Misconception(
        "lm-overwrites-the-states",
        ANY,
        (
            (
                RESULT,
                "given = self.given or []\n"
                "        for (h, c), (new_h, new_c) in zip(given, states):\n"
                "            h.data.copy_(new_h)\n"
                "            c.data.copy_(new_c)\n"
                "        return logits, states",
            ),
            (DEFAULT, "        self.given = states\n" + DEFAULT),
        ),
        "Everything is right but the caller's tensors, which hold the new states afterwards.",
        "The tensors that were passed in seem to hold other numbers afterwards. They belong to the caller, who may "
        "start from them once more.",
    ),
    Misconception(
        "lm-remembers-between-calls",
        ANY,
        (
            (
                DEFAULT,
                "        if states is None:\n            states = getattr(self, 'last', None) or self.zero_states(x)\n",
            ),
            (RESULT, "self.last = states\n        return logits, states"),
        ),
        "The first call is right; the next one without states goes on from it, or fails with another batch size.",
        "A second call without states seems to go on where the first one ended, so something is kept in the model. "
        "No states means zeros, each time anew.",
    ),
    Misconception(
        "lm-random-start",
        ANY,
        ((ZEROS, ZEROS.replace("torch.zeros(", "torch.randn(")),),
        "Two calls without states differ.",
        "Without states the model seems to start from random numbers, so that the same text gives other logits each "
        "time. The handout says what to start from.",
    ),
    Misconception(
        "lm-ones-start",
        ANY,
        ((ZEROS, ZEROS.replace("torch.zeros(", "torch.ones(")),),
        "The first steps are off, then it fades.",
        "Without states the model seems to start from ones. The handout says what to start from.",
    ),
    Misconception(
        "lm-learned-start",
        ANY,
        (
            (
                "self.hidden_size = hidden_size",
                "self.hidden_size = hidden_size\n        self.start = nn.Parameter(torch.zeros(hidden_size))",
            ),
            (ZEROS, "zeros = self.start.expand(x.shape[0], -1)"),
        ),
        "The state to start from is a parameter: zeros until it is trained.",
        "Without states the model seems to start from a parameter of its own. It is zero at first, and training moves "
        "it; the handout wants zeros at every call.",
    ),
    Misconception(
        "lm-always-lstm",
        ANY,
        ((CELLS, CELLS.replace("CELLS[cell_type]", "LSTMCellFromScratch")),),
        "cell_type is checked and then not used.",
        "The model seems to have LSTM cells whatever cell_type says. Follow cell_type from its parameter to where the "
        "cells are made.",
    ),
    Misconception(
        "lm-key-error",
        ANY,
        ((CHECK, "if False:"),),
        "An unknown cell_type ends in the dictionary's KeyError.",
        "An unknown cell_type seems to raise KeyError, as a dictionary does. The promise is a ValueError, whose text "
        "tells what would have been accepted.",
    ),
    Misconception(
        "lm-error-names-nothing",
        ANY,
        ((MESSAGE, 'f"unknown cell_type {cell_type!r}"'),),
        "The right exception with a text that does not help.",
        "An unknown cell_type raises a ValueError, but its text seems not to name the types that there are. Whoever "
        "mistyped one would like to read them.",
    ),
    Misconception(
        "lm-unknown-is-lstm",
        ANY,
        ((CHECK, "if cell_type not in list(CELLS):\n            cell_type = 'lstm'\n        if False:"),),
        "A typing error in cell_type goes unnoticed.",
        "A model with an unknown cell_type seems to be made without a word. A typing error would then go unnoticed, or "
        "come to light far from where it was made.",
    ),
    Misconception(
        "lm-charlstm-one-layer",
        LSTM,
        ((LSTM_INIT, 'super().__init__(vocab_size, embed_size, hidden_size, cell_type="lstm")'),),
        "CharLSTM has one layer whatever num_layers says.",
        "CharLSTM seems to have one layer, however many are asked for. Follow num_layers from its parameter to where "
        "it is used.",
    ),
    Misconception(
        "lm-turns-gradients-off",
        ANY,
        ((DEFAULT, "        torch.set_grad_enabled(self.training)\n" + DEFAULT),),
        "Gradients are on after every call in training mode, also where the caller had turned them off.",
        "After the call grad mode seems to be different from what it was before. It belongs to the caller: a model "
        "that sets it changes it for the whole program.",
    ),
    Misconception(
        "lm-batch-of-one-squeezed",
        ANY,
        ((RESULT, "return logits.squeeze(0), states"),),
        "Right for two rows or more; one row loses its axis.",
        "With a batch of one row an axis seems to be missing from the logits. Squeezing drops every axis of that "
        "length, also one that happens to be 1.",
    ),
)
