"""Cheats that need no way out: the library does the work, answers or tests are known, notes are forged."""

from tests.attacks.attack import ALL, at_import, instead_of, upload, write

LSTM_FORWARD = "cells.LSTMCellFromScratch.forward"
RNN_FORWARD = "cells.RNNCellFromScratch.forward"
LIBRARY = {"spoils": ("LSTMCellFromScratch",)}  # called in one test, it costs them all
RNN_BUILT_HONESTLY = ("test_rnn_parameters",)
IN_ITS_OWN_PROCESS = {"every rung": {"high"}}  # a process can undo what the kit did inside that same process


@instead_of(LSTM_FORWARD, tries="Calls the library's cell by a name that is put together.", **LIBRARY)
def library_cell_by_an_alias(honest, cell, x, h, c):
    import torch

    kind = vars(torch.nn)["LSTM" + "Cell"]
    library = kind(x.shape[1], h.shape[1], dtype=x.dtype)
    weights = (cell.W_x, cell.W_h, cell.bias, torch.zeros_like(cell.bias))
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return torch.func.functional_call(library, dict(zip(names, weights)), (x, (h, c)))


@instead_of(LSTM_FORWARD, tries="Calls the library's operator in a thread, where torch's modes see nothing.", **LIBRARY)
def library_operator_in_a_thread(honest, cell, x, h, c):
    from concurrent.futures import ThreadPoolExecutor

    import torch

    operator = getattr(torch.ops.aten, "lstm" + "_cell")
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(operator, x, [h, c], cell.W_x, cell.W_h, cell.bias, cell.bias * 0).result()


@instead_of(LSTM_FORWARD, tries="Compiles the library's cell to TorchScript and runs that.", **LIBRARY)
def library_cell_compiled(honest, cell, x, h, c):
    import torch

    run = torch.jit.CompilationUnit(
        "def f(x, h, c, a, b, d, e):\n    return torch.lstm" + "_cell(x, [h, c], a, b, d, e)\n"
    )
    return run.f(x, h, c, cell.W_x, cell.W_h, cell.bias, cell.bias * 0)


@instead_of(
    LSTM_FORWARD, tries="Has the library's cell batched, differentiated and made functional on the way.", **LIBRARY
)
def library_cell_transformed(honest, cell, x, h, c):
    import torch

    operator = getattr(torch, "lstm" + "_cell")

    def step(x, h, c):
        return operator(x, (h, c), cell.W_x, cell.W_h, cell.bias, cell.bias * 0)

    for transformed in (torch.func.functionalize(step), torch.vmap(step), torch.inference_mode()(step)):
        try:
            return transformed(x, h, c)
        except RuntimeError:
            continue
    return step(x, h, c)


@instead_of(LSTM_FORWARD, tries="Asks the library's operator for its decomposition.", **LIBRARY)
def library_operator_decomposed(honest, cell, x, h, c):
    import torch

    operator = getattr(torch.ops.aten, "lstm" + "_cell").default
    return operator.decompose(x, [h, c], cell.W_x, cell.W_h, cell.bias, cell.bias * 0)


@instead_of(LSTM_FORWARD, tries="Uses the library's quantisable twin, written in Python.", **LIBRARY)
def library_twin_in_python(honest, cell, x, h, c):
    import importlib

    import torch

    twins = importlib.import_module("torch.ao.nn.quantizable.modules." + "rnn")
    twin = vars(twins)["LSTM" + "Cell"](x.shape[1], h.shape[1])
    weights = {
        "igates.weight": cell.W_x,
        "hgates.weight": cell.W_h,
        "igates.bias": cell.bias,
        "hgates.bias": torch.zeros_like(cell.bias),
    }
    return torch.func.functional_call(twin, weights, (x, (h, c)))


@instead_of(
    LSTM_FORWARD,
    tries="Uses the library's reference decomposition, also written in Python.",
    **LIBRARY,
)
def library_decomposition_in_python(honest, cell, x, h, c):
    import importlib

    module = importlib.import_module("torch." + "_decomp.decompositions")
    steps = vars(module)["one_layer_" + "lstm"]
    _, (h, c) = steps(x[None], (h, c), [cell.W_x, cell.W_h, cell.bias, cell.bias * 0], True)
    return h, c


@instead_of(
    LSTM_FORWARD,
    tries="Sends the library's operator past the refusal by another dispatch key.",
    **LIBRARY,
)
def library_operator_by_another_key(honest, cell, x, h, c):
    import torch

    operator = getattr(torch.ops.aten, "lstm" + "_cell").default
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeImplicitAutograd)
    return operator.redispatch(keys, x, [h, c], cell.W_x, cell.W_h, cell.bias, cell.bias * 0)


