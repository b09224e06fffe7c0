"""Known wrong encoders, decoders, losses and schedules, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

ENCODER, DECODER, LOSS, GREEDY = "Encoder", "Decoder", "sequence_loss", "greedy_decode"
SCHEDULE = "teacher_forcing_probability"

UNKNOWN = """        raise ValueError(f"cell_type is {cell_type!r}, expected one of {', '.join(kinds)}")"""
PAIR = "return state if isinstance(state, tuple) else (state, state)"
EMBEDDING = "self.embedding = nn.Embedding(vocab_size, embed_size)"
READ = "_, last = self.layer(self.embedding(source))"
CONTEXT = "return h[0], c[0]"
STEP = "h, c = as_pair(self.cell(self.embedding(token), given))"
GIVEN = "given = (h, c) if isinstance(self.cell, nn.LSTMCell) else h"
ANSWER = "return self.fc(h), (h, c)"

START = "state = encoder(source)\n    losses = []"
DRAW = "torch.rand((), generator=generator, device=device) < teacher_forcing_prob"
FORCED = f"forced = {DRAW}"
TOKEN = "token = target[:, t - 1] if forced else own"
OWN = "own = logits.argmax(dim=1)"
LOOP = "    for t in range(1, target.shape[1]):"
ONE_STEP = "logits, state = decoder(token, state)\n        own"
PREDICTED = "losses.append(F.cross_entropy(logits, target[:, t]))"
MEAN = "return torch.stack(losses).mean()"

MODES = "modes = [(module, module.training) for part in (encoder, decoder) for module in part.modules()]"
EVAL = "    encoder.eval()\n    decoder.eval()\n"
FIRST = "token = torch.full_like(source[:, 0], start_token)"
WHILE = "while len(written) < max_len and not ended.all():"
WRITTEN = "token = logits.argmax(dim=1)\n                written.append(token.tolist())"
ENDED = "ended = ended | (token == end_token)"
DECODER_STEP = "                logits, state = decoder(token, state)\n                token"
CUT = "return [row[: row.index(end_token)] if end_token in row else row for row in rows]"

LINEAR = "return max(0.0, 1.0 - step / total_steps)"
EXPONENTIAL = "return float(k**step)"
SCALED = "scaled = k * math.exp(-step / k)"
FRACTION = "return scaled / (scaled + 1.0)"
K_BELOW_ONE = """        if k is None or not 0 < k < 1:
            raise ValueError(f"an exponential schedule needs a k between 0 and 1, not {k}")
"""
K_FROM_ONE = """        if k is None or not k >= 1:
            raise ValueError(f"an inverse_sigmoid schedule needs a k of at least 1, not {k}")
