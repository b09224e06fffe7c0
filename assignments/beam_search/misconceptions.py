"""Known wrong beam searches, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

BEAM = "beam_search"

LOG_PROBS = "log_probs = torch.log_softmax(logits[:, -1].cpu().double(), dim=1)"
SCORES = "scores = so_far + log_probs"
BEST = "best, places = scores.flatten().topk(min(beam_width, scores.numel()))"
NORMALISED = "return score / len(characters) ** length_penalty"
FED = "logits, states = model(torch.tensor([seed], device=device))"
HYPOTHESIS = "hypothesis = (score, live[parent][1] + [token])"
STOP = "if finished and max(map(normalised, finished)) >= hope:"
REORDERED = "states = [(h[rows], c[rows]) for h, c in states]"
OWN_PLACES = "[min(row, len(h) - 1) for row in range(len(parents))]"
WINNER = "_, characters = max(finished + live, key=normalised)"
RETURNED = 'return seed + "".join(idx_to_char[index] for index in best)'
ZIP = "for score, place in zip(best.tolist(), places.tolist(), strict=True):"
ROUND = "for n in range(1, length + 1):"
LAST = "last = torch.tensor([[characters[-1]] for _, characters in live], device=device)"
LAST_ROUND = "if n == length or not live:"

MISCONCEPTIONS = (
    Misconception(
        "beam-greedy",
        BEAM,
        ((BEST, "best, places = scores.flatten().topk(1)"),),
        "Any width gives the greedy text: one hypothesis survives, or the beam starts as k equal copies.",
        "It seems that a wider beam finds nothing that width 1 does not. Several different hypotheses should be alive "
        "after the first step already; look at what your beam holds after two steps.",
    ),
    Misconception(
        "beam-one-child-each",
        BEAM,
        (
            (
                BEST,
                "scores = scores if n == 1 else scores.masked_fill(scores < scores.max(1, True).values, -torch.inf)\n"
                f"        {BEST}",
            ),
        ),
        "k greedy runs side by side: after the first step each hypothesis proposes only its likeliest character.",
        "It seems that each hypothesis hands on only one extension of its own. Two children of one parent may both "
        "be better than every child of another: all extensions of all hypotheses compete for the same places.",
    ),
    Misconception(
        "beam-one-per-last-character",
        BEAM,
        (
            (ZIP, f"seen = set()\n        {ZIP}"),
            (
                HYPOTHESIS,
                f"if token in seen:\n                continue\n            seen.add(token)\n            {HYPOTHESIS}",
            ),
        ),
        "Of hypotheses that end in the same character only the best is kept, as in Viterbi's algorithm.",
        "Of several hypotheses that end in the same character only one seems to be kept. They have different "
        "histories and different states, so they are different hypotheses.",
    ),
    Misconception(
        "beam-probabilities-summed",
        BEAM,
        ((LOG_PROBS, LOG_PROBS.replace("log_softmax", "softmax")),),
        "Prefers one sure step to several fair ones.",
        "The choice looks as if probabilities were added up. The probability of a text is a product; "
        "something has to turn it into a sum before you may add.",
    ),
    Misconception(
        "beam-raw-logits",
        BEAM,
        ((LOG_PROBS, "log_probs = logits[:, -1].cpu().double()"),),
        "A constant added to the logits after one history changes the answer.",
        "The scores seem to be sums of the model's raw outputs. These have a different offset after each history, "
        "so that two hypotheses can't be compared before the outputs are made into log-probabilities.",
    ),
    Misconception(
        "beam-softmax-over-hypotheses",
        BEAM,
        ((LOG_PROBS, LOG_PROBS.replace("dim=1", "dim=0")),),
        "The softmax runs over the beam and not over the vocabulary; with one hypothesis all is equal.",
        "The probabilities seem to add up to 1 over the hypotheses rather than over the characters. "
        "Check along which dimension the softmax runs.",
    ),
    Misconception(
        "beam-score-replaced",
        BEAM,
        ((SCORES, "scores = log_probs"),),
        "Only the last character's log-probability counts.",
        "Only the last step seems to count in a hypothesis's score. What it scored before has to be carried along.",
    ),
    Misconception(
        "beam-probabilities-multiplied",
        BEAM,
        (
            ("import torch\n\n# BEGIN", "import math\n\nimport torch\n\n# BEGIN"),
            ("live, finished = [(0.0, [])], []", "live, finished = [(1.0, [])], []"),
            (LOG_PROBS, LOG_PROBS.replace("log_softmax", "softmax")),
            (SCORES, SCORES.replace(" + ", " * ")),
            (NORMALISED, "return (math.log(score) if score else -math.inf) / len(characters) ** length_penalty"),
            ("hope = max(score for score, _ in live) / length**length_penalty", "hope = 0.0"),
        ),
        "Right until the product of probabilities is too small for a float; then every hypothesis scores 0.",
        "Short texts come out right and long ones do not. Try how small the product of a hundred small probabilities "
        "gets, and what a float makes of it; there is a reason why scores are sums of logarithms.",
    ),
    Misconception(
        "beam-states-not-reordered",
        BEAM,
        ((REORDERED, f"states = [(h[{OWN_PLACES}], c[{OWN_PLACES}]) for h, c in states]"),),
        "Row i of the states stays row i though hypothesis i now has another parent.",
        "It seems that hypotheses go on from the states of another hypothesis. When the beam is pruned and reordered, "
        "each survivor needs the states that came out for its own parent.",
    ),
    Misconception(
        "beam-only-h-reordered",
        BEAM,
        ((REORDERED, f"states = [(h[rows], c[{OWN_PLACES}]) for h, c in states]"),),
        "h follows its hypothesis and c does not.",
        "Part of the states follows its hypothesis and part of it stays behind. A state is a list of pairs, one a "
        "layer: everything in it has to move together.",
    ),
    Misconception(
        "beam-text-not-reordered",
        BEAM,
        ((HYPOTHESIS, HYPOTHESIS.replace("live[parent]", "live[min(len(survivors), len(live) - 1)]")),),
        "Row i of the texts stays row i though hypothesis i now has another parent.",
        "It seems that a new character is written behind the text of another hypothesis. When the beam is pruned and "
        "reordered, each survivor takes over the text of its own parent.",
    ),
    Misconception(
        "beam-shared-list",
        BEAM,
        (
            (
                HYPOTHESIS,
                "live[parent][1].append(token)\n            hypothesis = (score, live[parent][1])",
            ),
        ),
        "Siblings append to one list: texts grow too long and mix.",
        "Hypotheses that share a parent seem to write into the same list. Appending changes the list for all who "
        "hold it; each child needs a list of its own.",
    ),
    Misconception(
        "beam-no-length-penalty",
        BEAM,
        ((NORMALISED, "return score"),),
        "length_penalty changes nothing; the shorter text wins.",
        "The length penalty does not seem to help longer texts. Every further character makes a score smaller, so "
        "short texts are favoured; the final choice has to make up for the length.",
    ),
    Misconception(
        "beam-length-penalty-multiplies",
        BEAM,
        ((NORMALISED, NORMALISED.replace("score /", "score *")),),
        "A larger penalty favours shorter texts.",
        "A larger length penalty seems to favour shorter texts. Scores are negative: dividing one by something "
        "large moves it up.",
    ),
    Misconception(
        "beam-seed-counted-in-length",
        BEAM,
        ((NORMALISED, "return score / (len(seed) + len(characters)) ** length_penalty"),),
        "n includes the seed; the winner changes with the seed's length.",
        "The length in the final choice seems to include the seed. Only generated characters have a score, "
        "and only they count.",
    ),
    Misconception(
        "beam-end-not-counted-in-length",
        BEAM,
        ((NORMALISED, "return score / max(1, len(characters) - (characters[-1] == end)) ** length_penalty"),),
        "n leaves out end_char.",
        "Finished hypotheses seem to come off too badly in the final choice. Their end character counts in n, for it "
        "was generated too; and the plain sum is divided by the length once, at the very end.",
    ),
    Misconception(
        "beam-other-length-formula",
        BEAM,
        ((NORMALISED, "return score / ((5 + len(characters)) / 6) ** length_penalty"),),
        "The penalty of Wu et al. (2016): ((5 + n) / 6) ** alpha.",
        "The length seems to enter by another formula, perhaps the one of Google's translation system. "
        "Here it is plain n to the power of the penalty.",
    ),
    Misconception(
        "beam-divides-every-step",
        BEAM,
        ((HYPOTHESIS, HYPOTHESIS.replace("(score,", "(score / n**length_penalty,")), (NORMALISED, "return score")),
        "The score carried along has already been divided, and is divided again.",
        "The length penalty seems to be applied again and again: a score that was divided is carried to the next step. "
        "Carry the raw sum, and divide only where hypotheses are compared at the end.",
    ),
    Misconception(
        "beam-live-not-normalised",
        BEAM,
        ((NORMALISED, "return score / (len(characters) if characters[-1] == end else 1) ** length_penalty"),),
        "Finished hypotheses are divided by their length, live ones are not.",
        "In the final choice finished hypotheses seem to be divided by their length and unfinished ones not. "
        "The same formula holds for both.",
    ),
    Misconception(
        "beam-end-ignored",
        BEAM,
        (("if token == end:", "if False:"),),
        "The text goes on after end_char.",
        "Hypotheses seem to go on after the end character, which stands in the middle of the text. "
        "A hypothesis that has generated it is finished.",
    ),
    Misconception(
        "beam-end-cut-afterwards",
        BEAM,
        (
            ("if token == end:", "if False:"),
            (
                "return characters[:-1] if characters[-1] == end else characters",
                "return characters[: characters.index(end)] if end in characters else characters",
            ),
        ),
        "The search ignores end_char and the text is cut at it afterwards: the wrong text was searched for.",
        "It seems that the search runs on past the end character and the text is cut only afterwards. What comes "
        "after the end then has a say in which hypothesis wins.",
    ),
    Misconception(
        "beam-end-index-zero",
        BEAM,
        (("if token == end:", "if end and token == end:"),),
        "end_char has no effect when its index is 0.",
        "The end character works unless it is the first of the vocabulary. Its index is then 0, and Python takes 0 "
        "for false.",
    ),
    Misconception(
        "beam-end-for-free",
        BEAM,
        (("finished.append(hypothesis)", "finished.append((live[parent][0], hypothesis[1]))"),),
        "The end character's own log-probability is missing from the score.",
        "Finished hypotheses seem to score too well: the log-probability of the end character itself is missing. "
        "It is a generated character like the others.",
    ),
    Misconception(
        "beam-finished-dropped",
        BEAM,
        ((WINNER, "_, characters = max(live or finished, key=normalised)"),),
        "Finished hypotheses never win while something is live.",
        "A finished hypothesis that should win never does. Finished ones leave the beam, but they have to be kept "
        "somewhere until the final choice.",
    ),
    Misconception(
        "beam-unfinished-dropped",
        BEAM,
        ((WINNER, "_, characters = max(finished or live, key=normalised)"),),
        "Once anything has finished, live hypotheses can't win.",
        "A hypothesis that reaches the full length without an end character seems to be left out of the final choice. "
        "It takes part in it like the finished ones.",
    ),
    Misconception(
        "beam-finished-hold-places",
        BEAM,
        (
            (BEST, BEST.replace("min(beam_width,", "min(beam_width - len(finished),")),
            (LAST_ROUND, "if n == length or not live or len(finished) >= beam_width:"),
        ),
        "The beam narrows with every hypothesis that finishes.",
        "The beam seems to become narrower each time a hypothesis finishes. A finished one takes a place in the step "
        "in which it ends; in the next step all places are free for live ones again.",
    ),
    Misconception(
        "beam-finished-compete",
        BEAM,
        (
            (
                "live = survivors\n",
                "cut = sorted((score for score, _ in finished + survivors), reverse=True)[:beam_width][-1]\n"
                "        finished = [hypothesis for hypothesis in finished if hypothesis[0] >= cut]\n"
                "        parents = [parents[row] for row, (score, _) in enumerate(survivors) if score >= cut]\n"
                "        live = [hypothesis for hypothesis in survivors if hypothesis[0] >= cut]\n",
            ),
        ),
        "Finished hypotheses stay in the beam and are pruned with the others, by raw score.",
        "Finished hypotheses seem to stay in the beam: they take places from live ones in later steps. "
        "Once finished, a hypothesis leaves the competition for places and waits.",
    ),
    Misconception(
        "beam-finished-go-on",
        BEAM,
        (("finished.append(hypothesis)\n            else:\n", "finished.append(hypothesis)\n            if True:\n"),),
        "What has ended is noted and stays in the beam as well.",
        "Hypotheses that have ended seem to be extended further. One that is finished waits for the final choice and "
        "is no longer live.",
    ),
    Misconception(
        "beam-finished-take-no-place",
        BEAM,
        (
            (BEST, "best, places = scores.flatten().sort(descending=True)"),
            (
                "            parent, token =",
                "            if len(survivors) == beam_width:\n                break\n            parent, token =",
            ),
        ),
        "k live hypotheses are kept besides those that finish, as some libraries do.",
        "The beam seems to hold one hypothesis too many when something finishes. In the step in which it ends, a "
        "finished hypothesis takes one of the places.",
    ),
    Misconception(
        "beam-stops-at-first-finished",
        BEAM,
        ((STOP, "if finished:"),),
        "The first hypothesis to finish ends the search.",
        "The search seems to end as soon as anything has finished. A live hypothesis may still overtake it, "
        "above all if it scores better now.",
    ),
    Misconception(
        "beam-stops-at-k-finished",
        BEAM,
        ((STOP, "if len(finished) >= beam_width:"),),
        "The search ends when as many have finished as the beam is wide.",
        "The search seems to end when as many hypotheses have finished as the beam is wide. How many have finished "
        "says nothing about whether a live one can still win.",
    ),
    Misconception(
        "beam-stops-by-present-length",
        BEAM,
        (("hope = max(score for score, _ in live) / length**length_penalty", "hope = max(map(normalised, live))"),),
        "An early stop that forgets that a live hypothesis's divisor still grows.",
        "The search seems to stop a little too soon when there is a length penalty. A live hypothesis will still get "
        "longer, and what it is divided by will grow: it may yet win though it is behind now.",
    ),
    Misconception(
        "beam-stops-when-the-best-ends",
        BEAM,
        ((STOP, "if end is not None and places.tolist()[0] % scores.shape[1] == end:"),),
        "The search ends when the first place of the beam ends.",
        "The search seems to end as soon as the best hypothesis of the beam has finished. With a length penalty one "
        "that is behind it now may still win, for it gets longer.",
    ),
    Misconception(
        "beam-stops-by-raw-score",
        BEAM,
        (
            ("hope = max(score for score, _ in live) / length**length_penalty", "hope = max(live)[0]"),
            (STOP, "if finished and max(finished)[0] >= hope:"),
        ),
        "An early stop that compares raw scores though the final choice divides by the length.",
        "With a length penalty the search seems to stop too soon: it looks as if raw scores were compared to decide "
        "that nothing can win any more. The final choice divides them by the length.",
    ),
    Misconception(
        "beam-last-of-the-list",
        BEAM,
        ((WINNER, "_, characters = (finished + live)[-1]"),),
        "Some hypothesis of the beam is returned and not the best.",
        "One of the hypotheses comes back, but not the best of them. The final choice has to compare them all.",
    ),
    Misconception(
        "beam-end-char-returned",
        BEAM,
        (("return characters[:-1] if characters[-1] == end else characters", "return characters"),),
        "The text ends in end_char.",
        "The text is right but for the end character at its end, which should be left out of what is returned.",
    ),
    Misconception(
        "beam-end-removed-from-seed",
        BEAM,
        (
            (
                RETURNED,
                "text = "
                + RETURNED.removeprefix("return ")
                + '\n    return text.replace(end_char, "") if end_char else text',
            ),
        ),
        "An end_char in the seed disappears.",
        "An end character in the seed seems to disappear from the text. In the seed it is a character like any other.",
    ),
    Misconception(
        "beam-cut-at-end-in-seed",
        BEAM,
        (
            (
                RETURNED,
                "text = "
                + RETURNED.removeprefix("return ")
                + "\n    return text.split(end_char)[0] if end_char else text",
            ),
        ),
        "The text is cut at the first end_char, even if that stands in the seed.",
        "The text seems to be cut at an end character of the seed. In the seed it is a character like any other; "
        "only one that was generated finishes a hypothesis.",
    ),
    Misconception(
        "beam-width-above-vocabulary",
        BEAM,
        ((BEST, "best, places = scores.flatten().topk(beam_width)"),),
        "RuntimeError: selected index k out of range.",
        "There is an error when the beam is wider than there are expansions. In the first step there is only one "
        "hypothesis, so there are only as many expansions as characters: keep as many as there are.",
    ),
    Misconception(
        "beam-width-capped-at-vocabulary",
        BEAM,
        ((BEST, BEST.replace("scores.numel()", "scores.shape[1]")),),
        "The beam never gets wider than the vocabulary.",
        "The beam seems never to be wider than the vocabulary. From the second step on there are more expansions than "
        "characters: one for each character of each hypothesis.",
    ),
    Misconception(
        "beam-last-seed-character-twice",
        BEAM,
        (
            (
                FED,
                "_, states = model(torch.tensor([seed], device=device))\n    "
                "logits, states = model(torch.tensor([seed[-1:]], device=device), states)",
            ),
        ),
        "The whole seed is fed, and then its last character again to get the first logits.",
        "The last character of the seed seems to be fed twice. Feeding the seed already gives the model's answer to "
        "what comes after it.",
    ),
    Misconception(
        "beam-text-read-again",
        BEAM,
        (
            (LAST, LAST.replace("[characters[-1]]", "seed + characters")),
            ("logits, states = model(last, states)", "logits, states = model(last)"),
        ),
        "Every step feeds seed and text from the start, without states, as one would with a model that has none.",
        "The model seems to be fed seed and text anew in each step, without states. The text comes out right, at a "
        "price that grows with every character: what was read once is in the states.",
    ),
    Misconception(
        "beam-feeds-history",
        BEAM,
        ((LAST, LAST.replace("[characters[-1]]", "seed + characters")),),
        "Seed and text are fed again on top of the states that remember them.",
        "The model seems to be fed the whole text in each step, although the states remember it: it reads everything "
        "many times over. Only what is new has to be fed.",
    ),
    Misconception(
        "beam-only-last-seed-character",
        BEAM,
        ((FED, FED.replace("[seed]", "[seed[-1:]]")),),
        "The model never sees the seed before its last character.",
        "The model seems to see only the last character of the seed. What comes before it matters too.",
    ),
    Misconception(
        "beam-first-answer",
        BEAM,
        ((LOG_PROBS, LOG_PROBS.replace("[:, -1]", "[:, 0]")),),
        "The prediction after the seed's first character is used; right for a seed of one.",
        "The first prediction seems to be the one after the first character of the seed. The model answers at every "
        "position; which of them knows the whole seed?",
    ),
    Misconception(
        "beam-one-too-many",
        BEAM,
        ((ROUND, "for n in range(1, length + 2):"), (LAST_ROUND, "if n > length or not live:")),
        "One character more than `length`.",
        "The text is one character too long. Count the characters that come after the seed.",
    ),
    Misconception(
        "beam-one-too-few",
        BEAM,
        ((ROUND, "for n in range(1, max(2, length)):"), (LAST_ROUND, "if n == max(1, length - 1) or not live:")),
        "One character fewer than asked for.",
        "Texts without an end come out one character too short. Count the steps, those before the loop included: "
        "`length` characters are generated.",
    ),
    Misconception(
        "beam-length-includes-seed",
        BEAM,
        (
            (
                f"    {FED}",
                f"    length = max(1, length - len(seed))\n    {FED}",
            ),
        ),
        "`length` is taken as the length of the whole text.",
        "The text is too short: it looks as if the seed were counted in the length. Only what is generated counts.",
    ),
    Misconception(
        "beam-continuation-only",
        BEAM,
        ((RETURNED, RETURNED.replace("seed + ", "")),),
        "The seed is missing from the text returned.",
        "The continuation comes back without the seed. The text returned begins with it.",
    ),
    Misconception(
        "beam-dict-only",
        BEAM,
        ((RETURNED, RETURNED.replace("idx_to_char[index]", "idx_to_char.get(index, '')")),),
        "A list has no get.",
        "It works where `idx_to_char` is a dict. A list maps indices to characters as well, with square brackets.",
    ),
    Misconception(
        "beam-text-stripped",
        BEAM,
        ((RETURNED, "return (" + RETURNED.removeprefix("return ") + ").strip()"),),
        "Spaces and newlines at the ends of the text are lost.",
        "White space at the beginning or the end of the text seems to get lost. A space and a newline are characters "
        "like any other.",
    ),
    Misconception(
        "beam-samples",
        BEAM,
        (
            (
                BEST,
                "places = torch.multinomial(scores.flatten().exp(), min(beam_width, scores.numel()))\n"
                "        best = scores.flatten()[places]",
            ),
        ),
        "Survivors are drawn at random; another run gives another text.",
        "Two equal calls give different texts, as if survivors were drawn by lot. Beam search always keeps the best.",
    ),
    Misconception(
        "beam-dropout-on",
        BEAM,
        (("    model.eval()\n", ""),),
        "Searches in training mode when the model was left in it.",
        "The search seems to run in the mode in which the model was found, so dropout may be on. Switch it off for "
        "the time of the search.",
    ),
    Misconception(
        "beam-mode-not-restored",
        BEAM,
        (("model.train(was_training)", "pass"),),
        "The model is left in evaluation mode.",
        "After the search the model is in evaluation mode though it was found in training mode. "
        "Leave it as you found it.",
    ),
    Misconception(
        "beam-gradients-on",
        BEAM,
        (("with torch.no_grad():", "with torch.enable_grad():"),),
        "A graph is built through every step.",
        "Gradients seem to be recorded during the search. Nobody needs them here, and they cost memory at every step.",
    ),
    Misconception(
        "beam-length-zero-allowed",
        BEAM,
        (("if beam_width < 1 or length < 1:", "if length < 1:\n        return seed\n    if beam_width < 1:"),),
        "A length of 0 returns the seed.",
        "A length below 1 seems to return the seed. Here it is an error, and a ValueError should say so.",
    ),
    Misconception(
        "beam-empty-seed",
        BEAM,
        (
            (
                "    if not seed:\n"
                '        raise ValueError("the seed is empty, and the model needs a character to start from")\n',
                "",
            ),
        ),
        "The model is called with an empty tensor.",
        "An empty seed seems to go to the model like any other. There is nothing in it to start from; look before you "
        "feed it, and say so as the handout asks.",
    ),
    Misconception(
        "beam-unknown-left-out",
        BEAM,
        (
            (
                "indices = [char_to_idx[char] for char in seed]",
                "indices = [char_to_idx[c] for c in seed if c in char_to_idx]",
            ),
            ('            raise ValueError(f"{char!r} is not in the vocabulary")', "            continue"),
        ),
        "Unknown characters of the seed are skipped in silence.",
        "Characters of the seed that are not in the vocabulary seem to be passed over in silence. "
        "A ValueError should tell the caller about them.",
    ),
)