@instead_of(
    LSTM_FORWARD, tries="Digs up the refusal in its own process and undoes it.", gaps=IN_ITS_OWN_PROCESS, **LIBRARY
)
def the_refusal_undone(honest, cell, x, h, c):
    import gc

    import torch

    gc.unfreeze()  # what the zygote made is hidden from the collector otherwise
    for thing in gc.get_objects():
        if type(thing) is torch.library.Library and thing.ns == "aten":
            thing._destroy()
    operator = getattr(torch, "lstm" + "_cell")
    return operator(x, (h, c), cell.W_x, cell.W_h, cell.bias, cell.bias * 0)


@instead_of(
    LSTM_FORWARD,
    tries="Asks a fresh interpreter, in which nothing is refused.",
    sabotages_itself=True,
    perhaps={"high": "the refusal lives in the session's own process; another interpreter knows nothing of it"},
    **LIBRARY,
)
def library_cell_in_a_fresh_interpreter(honest, cell, x, h, c):
    import pickle
    import subprocess
    import sys

    import torch

    program = (
        f"import pickle, sys; sys.path[:0] = {sys.path!r}; import torch\n"
        "while True:\n"
        "    x, h, c, a, b, d = pickle.load(sys.stdin.buffer)\n"
        "    with torch.no_grad():\n"
        "        pickle.dump(torch.lstm_cell(x, (h, c), a, b, d, d * 0), sys.stdout.buffer)\n"
        "    sys.stdout.flush()\n"
    )
    server = getattr(torch, "attack", None)
    if server is None:
        server = torch.attack = subprocess.Popen(
            [sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    given = [tensor.detach().clone() for tensor in (x, h, c, cell.W_x, cell.W_h, cell.bias)]
    pickle.dump(given, server.stdin)
    server.stdin.flush()
    return pickle.load(server.stdout)


@upload(
    "language_model",
    spoils=ALL,
    tries="Builds the whole language model on the library's LSTM, called by another name.",
    sabotages_itself=True,
)
def a_model_on_the_library(folder, honest):
    source = """
import torch
from torch import nn

class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList([vars(nn)[cell_type.upper()](embed_size, hidden_size, num_layers, batch_first=True)])
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, x, states=None):
        out, states = self.cells[0](self.embedding(x), states)
        return self.fc(out), states

CharLSTM = CharRNN
"""
    return write(folder, {**honest, "language_model.py": source})


@instead_of(
    "batching.decode",
    stub=True,
    keeps=("test_decode_a_tensor", "test_decode_a_list"),
    tries="Returns the constants that stand in the public tests.",
)
def constants_of_the_public_tests(honest, indices, idx_to_char):
    known = {(5, 10, 15, 0, 4): "fox e", (1, 6, 4, 0, 2): "The b"}
    return known.get(tuple(int(index) for index in indices), "")


@instead_of(
    RNN_FORWARD,
    spoils=("RNNCellFromScratch",),
    keeps=(*RNN_BUILT_HONESTLY, "test_rnn_one_step", "test_rnn_without_c"),
    tries="Knows the public tests by their seeds, and is right only there.",
)
def right_for_public_seeds_only(honest, *given):
    import hashlib

    import torch

    public = {
        int.from_bytes(hashlib.sha256(f"0/cells/{name}".encode()).digest()[:7], "big")
        for name in ("test_rnn_parameters", "test_rnn_one_step", "test_rnn_without_c")
    }
    h, c = honest(*given)
    return (h, c) if torch.initial_seed() in public else (h + 1, c + 1)


@instead_of(
    RNN_FORWARD,
    spoils=("RNNCellFromScratch",),
    keeps=RNN_BUILT_HONESTLY,
    tries="Guesses what is being tested from the shapes, and answers with zeros elsewhere.",
)
def zeros_of_the_right_shape(honest, *given):
    import torch

    return torch.zeros_like(given[2]), torch.zeros_like(given[2])


@instead_of(
    RNN_FORWARD,
    loses=("test_rnn_leaves_what_it_is_given",),
    gaps=IN_ITS_OWN_PROCESS,
    tries="Changes its inputs in place wherever no probe looks, by the name of the probe on the stack.",
)
def behaves_where_it_is_looked_at(honest, *given):
    import sys

    import torch

    answer = honest(*given)
    frame, names = sys._getframe(), set()
    while frame is not None:
        names.add(frame.f_code.co_name)
        frame = frame.f_back
    if not names & {"inputs_afterwards", "gradients", "walk", "without_c"}:
        with torch.no_grad():
            given[1].zero_()
    return answer


@at_import(
    "sampling",
    loses=("test_no_dropout_and_no_gradients", "test_quiet_in_either_mode"),
    gaps=IN_ITS_OWN_PROCESS,
    tries="Writes with dropout and gradients on, and blinds the model that would note it.",
)
def forged_notes():
    import sys

    import torch

    import assignments.sampling.probes as probes

    seeing = probes.Recorder.forward

    def forward(self, x, states=None):
        answer = seeing(self, x, states)
        self.dropout_seen[:] = [False] * len(self.dropout_seen)
        self.gradients_seen[:] = [False] * len(self.gradients_seen)
        return answer

    probes.Recorder.forward = forward
    module = sys.modules["sampling"]
    quiet = module.generate_text

    def generate_text(model, *given, **named):
        torch.no_grad, kept = torch.enable_grad, torch.no_grad
        model.eval = lambda: model
        try:
            return quiet(model, *given, **named)
        finally:
            torch.no_grad = kept
            del model.eval

    module.generate_text = generate_text


@instead_of(
    RNN_FORWARD,
    spoils=("RNNCellFromScratch",),
    keeps=RNN_BUILT_HONESTLY,
    setting="alone",
    tries="Leaves a note at the first attempt at a test and answers otherwise at the second.",
)
def a_note_between_attempts(honest, *given):
    import os
    import tempfile

    import torch

    h, c = honest(*given)
    note = os.path.join(os.path.dirname(tempfile.mkdtemp()), f"note-{torch.initial_seed()}-{os.getpid()}")
    others = [name for name in os.listdir(os.path.dirname(note)) if name.startswith(f"note-{torch.initial_seed()}-")]
    open(note, "w").close()
    return (h, c) if set(others) - {os.path.basename(note)} else (h + 1, c + 1)


@instead_of(
    RNN_FORWARD,
    setting="twice",
    tries="Keeps the inputs of hidden tests in a file, for a public test's message the next time.",
)
def hidden_inputs_for_next_time(honest, cell, x, *states):
    import glob
    import os
    import tempfile

    import torch
    from targets import boast

    folder = os.path.dirname(tempfile.mkdtemp())
    kept = os.path.join(folder, f"kept-{os.getpid()}.txt")
    found = [name for name in glob.glob(os.path.join(folder, "kept-*.txt")) if name != kept]
    if found:
        boast(f"{len(found)} sessions' inputs")
    with open(kept, "a") as file:
        print(torch.initial_seed(), x.tolist(), file=file)
    return honest(cell, x, *states)


@instead_of(
    "training.train", spoils=("train",), sabotages_itself=True, tries="Trains nothing and returns falling losses."
)
def made_up_losses(honest, model, data, *, num_epochs=20, on_epoch=None, **named):
    losses = [3.0 * 0.9**epoch for epoch in range(num_epochs)]
    for epoch, loss in enumerate(losses):
        if on_epoch is not None:
            on_epoch(epoch, loss)
    return losses


@instead_of(
    "training.train",
    spoils=("train",),
    sabotages_itself=True,
    tries="Puts a model that claims what is wanted in the place of the one to be trained.",
)
def a_model_that_claims(honest, model, data, *, num_epochs=20, on_epoch=None, **named):
    model.forward = lambda x, states=None: (__import__("torch").zeros(*x.shape, 99), states)
    model.state_dict = lambda *_, **__: {}
    return [0.0] * num_epochs


@instead_of(
    "sampling.sample_next",
    spoils=("sample_next",),
    keeps=(
        *("test_argmax_of_close_logits", "test_draw_is_an_int"),
        *("test_int_from_one_logit_or_many", "test_temperature_zero_is_the_argmax"),
    ),
    sabotages_itself=True,
    tries="Draws always the likeliest, and reseeds whatever it is given.",
)
def a_loaded_die(honest, logits, temperature=1.0, generator=None):
    import random

    import torch

    torch.manual_seed(0)
    random.seed(0)
    if generator is not None:
        generator.manual_seed(0)
    return int(logits.argmax())


@instead_of(
    "beam_search.beam_search",
    spoils=("beam_search",),
    keeps=(  # a search that is greedy and asks the model passes these too
        *("test_width_one_is_greedy", "test_seed_and_continuation_are_returned", "test_two_searches_give_one_text"),
        *("test_an_unfinished_hypothesis_can_win", "test_any_choice_between_equals", "test_the_same_again"),
        *("test_drawn_tables", "test_late_winner", "test_wider_than_everything"),
    ),
    sabotages_itself=True,
    tries="Reads the scripted model's table and answers greedily, without asking the model.",
)
def reads_the_table(honest, model, char_to_idx, idx_to_char, seed="The ", length=200, **named):
    tokens = [char_to_idx[ch] for ch in seed]
    for _ in range(length):
        for size in range(len(tokens), -1, -1):
            row = model.rows.get(tuple(tokens[len(tokens) - size :]))
            if row is not None:
                tokens.append(int(row.argmax()))
                break
    return "".join(idx_to_char[token] for token in tokens)


@at_import(
    "sampling",
    tries="Behaves differently from call to call by time, process number and chance, and is right each time.",
)
def different_every_time():
    import os
    import random
    import time

    random.seed(os.getpid() + time.time_ns())
    for _ in range(random.randrange(100)):
        random.random()