"""
NO_SCHEDULE = '    raise ValueError(f"schedule is {schedule!r}, expected linear, exponential or inverse_sigmoid")'

MISCONCEPTIONS = (
    Misconception(
        "encoder-not-batch-first",
        ENCODER,
        (("hidden_size, batch_first=True)", "hidden_size)"),),
        "A batch read as if its rows were steps; the context has a row for each step.",
        "It seems that the layer takes the rows of the batch for time steps. The layers of the library want time first "
        "unless they are told otherwise.",
    ),
    Misconception(
        "encoder-mean-of-states",
        ENCODER,
        (
            (READ, READ.replace("_,", "outputs,")),
            (CONTEXT, "return outputs.mean(dim=1), c[0] if isinstance(last, tuple) else outputs.mean(dim=1)"),
        ),
        "h is the average over all steps.",
        "The context seems to be an average over all steps. What is asked for is the state after the last token, which "
        "has heard of all the others.",
    ),
    Misconception(
        "encoder-first-state",
        ENCODER,
        (
            (READ, READ.replace("_,", "outputs,")),
            (CONTEXT, "return outputs[:, 0], c[0] if isinstance(last, tuple) else outputs[:, 0]"),
        ),
        "h is the state after the first token.",
        "The h of the context seems to be the one after the first token. By the end of the source it knows more.",
    ),
    Misconception(
        "encoder-reads-backwards",
        ENCODER,
        ((READ, "_, last = self.layer(self.embedding(source.flip(1)))"),),
        "The source is read from its end.",
        "It seems that the source is read from its last token to its first. The trick has its uses, but here the "
        "context is the state after the last token.",
    ),
    Misconception(
        "encoder-last-token-only",
        ENCODER,
        ((READ, "_, last = self.layer(self.embedding(source[:, -1:]))"),),
        "Only the last token is read.",
        "The context seems to depend on the last token alone. All of the source has to go through the recurrence.",
    ),
    Misconception(
        "encoder-adds-embeddings",
        ENCODER,
        ((READ, "_, last = self.layer(self.embedding(source).sum(dim=1, keepdim=True))"),),
        "A bag of tokens: their order is lost.",
        "The order of the source's tokens seems to make no difference. A recurrence reads them one after the other.",
    ),
    Misconception(
        "encoder-random-start",
        ENCODER,
        (
            (
                READ,
                "x = self.embedding(source)\n        start = torch.randn(1, x.shape[0], self.layer.hidden_size, "
                "dtype=x.dtype, device=x.device)\n        _, last = self.layer(x, (start, start) "
                "if isinstance(self.layer, nn.LSTM) else start)",
            ),
        ),
        "The recurrence starts from random numbers.",
        "The same source gives another context each time, as if the recurrence began with random numbers. It begins "
        "with zeros.",
    ),
    Misconception(
        "encoder-starts-from-ones",
        ENCODER,
        (
            (
                READ,
                "x = self.embedding(source)\n        start = x.new_ones(1, x.shape[0], self.layer.hidden_size)\n"
                "        _, last = self.layer(x, (start, start) if isinstance(self.layer, nn.LSTM) else start)",
            ),
        ),
        "The recurrence starts from ones.",
        "Before anything is read the state does not seem to be zero. The first token meets a state of zeros.",
    ),
    Misconception(
        "encoder-state-kept",
        ENCODER,
        (
            (
                READ,
                "x = self.embedding(source)\n        kept = getattr(self, 'kept', None)\n        _, last = "
                "self.layer(x, kept) if kept is not None and kept[0].shape[-2] == len(x) else self.layer(x)\n"
                "        self.kept = tuple(s.detach() for s in last) if isinstance(last, tuple) else last.detach()",
            ),
        ),
        "The state is kept in the module and goes on from call to call.",
        "A second call with the same source gives another context: it seems that the encoder goes on from the state of "
        "the call before. Every source is read from zeros.",
    ),
    Misconception(
        "encoder-c-is-zero",
        ENCODER,
        ((CONTEXT, "return h[0], torch.zeros_like(c[0])"),),
        "Only h is handed over; c is zero, for the RNN and the GRU too.",
        "Only h seems to be handed over, with zeros in the place of c. An LSTM's memory is in its c; and where there "
        "is only one state it comes twice.",
    ),
    Misconception(
        "encoder-h-twice-for-lstm",
        ENCODER,
        ((CONTEXT, "return h[0], h[0]"),),
        "The LSTM's c is lost.",
        "With an LSTM too h seems to be returned twice. An LSTM has a second state, c, which the decoder needs.",
    ),
    Misconception(
        "encoder-h-and-c-swapped",
        ENCODER,
        ((CONTEXT, "return c[0], h[0]"),),
        "(c, h) in place of (h, c).",
        "h and c seem to have changed places. The pair is (h, c), as the library's LSTM returns it.",
    ),
    Misconception(
        "encoder-layer-dimension-kept",
        ENCODER,
        ((CONTEXT, "return h, c"),),
        "States of shape (1, B, H).",
        "The states have one dimension too many: the library's layers return a state for each layer, and there is one.",
    ),
    Misconception(
        "encoder-detached",
        ENCODER,
        ((CONTEXT, "return h[0].detach(), c[0].detach()"),),
        "No gradient reaches the encoder.",
        "The context, or one of its two parts, has no gradient. What is cut off here the encoder can never learn.",
    ),
    Misconception(
        "encoder-detaches-c",
        ENCODER,
        ((CONTEXT, "return h[0], c[0].detach()"),),
        "What the decoder learns of c never reaches the encoder.",
        "The context, or one of its two parts, has no gradient. What is cut off here the encoder can never learn.",
        same_as="encoder-detached",
    ),
    Misconception(
        "encoder-padding-where-none-is",
        ENCODER,
        (
            (
                f"{EMBEDDING}\n        self.layer",
                "self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=0)\n        self.layer",
            ),
        ),
        "Token 0 is taken for padding and never learned.",
        "Token 0 seems to be taken for padding, so that its embedding never learns. Here nothing is padded and 0 is a "
        "token like any other.",
    ),
    Misconception(
        "encoder-cell-type-ignored",
        ENCODER,
        (("chosen(LAYERS, cell_type)(", "nn.LSTM("),),
        "An LSTM whatever is asked for; unknown types too.",
        "The encoder seems to be an LSTM whatever `cell_type` says. It chooses one of three, and refuses all else.",
    ),
    Misconception(
        "cell-type-key-error",
        ENCODER,
        ((UNKNOWN, "        raise KeyError(cell_type)"),),
        "A KeyError for an unknown cell type.",
        "An unknown `cell_type` raises something else than a ValueError. Looking it up in a dictionary is fine, but "
        "say in your own words what was wrong.",
    ),
    Misconception(
        "cell-type-falls-back",
        ENCODER,
        ((UNKNOWN, '        return kinds["lstm"]'),),
        "Unknown cell types become an LSTM in silence.",
        "An unknown `cell_type` seems to be accepted in silence. A slip in the name should be an error at once and not "
        "a mystery later.",
    ),
    Misconception(
        "decoder-forgets-state",
        DECODER,
        ((GIVEN, "given = None"),),
        "Every step begins from zeros.",
        "The state that the decoder is given seems to make no difference, as if every step began from zeros.",
    ),
    Misconception(
        "decoder-forgets-c",
        DECODER,
        ((GIVEN, GIVEN.replace("(h, c) if", "(h, torch.zeros_like(c)) if")),),
        "The LSTM's c is zero at every step.",
        "The c that the decoder is given seems to make no difference. An LSTM's cell works with both of its states.",
    ),
    Misconception(
        "decoder-returns-old-state",
        DECODER,
        (
            (STEP, "h_new, _ = as_pair(self.cell(self.embedding(token), given))"),
            (ANSWER, "return self.fc(h_new), (h, c)"),
        ),
        "The state that comes back is the one that went in.",
        "The decoder seems to return the state it was given. What it has just read belongs into the next state.",
    ),
    Misconception(
        "decoder-logits-of-old-state",
        DECODER,
        ((STEP, f"logits = self.fc(h)\n        {STEP}"), (ANSWER, "return logits, (h, c)")),
        "The logits are made from the state before the step, so they don't know the token.",
        "The token seems to make no difference to the logits of its own step. First the step, then the logits from "
        "what comes out of it.",
    ),
    Misconception(
        "decoder-logits-of-the-token",
        DECODER,
        ((ANSWER, "logits, _ = as_pair(self.cell(self.embedding(token)))\n        return self.fc(logits), (h, c)"),),
        "The logits come from the token alone.",
        "The state seems to make no difference to the logits, only the token does. The logits are made from the new h.",
    ),
    Misconception(
        "decoder-softmax",
        DECODER,
        ((ANSWER, "return self.fc(h).softmax(dim=1), (h, c)"),),
        "Probabilities where logits are promised; the loss takes the softmax of a softmax.",
        "The decoder returns probabilities. Cross-entropy wants logits and does the softmax itself; two of them "
        "flatten everything.",
    ),
    Misconception(
        "decoder-detaches-state",
        DECODER,
        ((ANSWER, "return self.fc(h), (h.detach(), c.detach())"),),
        "No gradient flows from one step to the one before.",
        "No gradient flows from a step to those before it, nor to the encoder. The state has to stay on the graph.",
    ),
    Misconception(
        "decoder-step-dimension-kept",
        DECODER,
        ((ANSWER, "return self.fc(h)[:, None], (h, c)"),),
        "Logits of shape (B, 1, V).",
        "The logits have a dimension for time, of size 1. The decoder makes a single step: (B, V).",
    ),
    Misconception(
        "decoder-h-twice-for-lstm",
        DECODER,
        ((ANSWER, "return self.fc(h), (h, h)"),),
        "The LSTM's new c is lost.",
        "h seems to be returned twice where c should be the second. The LSTM's memory is lost after every step.",
    ),
    Misconception(
        "decoder-cell-type-ignored",
        DECODER,
        (("chosen(CELLS, cell_type)(", "nn.LSTMCell("),),
        "An LSTM whatever is asked for; unknown types too.",
        "The decoder seems to be an LSTM whatever `cell_type` says. It chooses as the encoder does, and refuses all "
        "else.",
    ),
    Misconception(
        "decoder-cell-type-falls-back",
        DECODER,
        (("chosen(CELLS, cell_type)(", "CELLS.get(cell_type, nn.LSTMCell)("),),
        "Unknown cell types become an LSTM in silence, in the decoder only.",
        "The decoder seems to accept an unknown `cell_type` in silence. It refuses what the encoder refuses.",
    ),
    Misconception(
        "decoder-cell-type-key-error",
        DECODER,
        (("chosen(CELLS, cell_type)(", "CELLS[cell_type]("),),
        "A KeyError for an unknown cell type, in the decoder only.",
        "The decoder meets an unknown `cell_type` with something else than a ValueError. Say in your own words what "
        "was wrong, as the encoder does.",
    ),
    Misconception(
        "decoder-detaches-h",
        DECODER,
        ((ANSWER, "return self.fc(h), (h.detach(), c)"),),
        "Gradients flow back by c alone.",
        "A part of the gradient is lost between the steps, as if one of h and c were detached or made anew. Both have "
        "to stay on the graph.",
    ),
    Misconception(
        "decoder-detaches-c",
        DECODER,
        ((ANSWER, "return self.fc(h), (h, c.detach())"),),
        "Gradients flow back by h alone.",
        "A part of the gradient is lost between the steps, as if one of h and c were detached or made anew. Both have "
        "to stay on the graph.",
        same_as="decoder-detaches-h",
    ),
    Misconception(
        "loss-sees-the-answer",
        LOSS,
        ((TOKEN, TOKEN.replace("t - 1", "t")),),
        "The input is what is to be predicted.",
        "It seems that the decoder is fed the very token it has to predict. Its input is the one before.",
    ),
    Misconception(
        "loss-of-the-input",
        LOSS,
        ((PREDICTED, PREDICTED.replace("target[:, t]", "target[:, t - 1]")),),
        "The decoder is taught to repeat its input.",
        "It seems that the predictions are compared with the inputs and not with what comes next.",
    ),
    Misconception(
        "loss-summed-over-steps",
        LOSS,
        ((MEAN, "return torch.stack(losses).sum()"),),
        "The sum over the steps of each step's mean.",
        "The loss seems to be a sum over the steps. It is the mean over all predictions, of all rows and all steps.",
    ),
    Misconception(
        "loss-divided-by-length",
        LOSS,
        ((MEAN, "return torch.stack(losses).sum() / target.shape[1]"),),
        "Divided by T, though there are T − 1 predictions.",
        "The loss seems to be divided by T. The start token is predicted by nobody: how many predictions are left?",
    ),
    Misconception(
        "loss-counts-the-start",
        LOSS,
        ((START, "state = encoder(source)\n    losses = [torch.zeros((), device=target.device)]"),),
        "A zero for the start token is averaged in.",
        "A loss of zero for the start token seems to be averaged in. The start token is given and not predicted.",
        same_as="loss-divided-by-length",
    ),
    Misconception(
        "loss-without-last-step",
        LOSS,
        ((LOOP, "    for t in range(1, max(2, target.shape[1] - 1)):"),),
        "The last token of the target is never predicted.",
        "The last token of the target seems to be left out. It is the one that says when to stop.",
    ),
    Misconception(
        "loss-ignores-token-zero",
        LOSS,
        ((PREDICTED, PREDICTED.replace("target[:, t])", "target[:, t], ignore_index=0)")),),
        "Token 0 is taken for padding and costs nothing.",
        "Predictions of token 0 seem to be left out, as if it were padding. Here nothing is padded and every token "
        "counts.",
    ),
    Misconception(
        "loss-softmax-twice",
        LOSS,
        ((PREDICTED, PREDICTED.replace("(logits,", "(logits.softmax(dim=1),")),),
        "Cross-entropy of probabilities.",
        "The loss looks as if it were computed from probabilities. Cross-entropy takes logits and does the softmax "
        "itself.",
    ),
    Misconception(
        "loss-state-restarts",
        LOSS,
        ((ONE_STEP, "logits, _ = decoder(token, state)\n        own"),),
        "Every step begins from the context.",
        "It seems that every step starts again from the encoder's context. The state that the decoder returns goes "
        "into its next step.",
    ),
    Misconception(
        "loss-h-twice",
        LOSS,
        ((ONE_STEP, ONE_STEP.replace("(token, state)", "(token, (state[0], state[0]))")),),
        "c is lost between the steps: the decoder gets h for both.",
        "The decoder seems to be given one tensor twice in place of the pair (h, c). In a GRU the two are the same, "
        "but an LSTM keeps its memory in c: hand on the whole pair as it came.",
    ),
    Misconception(
        "loss-encoder-frozen",
        LOSS,
        ((START, "with torch.no_grad():\n        state = encoder(source)\n    losses = []"),),
        "The encoder gets no gradient.",
        "The encoder gets no gradient from this loss. It has to learn too, through the context.",
    ),
    Misconception(
        "loss-state-detached",
        LOSS,
        ((ONE_STEP, f"{ONE_STEP[:-3]}state = tuple(part.detach() for part in state)\n        own"),),
        "The state is cut off after every step.",
        "The state seems to be cut off from the graph between the steps. Gradients should flow back through all of "
        "them and into the encoder.",
    ),
    Misconception(
        "loss-as-a-number",
        LOSS,
        ((MEAN, "return torch.stack(losses).mean().item()"),),
        "A float: nothing can be learned from it.",
        "The loss is a plain number. Without its graph there is nothing to call backward on: return the tensor.",
    ),
    Misconception(
        "forcing-upside-down",
        LOSS,
        ((DRAW, DRAW.replace("<", ">=")),),
        "The probability is that of the model's own token.",
        "`teacher_forcing_prob` seems to be taken for the probability of the model's own tokens. It is that "
        "of the truth.",
    ),
    Misconception(
        "forcing-upside-down-from-one",
        LOSS,
        ((DRAW, DRAW.replace("< teacher", "< 1 - teacher")),),
        "The same with the coin's other side: at 0.5 nothing is seen.",
        "`teacher_forcing_prob` seems to be taken for the probability of the model's own tokens. It is that "
        "of the truth.",
        same_as="forcing-upside-down",
    ),
    Misconception(
        "forcing-ends-for-good",
        LOSS,
        ((LOOP, f"    forced = True\n{LOOP}"), (FORCED, f"forced = forced and bool({DRAW})")),
        "After the first of the model's own tokens the truth is never fed again.",
        "It seems that from the model's first own token on the truth is never fed again. The coin is thrown anew at "
        "every step, and may bring the truth back.",
    ),
    Misconception(
        "forcing-by-threshold",
        LOSS,
        ((DRAW, "teacher_forcing_prob > 0.5"),),
        "No chance at all: above 0.5 always, else never.",
        "There seems to be no chance in the choice: from some probability on always the truth, below it never.",
    ),
    Misconception(
        "forcing-one-draw-for-all-steps",
        LOSS,
        (
            (LOOP, f"    chance = {DRAW.split(' <')[0]}\n{LOOP}"),
            (FORCED, "forced = chance < teacher_forcing_prob"),
        ),
        "One coin for the whole sequence.",
        "It seems that one draw decides for the whole sequence. The coin is thrown anew at every step.",
    ),
    Misconception(
        "forcing-always",
        LOSS,
        ((TOKEN, "token = target[:, t - 1]"),),
        "The model's own tokens are never fed.",
        "It seems that the truth is fed at every step, whatever `teacher_forcing_prob` says.",
    ),
    Misconception(
        "forcing-a-draw-for-each-row",
        LOSS,
        (
            (FORCED, "forced = torch.rand(len(target), generator=generator, device=device) < teacher_forcing_prob"),
            (TOKEN, "token = torch.where(forced.to(target.device), target[:, t - 1], own)"),
        ),
        "A coin for each row.",
        "At some steps a part of the rows is fed the truth and another part the model's own tokens. One draw decides "
        "for the whole batch.",
    ),
    Misconception(
        "forcing-with-global-chance",
        LOSS,
        ((DRAW, DRAW.replace("generator=generator, device=device", "")),),
        "The generator is not used.",
        "The `generator` that was given seems not to be used. All draws should come from it.",
    ),
    Misconception(
        "forcing-with-python-chance",
        LOSS,
        ((DRAW, "__import__('random').random() < teacher_forcing_prob"),),
        "Python's own random numbers are used.",
        "The draws seem to come from Python's own random numbers. With a `generator` given they come from that.",
    ),
    Misconception(
        "forcing-with-fixed-coins",
        LOSS,
        (
            (LOOP, f"    coins = __import__('random').Random(0)\n{LOOP}"),
            (FORCED, "forced = coins.random() < teacher_forcing_prob"),
        ),
        "The same coins at every call, whatever the generator's state.",
        "The coins seem to fall the same way at every call, whatever `generator` is given. They are drawn with it, so "
        "that another state of it gives other inputs.",
    ),
    Misconception(
        "own-tokens-are-sampled",
        LOSS,
        ((OWN, "own = torch.multinomial(logits.softmax(dim=1), 1)[:, 0]"),),
        "The model's own token is drawn and not its argmax.",
        "The model's own tokens seem to be drawn at random from its answer. Here they are its argmax.",
    ),
    Misconception(
        "own-token-of-the-first-step",
        LOSS,
        ((OWN, f"{OWN} if t == 1 else own"),),
        "The model's own token is always that of the first step.",
        "The model's own token seems always to be the one of the first step. It is the argmax of the step just before.",
    ),
    Misconception(
        "first-input-is-free",
        LOSS,
        (("own = target[:, 0]", "own = torch.zeros_like(target[:, 0])"),),
        "The first input too is left to chance, and is then token 0.",
        "The first input seems to be left to chance as well. There is no step before it: it is always the start token.",
    ),
    Misconception(
        "greedy-keeps-start",
        GREEDY,
        (("written = []", "written = [token.tolist()]"), (WHILE, WHILE.replace("max_len", "max_len + 1"))),
        "The start token is returned.",
        "The rows seem to begin with the start token. It is fed and not returned.",
    ),
    Misconception(
        "greedy-keeps-end",
        GREEDY,
        ((CUT, CUT.replace("row.index(end_token)]", "row.index(end_token) + 1]")),),
        "The end token is returned.",
        "The rows end with the end token. It only says where to stop: each row is cut before it.",
    ),
    Misconception(
        "greedy-never-cut",
        GREEDY,
        ((CUT, "return rows"),),
        "What was written after the end is returned too.",
        "A row seems to go on after its end. What the model says there only fills up the batch, and is cut off.",
    ),
    Misconception(
        "greedy-cut-at-last-end",
        GREEDY,
        (
            (
                CUT,
                "return [row[: len(row) - 1 - row[::-1].index(end_token)] if end_token in row else row "
                "for row in rows]",
            ),
        ),
        "Cut at the last end token in place of the first.",
        "A row seems to be cut at its last end token. The first one ends it.",
    ),
    Misconception(
        "greedy-end-taken-out",
        GREEDY,
        ((CUT, "return [[token for token in row if token != end_token] for row in rows]"),),
        "End tokens are dropped, and what follows them stays.",
        "The end token seems to be taken out and what follows it kept. A row ends where its first end token stands.",
    ),
    Misconception(
        "greedy-first-end-ends-all",
        GREEDY,
        ((WHILE, WHILE.replace("ended.all()", "ended.any()")),),
        "All rows stop when the first one ends.",
        "It seems that all rows stop as soon as one of them has ended. The others have not finished.",
    ),
    Misconception(
        "greedy-only-first-row-ends",
        GREEDY,
        ((WHILE, WHILE.replace("ended.all()", "ended[0]")),),
        "The end of the first row ends all.",
        "It seems that the first row alone decides when to stop. Each row has an end of its own.",
    ),
    Misconception(
        "greedy-feeds-start-forever",
        GREEDY,
        (
            (WRITTEN, "written.append(logits.argmax(dim=1).tolist())"),
            (ENDED, "ended = ended | (logits.argmax(dim=1) == end_token)"),
        ),
        "What was written is never fed.",
        "It seems that the decoder is fed the start token at every step. What it says is its next input.",
    ),
    Misconception(
        "greedy-state-restarts",
        GREEDY,
        ((DECODER_STEP, DECODER_STEP.replace("logits, state =", "logits, _ =")),),
        "Every step begins from the context.",
        "It seems that every step begins again from the encoder's context. The state that comes back goes into the "
        "next step.",
    ),
    Misconception(
        "greedy-h-twice",
        GREEDY,
        ((DECODER_STEP, DECODER_STEP.replace("(token, state)", "(token, (state[0], state[0]))")),),
        "c is lost between the steps: the decoder gets h for both.",
        "The decoder seems to be given one tensor twice in place of the pair (h, c). In a GRU the two are the same, "
        "but an LSTM keeps its memory in c: hand on the whole pair as it came.",
    ),
    Misconception(
        "greedy-one-too-many",
        GREEDY,
        ((WHILE, WHILE.replace("< max_len", "<= max_len")),),
        "max_len + 1 tokens.",
        "A row that does not end comes out one token too long. Count the tokens: at most `max_len`.",
    ),
    Misconception(
        "greedy-start-counts",
        GREEDY,
        ((WHILE, WHILE.replace("< max_len", "< max_len - 1")),),
        "max_len − 1 tokens: the start token is counted.",
        "A row that does not end comes out one token too short. The start token does not count.",
    ),
    Misconception(
        "greedy-samples",
        GREEDY,
        ((WRITTEN, WRITTEN.replace("logits.argmax(dim=1)", "torch.multinomial(logits.softmax(dim=1), 1)[:, 0]")),),
        "Tokens are drawn at random.",
        "The tokens seem to be drawn at random. Greedy decoding takes the likeliest, and chance has no part in it.",
    ),
    Misconception(
        "greedy-tensors",
        GREEDY,
        ((WRITTEN, WRITTEN.replace("token.tolist()", "list(token)")),),
        "Lists of tensors.",
        "The rows seem to be lists of tensors. They are lists of plain ints.",
    ),
    Misconception(
        "greedy-numbers-of-numpy",
        GREEDY,
        ((WRITTEN, WRITTEN.replace("token.tolist()", "list(token.cpu().numpy())")),),
        "Lists of NumPy's integers, which look like ints when printed.",
        "The tokens seem to be numbers of NumPy, which are not Python's ints. An array's `tolist()` gives those, "
        "`list(…)` of it does not.",
    ),
    Misconception(
        "greedy-dropout-on",
        GREEDY,
        ((EVAL, ""),),
        "Decodes in the modes that were found.",
        "Dropout seems to be on while decoding, where the modules were left in training mode. Switch it off meanwhile, "
        "in both of them.",
    ),
    Misconception(
        "greedy-encoder-dropout-on",
        GREEDY,
        ((EVAL, "    decoder.eval()\n"),),
        "The encoder keeps its dropout.",
        "The encoder's dropout seems to be on while decoding. There are two modules here, and both need it off.",
    ),
    Misconception(
        "greedy-modes-not-restored",
        GREEDY,
        (("module.training = training", "pass"),),
        "Both modules are left in evaluation mode.",
        "Afterwards the modules are in evaluation mode though they were found otherwise. Leave each as you found it.",
    ),
    Misconception(
        "greedy-all-in-training-after",
        GREEDY,
        (("module.training = training", "module.training = True"),),
        "Both modules are left in training mode.",
        "Afterwards both modules are in training mode, however they were found. Leave each as you found it.",
    ),
    Misconception(
        "greedy-gradients-on",
        GREEDY,
        (("with torch.no_grad():", "with torch.enable_grad():"),),
        "A graph is built through every step.",
        "Gradients seem to be recorded while decoding. Nobody needs them here, and they cost memory at every step.",
    ),
    Misconception(
        "greedy-gradients-left-off",
        GREEDY,
        (("with torch.no_grad():", "if torch.set_grad_enabled(False):"),),
        "Gradients stay off afterwards.",
        "After decoding gradients are off for the whole program. Use a `with` block, which puts things back.",
    ),
    Misconception(
        "linear-below-zero",
        SCHEDULE,
        ((LINEAR, "return 1.0 - step / total_steps"),),
        "Negative beyond total_steps.",
        "The linear schedule seems to go on falling after `total_steps`. A probability stays at 0 there.",
    ),
    Misconception(
        "linear-upwards",
        SCHEDULE,
        ((LINEAR, "return min(1.0, step / total_steps)"),),
        "It rises from 0 to 1.",
        "The linear schedule seems to rise. Training begins with the truth at every step and is weaned from it.",
    ),
    Misconception(
        "linear-one-step-early",
        SCHEDULE,
        ((LINEAR, "return max(0.0, 1.0 - step / (total_steps - 1))"),),
        "0 one step early.",
        "The linear schedule seems to reach 0 one step early. It is 1 at step 0 and 0 at `total_steps`.",
    ),
    Misconception(
        "linear-whole-division",
        SCHEDULE,
        ((LINEAR, "return max(0.0, 1.0 - step // total_steps)"),),
        "Either 1 or 0: the division drops what is behind the point.",
        "The linear schedule seems to jump from 1 to 0. `//` drops what is behind the point.",
    ),
    Misconception(
        "exponential-of-the-fraction",
        SCHEDULE,
        ((EXPONENTIAL, "return float(k ** (step / total_steps if total_steps else step / 100))"),),
        "The exponent is the fraction of training that is over.",
        "The exponential schedule seems to fall far too slowly. Its exponent is the step itself, and `total_steps` is "
        "not asked.",
    ),
    Misconception(
        "exponential-of-e",
        SCHEDULE,
        ((EXPONENTIAL, "return math.exp(-k * step)"),),
        "exp(−k · step).",
        "The exponential schedule looks like e to the power of −k times the step. Here the base is k itself.",
    ),
    Misconception(
        "inverse-sigmoid-overflows",
        SCHEDULE,
        ((SCALED, "grown = math.exp(step / k)"), (FRACTION, "return k / (k + grown)")),
        "OverflowError: math range error, after many steps.",
        "After many steps the exponential is more than a float can hold. Multiply both sides of the fraction by "
        "something that makes the large number small.",
    ),
    Misconception(
        "inverse-sigmoid-without-k",
        SCHEDULE,
        ((FRACTION, "return scaled / (scaled + k)"),),
        "1 / (1 + exp(step / k)): one half at step 0.",
        "The inverse sigmoid seems to begin at one half, as if k stood only in the exponent. It stands above and below "
        "the fraction bar too.",
    ),
    Misconception(
        "inverse-sigmoid-flat",
        SCHEDULE,
        ((SCALED, SCALED.replace("-step / k", "-step")),),
        "exp(step): it falls too fast.",
        "The inverse sigmoid seems to fall too fast. In the exponent the step is divided by k.",
    ),
    Misconception(
        "schedule-without-k-check",
        SCHEDULE,
        ((K_BELOW_ONE, "        k = 0.99 if k is None else k\n"), (K_FROM_ONE, "        k = 10 if k is None else k\n")),
        "Any k is taken, and a missing one is made up.",
        "A k that is missing or out of range seems to be accepted. It is a ValueError, so that a slip is seen at once.",
    ),
    Misconception(
        "schedule-k-of-one",
        SCHEDULE,
        ((K_BELOW_ONE, K_BELOW_ONE.replace("0 < k < 1", "0 < k <= 1")),),
        "k = 1 is accepted for the exponential schedule.",
        "The exponential schedule seems to accept a k of 1, with which it never falls. k lies between 0 and 1, and is "
        "neither.",
    ),
    Misconception(
        "schedule-k-below-one",
        SCHEDULE,
        ((K_FROM_ONE, K_FROM_ONE.replace("k >= 1", "k > 0")),),
        "A k below 1 is accepted for the inverse sigmoid.",
        "The inverse sigmoid seems to accept a k below 1. It begins at k / (k + 1), and k is at least 1.",
    ),
    Misconception(
        "schedule-falls-back",
        SCHEDULE,
        ((NO_SCHEDULE, "    return max(0.0, 1.0 - step / total_steps)  # whatever it may be"),),
        "Unknown schedules are linear in silence.",
        "An unknown schedule seems to be accepted in silence. It is a ValueError, so that a slip in the name is seen "
        "at once.",
    ),
)
