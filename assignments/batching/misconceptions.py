"""Known wrong vocabularies and batches, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

VOCAB, ENCODE, DECODE, BATCHES = "build_vocab", "encode", "decode", "create_batches"

CHARS = "chars = sorted(set(text))"
UNKNOWN = """    for ch in text:
        if ch not in char_to_idx:
            raise ValueError(f"the character {ch!r} is not in the vocabulary")
"""
NUMBERS = "numbers = [char_to_idx[ch] for ch in text]"
AS_TENSOR = "return torch.tensor(numbers, dtype=torch.long)"
TO_LIST = """    if isinstance(indices, torch.Tensor):
        indices = indices.tolist()  # a dict knows the key 3, not the key tensor(3)
"""
JOINED = 'return "".join(idx_to_char[i] for i in indices)'
SIZES = "if batch_size < 1 or seq_len < 1:"
COUNT = "n = (len(data) - 1) // (batch_size * seq_len)"
TOO_FEW = "if n < 1:"
X_ROWS = "x_rows = data[:used].reshape(batch_size, n * seq_len)"
Y_ROWS = "y_rows = data[1 : used + 1].reshape(batch_size, n * seq_len)"
STARTS = "for start in range(0, n * seq_len, seq_len):"
X = "x = x_rows[:, start : start + seq_len]"
Y = "y = y_rows[:, start : start + seq_len]"
YIELD = "yield x, y"

MISCONCEPTIONS = (
    Misconception(
        "vocab-first-appearance",
        VOCAB,
        ((CHARS, "chars = list(dict.fromkeys(text))"),),
        "Right for a text whose characters first appear in order.",
        "The characters seem to be numbered as they first appear in the text. Two texts with the same characters "
        "would then disagree about the numbers; the handout names an order that depends on no text.",
    ),
    Misconception(
        "vocab-by-frequency",
        VOCAB,
        ((CHARS, "chars = sorted(set(text), key=lambda ch: (-text.count(ch), ch))"),),
        "The commonest character is 0.",
        "It seems that the commonest character comes first, as in many word vocabularies. Here only the character "
        "itself decides its place, not how often it occurs.",
    ),
    Misconception(
        "vocab-ignores-case-in-order",
        VOCAB,
        ((CHARS, "chars = sorted(sorted(set(text)), key=str.lower)"),),
        "A and a stand side by side, as in a dictionary.",
        "Upper and lower case seem to be sorted together, as in a dictionary for people. Code points know "
        "nothing of case: compare ord('B') with ord('a').",
    ),
    Misconception(
        "vocab-lowered",
        VOCAB,
        ((CHARS, "chars = sorted(set(text.lower()))"),),
        "Capitals are missing.",
        "Capital letters seem to be missing from the vocabulary. For a character model A and a are two characters, "
        "and a text in small letters alone can't be turned back into the original.",
    ),
    Misconception(
        "vocab-drops-white-space",
        VOCAB,
        ((CHARS, 'chars = sorted(set("".join(text.split())))'),),
        "Space and newline have no number.",
        "Spaces and newlines seem to have no number. They are characters like any other, and the model has to learn "
        "where they go.",
    ),
    Misconception(
        "vocab-ascii-only",
        VOCAB,
        ((CHARS, "chars = sorted(ch for ch in set(text) if ch.isascii())"),),
        "Accents, other scripts and emoji have no number.",
        "Characters beyond ASCII seem to be left out. Every distinct character of the text gets a number, "
        "whatever script it comes from.",
    ),
    Misconception(
        "vocab-from-one",
        VOCAB,
        (
            (
                "char_to_idx = {ch: i for i, ch in enumerate(chars)}",
                "char_to_idx = {ch: i for i, ch in enumerate(chars, 1)}",
            ),
            (
                "idx_to_char = dict(enumerate(chars))",
                "idx_to_char = dict(enumerate(chars, 1))",
            ),
        ),
        "The largest number is V: an embedding of V rows raises an IndexError.",
        "The numbers seem to start at 1. An embedding with one row for each character has rows 0 to V − 1, so the "
        "last character would fall off its end.",
    ),
    Misconception(
        "vocab-extra-token",
        VOCAB,
        ((CHARS, 'chars = ["<unk>", *sorted(set(text))]'),),
        "A reserved entry takes number 0.",
        "There seems to be an entry in the vocabulary that is no character of the text, and it pushes the others up. "
        "Words need a token for the unknown; here an unknown character is an error.",
    ),
    Misconception(
        "vocab-extra-token-at-end",
        VOCAB,
        ((CHARS, 'chars = [*sorted(set(text)), "<unk>"]'),),
        "The numbers are right, and there is one more.",
        "There seems to be an entry in the vocabulary that is no character of the text. Words need a token for the "
        "unknown; here an unknown character is an error.",
    ),
    Misconception(
        "vocab-code-points",
        VOCAB,
        (
            ("char_to_idx = {ch: i for i, ch in enumerate(chars)}", "char_to_idx = {ch: ord(ch) for ch in chars}"),
            ("idx_to_char = dict(enumerate(chars))", "idx_to_char = {ord(ch): ch for ch in chars}"),
        ),
        "An embedding would need a row for every code point up to the largest.",
        "The numbers seem to be the code points themselves. Those decide the order; the numbers count from 0 without "
        "gaps.",
    ),
    Misconception(
        "vocab-duplicates",
        VOCAB,
        ((CHARS, "chars = sorted(text)"),),
        "Numbers with gaps: one for each occurrence.",
        "Repeated characters seem to be counted each time, which leaves gaps between the numbers. Each distinct "
        "character should take one number only.",
    ),
    Misconception(
        "vocab-of-all-texts",
        VOCAB,
        (
            ("def build_vocab(text):", "def build_vocab(text, seen=set()):"),
            (CHARS, "seen.update(text)\n    chars = sorted(seen)"),
        ),
        "A mutable default: the second text gets the characters of the first as well.",
        "The vocabulary of a second text seems to hold characters of the first. Find where they are kept between the "
        "two calls: what is made in a def line, or outside of the function, is made once.",
        remembers=True,
    ),
    Misconception(
        "vocab-maps-disagree",
        VOCAB,
        (
            (
                "idx_to_char = dict(enumerate(chars))",
                "idx_to_char = dict(enumerate(dict.fromkeys(text)))",
            ),
        ),
        "char_to_idx is right and idx_to_char belongs to another order.",
        "The two maps seem to come from different orders of the characters, so the way back ends somewhere else. "
        "Build both from the same list.",
    ),
    Misconception(
        "vocab-maps-swapped",
        VOCAB,
        (("return char_to_idx, idx_to_char", "return idx_to_char, char_to_idx"),),
        "The first map has numbers as keys.",
        "The two maps seem to come back in the other order. The one that is asked with a character goes first.",
    ),
    Misconception(
        "encode-key-error",
        ENCODE,
        ((UNKNOWN, ""),),
        "A KeyError from the dictionary.",
        "The KeyError seems to be the dictionary's own. What was expected is a ValueError whose text names the "
        "character that the vocabulary lacks: look for it before the dictionary does.",
    ),
    Misconception(
        "encode-skips-unknown",
        ENCODE,
        ((UNKNOWN, ""), (NUMBERS, "numbers = [char_to_idx[ch] for ch in text if ch in char_to_idx]")),
        "The result is shorter than the text.",
        "Unknown characters seem to be passed over in silence. The result is then shorter than the text and nobody "
        "learns why.",
    ),
    Misconception(
        "encode-unknown-is-zero",
        ENCODE,
        ((UNKNOWN, ""), (NUMBERS, "numbers = [char_to_idx.get(ch, 0) for ch in text]")),
        "An unknown character becomes the first of the vocabulary.",
        "An unknown character seems to be given a number all the same. That number belongs to another character, "
        "which the model would read instead.",
    ),
    Misconception(
        "encode-unknown-is-minus-one",
        ENCODE,
        ((UNKNOWN, ""), (NUMBERS, "numbers = [char_to_idx.get(ch, -1) for ch in text]")),
        "An unknown character becomes −1.",
        "An unknown character seems to become −1. An embedding would refuse it much later, or some other code take it "
        "for the last character.",
    ),
    Misconception(
        "encode-unnamed-error",
        ENCODE,
        (
            (
                'raise ValueError(f"the character {ch!r} is not in the vocabulary")',
                'raise ValueError("unknown character")',
            ),
        ),
        "A ValueError that does not say which character.",
        "The error is of the right kind, but its text does not seem to say which character was at fault. "
        "In a text of a million characters that is what one wants to know.",
    ),
    Misconception(
        "encode-int32",
        ENCODE,
        ((AS_TENSOR, "return torch.tensor(numbers, dtype=torch.int32)"),),
        "The loss refuses such targets.",
        "The numbers seem to be 32-bit integers. Cross-entropy takes its targets as torch.long.",
    ),
    Misconception(
        "encode-empty-float",
        ENCODE,
        ((AS_TENSOR, "return torch.tensor(numbers)"),),
        "torch guesses long from ints and float32 from nothing.",
        "The empty text seems to give a tensor of floats. torch guesses a dtype from the numbers it is given, and "
        "here there are none to guess from.",
    ),
    Misconception(
        "encode-float",
        ENCODE,
        ((AS_TENSOR, "return torch.tensor(numbers, dtype=torch.float32)"),),
        "An embedding refuses such indices.",
        "The numbers seem to be floats. They are positions in a table, not quantities, and an embedding takes whole "
        "numbers only.",
    ),
    Misconception(
        "encode-one-row",
        ENCODE,
        ((AS_TENSOR, "return torch.tensor([numbers], dtype=torch.long)"),),
        "Shape (1, N).",
        "There seems to be a batch dimension of one around the numbers. A text is one long row here; batches are "
        "cut from it later.",
    ),
    Misconception(
        "encode-own-vocabulary",
        ENCODE,
        ((NUMBERS, "numbers = [sorted(set(text)).index(ch) for ch in text]"),),
        "Right only where the text has every character of the vocabulary.",
        "The numbers seem to come from the characters of this text alone. A prompt has fewer characters than the "
        "corpus, and its numbers should still be those of the vocabulary that is given.",
    ),
    Misconception(
        "encode-strips",
        ENCODE,
        ((NUMBERS, "numbers = [char_to_idx[ch] for ch in text.strip()]"),),
        "White space at both ends is gone.",
        "White space at the ends of the text seems to be cut off. A newline at the end is a character as well.",
    ),
    Misconception(
        "decode-tensor-keys",
        DECODE,
        ((TO_LIST, ""),),
        "KeyError: tensor(3) is no key of a dict.",
        "It seems that the entries of a tensor are looked up as they are. Each is a small tensor, not an int, and a "
        "dict does not know it as a key.",
    ),
    Misconception(
        "decode-tensor-only",
        DECODE,
        ((TO_LIST, "    indices = indices.tolist()\n"),),
        "AttributeError for a list.",
        "Tensors seem to work and other sequences do not. A list of ints has no tensor methods.",
    ),
    Misconception(
        "decode-spaces",
        DECODE,
        ((JOINED, JOINED.replace('""', '" "')),),
        "Twice as long, with a space after each character.",
        "There seems to be a space between the characters. Words are joined that way; a character model has learnt "
        "its own spaces.",
    ),
    Misconception(
        "decode-list",
        DECODE,
        ((JOINED, "return [idx_to_char[i] for i in indices]"),),
        "A list of characters.",
        "A list of single characters seems to come back. Join them into one str.",
    ),
    Misconception(
        "decode-code-points",
        DECODE,
        ((JOINED, 'return "".join(chr(i) for i in indices)'),),
        "Control characters.",
        "The numbers seem to be read as code points. They are places in the vocabulary, and only idx_to_char knows "
        "what stands there.",
    ),
    Misconception(
        "decode-strips",
        DECODE,
        ((JOINED, JOINED + ".strip()"),),
        "White space at both ends is gone.",
        "White space at the ends seems to be lost on the way back to text. What was encoded should come out whole.",
    ),
    Misconception(
        "batch-silent-when-short",
        BATCHES,
        ((TOO_FEW, "if n < 0:"),),
        "No batch and no error: an epoch without a step.",
        "Too little data seems to give no batches and no error. Training would then run through all its epochs "
        "without a single step.",
    ),
    Misconception(
        "batch-rows-strided",
        BATCHES,
        (
            (X_ROWS, "x_rows = data[:used].reshape(n * seq_len, batch_size).T"),
            (Y_ROWS, "y_rows = data[1 : used + 1].reshape(n * seq_len, batch_size).T"),
        ),
        "arange(12) with B = 3 gives a row 0, 3, 6, 9.",
        "Each row seems to take every B-th character, so no row can be read as text. Print row 0 and decode it: it "
        "should be one piece of the corpus.",
    ),
    Misconception(
        "batch-windows-across-the-batch",
        BATCHES,
        (
            (X_ROWS, "x_rows = data[:used].reshape(n, batch_size, seq_len).transpose(0, 1).reshape(batch_size, -1)"),
            (
                Y_ROWS,
                "y_rows = data[1 : used + 1].reshape(n, batch_size, seq_len).transpose(0, 1).reshape(batch_size, -1)",
            ),
        ),
        "Windows follow each other down the batch; a carried state lands in unrelated text.",
        "Consecutive windows seem to be stacked within one batch. A row's next window should come in the next batch, "
        "or its hidden state is carried into some other part of the text.",
    ),
    Misconception(
        "batch-rows-start-too-far-apart",
        BATCHES,
        (
            (
                X_ROWS,
                "apart = (len(data) - 1) // batch_size\n"
                "    x_rows = torch.stack([data[b * apart : b * apart + n * seq_len] for b in range(batch_size)])",
            ),
            (
                Y_ROWS,
                "y_rows = torch.stack([data[b * apart + 1 : b * apart + n * seq_len + 1] for b in range(batch_size)])",
            ),
        ),
        "Row b starts at b·((N−1) // B): right when nothing is left over.",
        "The rows seem to start too far apart: the text is dealt out first and the remainder of every row is "
        "dropped. Drop the remainder once, at the end of the text.",
    ),
    Misconception(
        "batch-remainder-from-the-front",
        BATCHES,
        ((X_ROWS, "data = data[len(data) - used - 1 :]\n    " + X_ROWS),),
        "The first characters are never seen.",
        "The characters that are left over seem to be dropped at the beginning of the text. The handout keeps the "
        "beginning and drops the end.",
    ),
    Misconception(
        "batch-no-shift",
        BATCHES,
        ((Y_ROWS, "y_rows = x_rows"),),
        "The loss goes to 0 and the model repeats one character.",
        "The targets seem to be the inputs themselves. Copying is easy to learn; what comes next is the question.",
    ),
    Misconception(
        "batch-shift-backwards",
        BATCHES,
        ((Y_ROWS, "y_rows = data.roll(1)[:used].reshape(batch_size, n * seq_len)"),),
        "Each target is the character before.",
        "The targets seem to be the characters before the inputs. The model has seen those already.",
    ),
    Misconception(
        "batch-shift-by-two",
        BATCHES,
        ((Y_ROWS, "y_rows = torch.cat([data[2 : used + 2], data[:2]])[:used].reshape(batch_size, n * seq_len)"),),
        "One character is skipped.",
        "The targets seem to be two places on from the inputs. One step is enough: the very next character.",
    ),
    Misconception(
        "batch-wraps-in-window",
        BATCHES,
        ((Y, "y = x.roll(-1, dims=1)"),),
        "The last target of each window is the window's first character.",
        "The last target of each window seems to be the window's own first character. A roll brings back what fell "
        "off at the front; the text goes on instead.",
    ),
    Misconception(
        "batch-wraps-in-row",
        BATCHES,
        ((Y_ROWS, "y_rows = x_rows.roll(-1, dims=1)"),),
        "The last target of each row is the row's first character; all others are right.",
        "The last target of each row seems to be that row's first character. All others are right, so the loss hides "
        "it; shift before you cut into rows.",
    ),
    Misconception(
        "batch-wraps-at-the-end",
        BATCHES,
        (
            (COUNT, "n = len(data) // (batch_size * seq_len)"),
            (Y_ROWS, "y_rows = data.roll(-1)[:used].reshape(batch_size, n * seq_len)"),
        ),
        "Seen only where N is a multiple of B·T: the last target is the first character of the text.",
        "There seems to be one batch too many where the text fits exactly, and its last target wraps to the first "
        "character of the text. The last character has no successor.",
    ),
    Misconception(
        "batch-pads-window",
        BATCHES,
        ((Y, "y = torch.cat([x[:, 1:], torch.zeros_like(x[:, :1])], dim=1)"),),
        "The last target of each window is 0.",
        "The last target of each window seems to be a 0 that stands in for the next character. That one is known: it "
        "is the first of the next window.",
    ),
    Misconception(
        "batch-pads-row",
        BATCHES,
        ((Y_ROWS, "y_rows = torch.cat([x_rows[:, 1:], torch.zeros_like(x_rows[:, :1])], dim=1)"),),
        "The last target of each row is 0; all others are right.",
        "The last target of each row seems to be a 0 that stands in for the next character. That one is in the data: "
        "shift before you cut into rows.",
    ),
    Misconception(
        "batch-one-too-many",
        BATCHES,
        ((COUNT, "n = len(data) // (batch_size * seq_len)"),),
        "An error where N is a multiple of B·T, right otherwise.",
        "Where the text fits exactly, there seem to be inputs for one batch too many: the last of them would have no "
        "target. Count again, with a character kept back.",
    ),
    Misconception(
        "batch-short-targets",
        BATCHES,
        ((Y, "y = x[:, 1:]"),),
        "y is (B, T − 1).",
        "The targets seem to end with the window, one short. The last input of a window has a next character too: it "
        "stands in the next window.",
    ),
    Misconception(
        "batch-drops-last-step",
        BATCHES,
        ((YIELD, "yield x[:, :-1], y[:, :-1]"),),
        "x and y are (B, T − 1): every T-th target is lost.",
        "x and y seem to be one step short of T. The character between two windows is then nobody's target.",
    ),
    Misconception(
        "batch-shift-after-cutting",
        BATCHES,
        (
            (COUNT, "n = (len(data) // batch_size - 1) // seq_len if batch_size * seq_len else 0"),
            (
                X_ROWS,
                "rows = data[: len(data) // batch_size * batch_size].reshape(batch_size, -1)\n"
                "    x_rows = rows[:, :-1]",
            ),
            (Y_ROWS, "y_rows = rows[:, 1:]"),
        ),
        "The target at the end of each row is lost, and sometimes a batch.",
        "The text seems to be cut into rows before it is shifted, so every row loses the target at its end. Shift "
        "first: the next row knows what comes after this one.",
    ),
    Misconception(
        "batch-last-targets-ragged",
        BATCHES,
        (
            (COUNT, "n = len(data) // (batch_size * seq_len)"),
            (Y_ROWS, "y_rows = x_rows[:, 1:]"),
        ),
        "Every y is full but those of the last batch.",
        "The targets of the last batch seem to be one short, because they are cut from the same rows as the inputs. "
        "The character after a row's end is in the data, only not in that row.",
    ),
    Misconception(
        "batch-partial-yielded",
        BATCHES,
        (
            (
                X_ROWS,
                "width = (len(data) - 1) // batch_size\n"
                "    x_rows = data[: batch_size * width].reshape(batch_size, width)",
            ),
            (Y_ROWS, "y_rows = data[1 : batch_size * width + 1].reshape(batch_size, width)"),
            (STARTS, "for start in range(0, width, seq_len):"),
        ),
        "A last batch with fewer than T steps.",
        "A last, narrower batch seems to be made of what is left over. Every batch should be of shape (B, T), and the "
        "remainder stays unused.",
    ),
    Misconception(
        "batch-last-missing",
        BATCHES,
        ((STARTS, "for start in range(0, (n - 1) * seq_len, seq_len):"),),
        "One batch too few.",
        "The last batch seems to be missing. There is text and a full set of targets for one more.",
    ),
    Misconception(
        "batch-exact-fit-missed",
        BATCHES,
        ((COUNT, "n = (len(data) - 2) // (batch_size * seq_len)"),),
        "One batch too few where nothing is left over, right otherwise.",
        "Where the text fits exactly, a batch seems to be missing. One character has to be kept back for the last "
        "target; two are one too many.",
    ),
    Misconception(
        "batch-overlapping",
        BATCHES,
        ((STARTS, "for start in range(0, n * seq_len - seq_len + 1):"),),
        "A window for every start: the text is seen T times.",
        "The windows seem to overlap, each one step further on. A carried state has already read all but one "
        "of a window's characters; go on where the last one ended.",
    ),
    Misconception(
        "batch-shuffled",
        BATCHES,
        ((STARTS, "for start in (torch.randperm(n) * seq_len).tolist():"),),
        "The right windows in random order.",
        "The batches seem to come in a random order. Shuffling is good where examples are independent; here each batch "
        "begins in the state that the one before it ended in.",
    ),
    Misconception(
        "batch-time-first",
        BATCHES,
        ((YIELD, "yield x.T, y.T"),),
        "(T, B) in place of (B, T).",
        "Time seems to come first and the batch second. Here a row is a piece of text, so the batch comes first.",
    ),
    Misconception(
        "batch-pair-swapped",
        BATCHES,
        ((YIELD, "yield y, x"),),
        "x is one later than y: the model learns to read backwards.",
        "x and y seem to have changed places. The first of the pair is what the model reads.",
    ),
    Misconception(
        "batch-squeezed",
        BATCHES,
        ((YIELD, "yield x.squeeze(), y.squeeze()"),),
        "A dimension is lost where B or T is 1.",
        "A dimension seems to be lost where B or T is 1. A batch of one row is still a batch.",
    ),
    Misconception(
        "batch-reused-buffer",
        BATCHES,
        (
            (STARTS, "x, y = x_rows[:, :seq_len].clone(), y_rows[:, :seq_len].clone()\n    " + STARTS),
            (X, "x.copy_(x_rows[:, start : start + seq_len])"),
            (Y, "y.copy_(y_rows[:, start : start + seq_len])"),
        ),
        "Right one by one; in a list, every batch is the last.",
        "The same tensor seems to be filled again for every batch. Whoever keeps the batches, in a list for "
        "instance, finds the last one everywhere.",
    ),
    Misconception(
        "batch-sizes-unchecked",
        BATCHES,
        ((SIZES, "if False:"),),
        "ZeroDivisionError, or nothing at all for two negative sizes.",
        "A size below 1 seems to get as far as the arithmetic, where it divides by zero or, if both sizes are "
        "negative, looks fine. Look at the sizes first.",
    ),
)
