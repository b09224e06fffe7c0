"""Known wrong samplers and writers, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

SAMPLE, GENERATE = "sample_next", "generate_text"

SCALED = "scaled = logits / temperature"
PROBABILITIES = "probabilities = torch.softmax(scaled, dim=-1)"
DRAW = "draw = torch.multinomial(probabilities, num_samples=1, generator=generator)"
ZERO = "    if temperature == 0:\n        return int(logits.argmax())\n"
NEGATIVE = (
    '    if temperature < 0:\n        raise ValueError(f"the temperature is {temperature}, it cannot be below 0")\n'
)
CALL = "logits, states = model(x, states)"
NEXT = "index = sample_next(logits[0, -1], temperature, generator)"
FIRST_X = "x = torch.tensor([indices], device=device)  # the whole seed at once: (1, T)"
NEXT_X = "x = torch.tensor([[index]], device=device)"
WRITTEN = "written.append(idx_to_char[index])"
RETURN = 'return seed + "".join(written)'
LOOP = "for _ in range(length):"
NEGATIVE_LENGTH = '    if length < 0:\n        raise ValueError(f"the length is {length}, it cannot be negative")\n'
UNKNOWN = '            raise ValueError(f"the seed\'s character {character!r} is not in the vocabulary")\n'
EMPTY = '        raise ValueError("the seed is empty: the model needs at least one character to start from")\n'

MISCONCEPTIONS = (
    Misconception(
        "text-without-states",
        GENERATE,
        ((CALL, "logits, states = model(x)"),),
        "Text of single-character memory.",
        "It seems that what the model remembers gets lost on the way. The states that one call returns belong into the "
        "next, from the first character of the seed to the last that is written.",
    ),
    Misconception(
        "text-states-of-the-seed",
        GENERATE,
        ((CALL, "logits, new_states = model(x, states)\n                states = states or new_states"),),
        "Every call starts from the states after the seed.",
        "It seems that the model gets the same states each time, those after the seed. The states that each call "
        "returns are for the next one.",
    ),
    Misconception(
        "text-seed-without-states",
        GENERATE,
        (
            (
                FIRST_X,
                "[model(torch.tensor([[index]], device=device)) for index in indices[:-1]]\n            "
                "x = torch.tensor([indices[-1:]], device=device)",
            ),
        ),
        "The seed is fed, and what the model makes of it is thrown away.",
        "It seems that the seed is fed but its states are not kept, so that the model starts to write as if only the "
        "last character had been there.",
    ),
    Misconception(
        "text-last-seed-twice",
        GENERATE,
        ((FIRST_X, FIRST_X.split("  #")[0] + "\n            _, states = model(x)\n            x = x[:, -1:]"),),
        "A doubled letter that the states remember.",
        "It seems that the last character of the seed is fed twice: once with the seed, and again to get the first "
        "logits. The answer to the seed already holds them.",
    ),
    Misconception(
        "text-last-seed-only",
        GENERATE,
        ((FIRST_X, "x = torch.tensor([indices[-1:]], device=device)"),),
        "No warm-up.",
        "It seems that the model is fed only the last character of the seed. What stands before it should have its "
        "say in the states.",
    ),
    Misconception(
        "text-seed-missing-last",
        GENERATE,
        ((FIRST_X, "x = torch.tensor([indices[:-1] or indices], device=device)"),),
        "The first new character follows the one before the last.",
        "It seems that the last character of the seed is never fed, so the first new one follows the one before it.",
    ),
    Misconception(
        "text-first-position",
        GENERATE,
        ((NEXT, NEXT.replace("logits[0, -1]", "logits[0, 0]")),),
        "With a seed of several characters fed at once, the first new one follows the first of them.",
        "After a seed of several characters the first new one seems to follow the seed's first character. The model "
        "answers every position; which answer looks ahead to what comes next?",
    ),
    Misconception(
        "text-feeds-history",
        GENERATE,
        ((NEXT_X, "indices.append(index)\n                x = torch.tensor([indices], device=device)"),),
        "Everything so far is fed again, on top of the states that remember it.",
        "It seems that the whole text so far is fed again for each character, although the states already remember "
        "it. The model sees everything many times over.",
    ),
    Misconception(
        "text-read-again",
        GENERATE,
        (
            (CALL, "logits, _ = model(x)"),
            (NEXT_X, "indices.append(index)\n                x = torch.tensor([indices], device=device)"),
        ),
        "Everything so far is fed again and no states are kept, as one would with a model that has none.",
        "It seems that the whole text so far is fed again for each character, without states. The text comes out "
        "right, at a price that grows with every character: what the model has read once is in its states.",
    ),
    Misconception(
        "text-states-of-the-last-text",
        GENERATE,
        (
            ("            states = None\n", '            states = getattr(model, "states", None)\n'),
            (CALL, f"{CALL}\n                model.states = states"),
        ),
        "The states outlive the call: the next text goes on from where the last one ended.",
        "It seems that a second text begins with the states that the first one ended with. They belong to one text; "
        "where do yours live between two calls?",
    ),
    Misconception(
        "text-feeds-argmax",
        GENERATE,
        ((NEXT_X, "x = torch.tensor([[int(logits[0, -1].argmax())]], device=device)"),),
        "The model goes on from another character than the one that was written.",
        "It seems that the model is fed the likeliest character and not the one that was drawn and written. It then "
        "continues another text than its own.",
    ),
    Misconception(
        "text-feeds-seed-forever",
        GENERATE,
        (("\n                " + NEXT_X + "  # from now on one character at a time: (1, 1)", ""),),
        "What was drawn is never fed.",
        "It seems that the seed is fed again and again and what was drawn never. The model can't know what it has "
        "written unless it is told.",
    ),
    Misconception(
        "text-without-seed",
        GENERATE,
        ((RETURN, 'return "".join(written)'),),
        "The seed is missing from the text.",
        "It seems that only the new characters come back. The text begins with its seed.",
    ),
    Misconception(
        "text-length-counts-seed",
        GENERATE,
        ((LOOP, "for _ in range(length - len(seed)):"),),
        "`length` taken for the whole text's.",
        "It seems that `length` is taken for the length of the whole text. It counts the characters that are new.",
    ),
    Misconception(
        "text-one-too-many",
        GENERATE,
        ((LOOP, "for _ in range(length + 1):"),),
        "One character more than asked for.",
        "It seems that one character more than asked for is written. Count what happens before the loop too.",
    ),
    Misconception(
        "text-temperature-not-passed",
        GENERATE,
        ((NEXT, NEXT.replace("temperature, ", "generator=")),),
        "Every text is at temperature 1.",
        "It seems that texts are written at temperature 1 whatever is asked for. Follow the argument to where the "
        "draw is made.",
    ),
    Misconception(
        "text-temperature-twice",
        GENERATE,
        ((NEXT, NEXT.replace("logits[0, -1]", "logits[0, -1] / (temperature or 1)")),),
        "Scaled here and once more in sample_next.",
        "It seems that the temperature is applied twice in a text, here and again where the draw is made: its effect "
        "goes too far.",
    ),
    Misconception(
        "text-softmax-before-drawing",
        GENERATE,
        ((NEXT, NEXT.replace("logits[0, -1]", "torch.softmax(logits[0, -1], dim=-1)")),),
        "sample_next is given probabilities and takes them for logits.",
        "It seems that the model's answer is made into probabilities before it goes to sample_next, which takes it for "
        "logits and does so once more. All characters become nearly equally likely.",
    ),
    Misconception(
        "text-always-greedy",
        GENERATE,
        ((NEXT, "index = int(logits[0, -1].argmax())"),),
        "No variety in texts.",
        "It seems that a text takes the likeliest character every time. That is right at temperature 0; above it the "
        "characters are drawn.",
    ),
    Misconception(
        "text-generator-not-passed",
        GENERATE,
        ((NEXT, NEXT.replace(", generator)", ")")),),
        "Texts with equal generators differ.",
        "It seems that the generator never reaches the draws: two texts from the same state of it differ.",
    ),
    Misconception(
        "text-reseeds",
        GENERATE,
        (("was_training = model.training", "torch.manual_seed(0)\n    was_training = model.training"),),
        "Without a generator every text is the same.",
        "Without a generator every text comes out the same. The random state seems to be set at each call; that is "
        "for whoever calls to decide.",
    ),
    Misconception(
        "text-with-gradients",
        GENERATE,
        (("with torch.no_grad():", "with torch.set_grad_enabled(torch.is_grad_enabled()):"),),
        "A graph grows with every character.",
        "It seems that gradients are recorded while the text is written, so the graph grows with every character and "
        "is never used.",
    ),
    Misconception(
        "text-grad-mode-left-off",
        GENERATE,
        (("with torch.no_grad():", "torch.set_grad_enabled(False)\n        if True:"),),
        "Training afterwards finds no gradients.",
        "The grad mode is off after the text is written, and whoever trains next will find no gradients. Switch it "
        "off for as long as you write and no longer.",
    ),
    Misconception(
        "text-with-dropout",
        GENERATE,
        (("    model.eval()\n", ""),),
        "Dropout disturbs every step.",
        "It seems that dropout stays on while a model in training writes. It should see its states undisturbed.",
    ),
    Misconception(
        "text-left-in-evaluation",
        GENERATE,
        (("model.train(was_training)", "pass"),),
        "Training goes on without dropout.",
        "The model is left in evaluation mode: if it was in training, it goes on without dropout and nobody notices. "
        "Leave it as you found it.",
    ),
    Misconception(
        "text-left-in-training",
        GENERATE,
        (("model.train(was_training)", "model.train()"),),
        "A model that came in evaluation mode leaves in training mode.",
        "The model is put into training mode at the end, also if it did not come so. Leave it as you found it.",
    ),
    Misconception(
        "text-dict-only",
        GENERATE,
        ((WRITTEN, 'written.append(idx_to_char.get(index, "?"))'),),
        "A list has no get.",
        "It works where `idx_to_char` is a dict. A list maps indices to characters as well, with square brackets.",
    ),
    Misconception(
        "text-empty-seed",
        GENERATE,
        ((EMPTY, "        seed = next(iter(char_to_idx))\n"),),
        "The first character of the vocabulary steps in, unseen.",
        "It seems that an empty seed is accepted. The model has nothing to start from; say so, as the handout asks.",
    ),
    Misconception(
        "text-unknown-key-error",
        GENERATE,
        ((UNKNOWN, "            raise KeyError(character)\n"),),
        "The dict's own KeyError.",
        "A character that the vocabulary does not have comes to light as a KeyError. The handout asks for another "
        "kind of error, which can say what is wrong.",
    ),
    Misconception(
        "text-unknown-skipped",
        GENERATE,
        (
            (UNKNOWN, "            continue\n"),
            ("for character in seed]", "for character in seed if character in char_to_idx] or [0]"),
        ),
        "Unknown characters are left out silently.",
        "It seems that characters outside the vocabulary are passed over in silence. Whoever asked should hear of it.",
    ),
    Misconception(
        "text-negative-length",
        GENERATE,
        ((NEGATIVE_LENGTH, ""),),
        "A negative length gives the seed.",
        "It seems that a negative length gives the seed back as if it were 0. The handout asks for an error.",
    ),
    Misconception(
        "sampler-temperature-ignored",
        SAMPLE,
        ((SCALED, "scaled = logits"),),
        "Right at temperature 1. Probabilities divided by the temperature are the same function: multinomial "
        "normalises them again.",
        "It seems that the temperature has no effect: the draws are those of temperature 1. Note that "
        "`torch.multinomial` normalises its weights, so a factor on the probabilities is lost; where could a factor "
        "still make a difference?",
    ),
    Misconception(
        "sampler-temperature-multiplied",
        SAMPLE,
        ((SCALED, "scaled = logits * temperature"),),
        "Cold is hot.",
        "It seems that the temperature works backwards: low temperatures flatten the distribution and high ones "
        "sharpen it. Try by hand what 0.1 does to the logits 1 and 2.",
    ),
    Misconception(
        "sampler-temperature-squared",
        SAMPLE,
        ((SCALED, "scaled = logits / temperature**2"),),
        "Right at temperature 1, too strong elsewhere. Often it is applied in two places.",
        "It seems that the temperature is applied twice: its effect goes in the right direction and too far. "
        "Is there a division in two places?",
    ),
    Misconception(
        "sampler-temperature-root",
        SAMPLE,
        ((SCALED, "scaled = logits / temperature**0.5"),),
        "Right at temperature 1, too weak elsewhere.",
        "It seems that the temperature does too little: the draws look as if its square root had been used.",
    ),
    Misconception(
        "sampler-softmax-twice",
        SAMPLE,
        ((SCALED, "scaled = torch.softmax(logits, dim=-1) / temperature"),),
        "Nearly uniform at any temperature: probabilities lie between 0 and 1, so their softmax is flat.",
        "It seems that softmax is taken twice, of logits and then of what came of it. Probabilities are all between 0 "
        "and 1, so taken for logits they make a nearly flat distribution. The temperature belongs before the one "
        "softmax.",
    ),
    Misconception(
        "sampler-two-to-the-power",
        SAMPLE,
        ((PROBABILITIES, "probabilities = torch.softmax(scaled * 0.6931471805599453, dim=-1)"),),
        "exp2 in place of exp: every distribution a little too flat.",
        "It seems that the weights are powers of 2 and not of e: every distribution comes out a little too flat, at "
        "temperature 1 too.",
    ),
    Misconception(
        "sampler-always-greedy",
        SAMPLE,
        ((DRAW, "draw = probabilities.argmax()"),),
        "No variety.",
        "It seems that the likeliest index is taken every time. That is right at temperature 0; above it every index "
        "should come as often as its probability says.",
    ),
    Misconception(
        "sampler-uniform",
        SAMPLE,
        ((DRAW, "draw = torch.randint(len(probabilities), (1,), generator=generator)"),),
        "All indices equally often.",
        "It seems that all indices come equally often, whatever their logits. The probabilities have to decide.",
    ),
    Misconception(
        "sampler-exp-overflows",
        SAMPLE,
        ((PROBABILITIES, "probabilities = torch.exp(scaled) / torch.exp(scaled).sum()"),),
        "Right until a scaled logit passes 88; then inf / inf.",
        "It works until a logit divided by the temperature is too large for exp, about 88 in float32. A number may be "
        "subtracted from all logits without changing the distribution: which one makes exp safe?",
    ),
    Misconception(
        "sampler-multinomial-of-logits",
        SAMPLE,
        ((PROBABILITIES, "probabilities = scaled"),),
        "multinomial takes the logits for weights: an error for negative ones, too flat for others.",
        "It seems that the logits themselves are taken for probabilities. They may be negative, and a difference of 1 "
        "between two of them means a factor of e.",
    ),
    Misconception(
        "sampler-multinomial-of-logs",
        SAMPLE,
        ((PROBABILITIES, "probabilities = torch.log_softmax(scaled, dim=-1)"),),
        "multinomial is given logarithms, which are negative: an error.",
        "It seems that logarithms of probabilities are given to a function that wants probabilities. All of them are "
        "below 0.",
    ),
    Misconception(
        "sampler-top-three",
        SAMPLE,
        ((PROBABILITIES, PROBABILITIES + ".masked_fill(logits < logits.topk(min(3, len(logits)))[0][-1], 0.0)"),),
        "Top-k sampling: the tail never comes.",
        "It seems that only the few largest logits are ever drawn. Cutting off the tail is an idea of its own "
        "(top-k sampling); here every index keeps its probability.",
    ),
    Misconception(
        "sampler-zero-divides",
        SAMPLE,
        ((ZERO, ""),),
        "Division by zero: softmax of inf and nan.",
        "It seems that temperature 0 is divided by like any other. It needs a case of its own: what is left of the "
        "distribution as the temperature falls towards 0?",
    ),
    Misconception(
        "sampler-zero-refused",
        SAMPLE,
        (("    if temperature < 0:\n", "    if temperature <= 0:\n"),),
        "0 counts as a temperature below 0.",
        "Temperature 0 is refused like one below 0. It can't be divided by, and it still has an answer: what is left "
        "of the distribution as the temperature falls towards 0?",
    ),
    Misconception(
        "sampler-zero-is-one",
        SAMPLE,
        ((ZERO, "    temperature = temperature or 1.0\n"),),
        "0 counts as not given.",
        "At temperature 0 the draws are those of temperature 1. A 0 counts as false in Python, so `or` and "
        "`if temperature` take it for something that was not given.",
    ),
    Misconception(
        "sampler-zero-is-small",
        SAMPLE,
        ((ZERO, "    temperature = max(temperature, 0.01)\n"),),
        "Right while the largest logit leads by more than a few hundredths.",
        "At temperature 0 the largest logit is taken only if it leads by enough. A small temperature is not yet 0: "
        "logits that are close are still drawn from.",
    ),
    Misconception(
        "sampler-zero-of-sizes",
        SAMPLE,
        ((ZERO, ZERO.replace("logits.argmax()", "logits.abs().argmax()")),),
        "The largest by size; wrong where a negative logit is.",
        "At temperature 0 the entry that is largest in size seems to be taken, its sign aside. A very negative logit "
        "is the least likely of all.",
    ),
    Misconception(
        "sampler-negative-accepted",
        SAMPLE,
        ((NEGATIVE, ""),),
        "A negative temperature turns the distribution upside down.",
        "It seems that a temperature below 0 is taken like any other. It would turn the distribution upside down; the "
        "handout says how to refuse it.",
    ),
    Misconception(
        "sampler-generator-ignored",
        SAMPLE,
        ((DRAW, DRAW.replace(", generator=generator", "")),),
        "Draws come from the global generator.",
        "It seems that the draws come from torch's global random state although a generator was given. The functions "
        "that draw take one by name.",
    ),
    Misconception(
        "sampler-reseeds",
        SAMPLE,
        ((SCALED, "torch.manual_seed(0)\n    generator = None\n    " + SCALED),),
        "The same number every time, and the caller's global state is lost.",
        "It seems that the random state is set anew before each draw, so the same number comes out of it every time. "
        "Seeding belongs to whoever calls; a sampler only draws.",
    ),
    Misconception(
        "sampler-scales-in-place",
        SAMPLE,
        ((SCALED, "scaled = logits.div_(temperature)"),),
        "The caller's logits change; a second draw from them is at another temperature.",
        "The logits are not what they were after a draw: they seem to be divided in place. Whoever draws twice from "
        "them gets another distribution the second time. Make a new tensor.",
    ),
    Misconception(
        "sampler-returns-a-tensor",
        SAMPLE,
        (("return draw.item()", "return draw"),),
        "A tensor of one index; works as far as Python takes it for a number.",
        "A tensor comes back where an int was promised. It looks the same when printed, and it can't be looked up in "
        "a dict.",
    ),
)
