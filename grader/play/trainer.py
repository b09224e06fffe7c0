"""Trains and writes with a student's own code: `python -m grader.play.trainer FOLDER CHOICES DESCRIPTOR`.

It runs in a process of its own and tells what happens as lines of JSON on DESCRIPTOR; it shows nothing
itself. Models that were trained lie in `play/` of the working folder, one safetensors file for each
kind of cell, shape and text, written after every epoch and when Ctrl-C comes: the next run goes on
from there, with the moments of Adam that lie beside the weights (`moments.py`). A file that does not fit
is set aside. What is missing in the student's code, or fails, becomes a note and
the rest plays: a library model stands in for a missing model, but nobody trains in place of `train`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from grader.play.measure import Notes
from grader.play.moments import PREFIX, Moments
from grader.sandbox.inside.student import Student, SubmissionFinder

KINDS = ("lstm", "gru", "rnn")
TEMPERATURES = (0.2, 0.5, 0.8, 1.0, 1.2, 1.5)
LETTERS, SEARCHED = 100, 60  # characters written at each temperature, and by greedy and beam search
BEAM_WIDTH = 5
TOLD_EVERY_S = 0.2
Say = Callable[..., None]


@dataclass(frozen=True)
class Choices:
    """The text and the sizes of a run; the sizes are the names of `CharRNN` and `train`."""

    text: str
    embed_size: int
    hidden_size: int
    num_layers: int
    batch_size: int
    seq_len: int
    num_epochs: int
    learning_rate: float
    folder: str  # where trained models lie
    device: str = "cpu"


class LibraryModel(nn.Module):
    """`CharRNN`'s interface over a layer of the library, where the student's own model is missing."""

    def __init__(self, vocab_size: int, embed_size: int, hidden_size: int, num_layers: int, kind: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind]
        self.layer = layer(embed_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)
        self.kind = kind

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """x (B, T) to logits (B, T, V) and a list of one (h, c) for each layer."""
        given = None
        if states is not None:
            h, c = (torch.stack(parts) for parts in zip(*states, strict=True))
            given = (h, c) if self.kind == "lstm" else h
        outputs, last = self.layer(self.embedding(x), given)
        h, c = last if self.kind == "lstm" else (last, last)
        return self.fc(outputs), list(zip(h, c, strict=True))


class Play:
    """One run: the student's parts, or what stands in for them, and the training of each kind of cell."""

    def __init__(self, choices: Choices, notes: Notes, say: Say) -> None:
        self.choices, self.notes, self.say = choices, notes, say
        self.where = {} if choices.device == "cpu" else {"device": choices.device}  # which is everybody's default
        self.train = self.part("training", "train")
        self.char_to_idx, self.idx_to_char, self.data = self.vocabulary()

    def part(self, module: str, name: str) -> Any:
        """A function or class of the student's, or None and a note."""
        return self.notes.attempt(name, lambda: getattr(Student(module), name))

    def vocabulary(self) -> tuple[Any, Any, torch.Tensor]:
        """The two mappings and the text as numbers: the student's, or the characters as they first come."""
        build_vocab, encode = self.part("batching", "build_vocab"), self.part("batching", "encode")
        if build_vocab and encode:
            made = self.notes.attempt("build_vocab", lambda: tuple(build_vocab(self.choices.text)))
            if made and len(made) == 2:
                data = self.notes.attempt("encode", lambda: encode(self.choices.text, made[0]))
                if isinstance(data, torch.Tensor):
                    return made[0], made[1], data
        characters = list(dict.fromkeys(self.choices.text))
        places = {character: place for place, character in enumerate(characters)}
        return places, dict(enumerate(characters)), torch.tensor([places[char] for char in self.choices.text])

    def model(self, kind: str) -> tuple[nn.Module, bool]:
        """A fresh model with this kind of cell, and whether it is the student's."""
        sizes = (len(self.char_to_idx), self.choices.embed_size, self.choices.hidden_size, self.choices.num_layers)

        def own() -> nn.Module:
            made = Student("language_model").CharRNN(*sizes, cell_type=kind)
            made(self.data[:3].reshape(1, 3))  # a stub or a slip shows here
            if not isinstance(made, nn.Module):
                raise TypeError("CharRNN is no nn.Module")
            return made

        torch.manual_seed(0)
        made = self.notes.attempt(f"CharRNN with {kind}", own)
        return (LibraryModel(*sizes, kind), False) if made is None else (made, True)

    def checkpoint(self, kind: str, own: bool) -> Path:
        """Where a model of this kind lies: the name says all that must agree before it can be trained on."""
        shape = [self.choices.embed_size, self.choices.num_layers, own]
        vocabulary = [str(self.idx_to_char[index]) for index in range(len(self.char_to_idx))]
        key = hashlib.sha256(json.dumps([self.choices.text, vocabulary, shape]).encode()).hexdigest()[:10]
        return Path(self.choices.folder, f"{kind}-{self.choices.hidden_size}-{key}.safetensors")

    def trained(self, kind: str) -> tuple[nn.Module, dict[str, Any]]:
        """A model of this kind, trained until it has had the epochs asked for, and what is known of it."""
        model, own = self.model(kind)
        model.to(self.choices.device)
        target = self.checkpoint(kind, own)
        losses, seconds, moments = self.restored(model, target)
        record = {"kind": kind, "own": own, "losses": losses, "seconds": seconds}
        record["parameters"] = sum(parameter.numel() for parameter in model.parameters())
        self.say(
            "model", **record, epochs=self.choices.num_epochs, characters=len(self.data), vocab=len(self.char_to_idx)
        )
        missing = self.choices.num_epochs - len(losses)
        if missing > 0 and self.train:
            adam = Moments(model, moments)
            kept = self.notes.attempt("train", lambda: self.train_on(model, adam, target, missing, losses, seconds))
            self.say("trained", **record, file=str(target) if kept or losses else None)
        return model, record

    def restored(self, model: nn.Module, target: Path) -> tuple[list[float], list[float], dict[str, torch.Tensor]]:
        """The epochs' losses and seconds of an earlier run, whose weights are put into the model, and its moments.

        Nothing of all that where there is no file. One that does not fit is said, and set aside.
        """
        if not target.is_file():
            return [], [], {}
        try:
            with safe_open(target, framework="pt") as file:
                past = json.loads(file.metadata()["epochs"])
                losses, seconds = ([float(value) for value in past[name]] for name in ("losses", "seconds"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if len(losses) != len(seconds):
                raise ValueError("its epochs do not add up")
            weights = {name: value for name, value in tensors.items() if not name.startswith(PREFIX)}
            if _shapes(weights) != _shapes(model.state_dict()):  # before any of them is put in
                raise ValueError("its weights have other names or shapes")
            model.load_state_dict(weights)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as problem:
            aside = target.with_suffix(".aside")
            with contextlib.suppress(OSError):
                target.replace(aside)
            what = type(problem).__name__
            self.notes.say(f"{target.name} does not fit your model any more ({what}). Now {aside.name}; it starts anew")
            return [], [], {}
        return losses, seconds, {name: value for name, value in tensors.items() if name.startswith(PREFIX)}

    def train_on(
        self, model: nn.Module, adam: Moments, target: Path, epochs: int, losses: list[float], seconds: list[float]
    ) -> bool:
        """Let the student's `train` run; keep the model after every epoch, and when Ctrl-C comes."""
        sizes = {"batch_size": self.choices.batch_size, "seq_len": self.choices.seq_len}
        batches = max(1, (len(self.data) - 1) // math.prod(sizes.values()))
        count, started, told = 0, time.perf_counter(), 0.0
        resumed = bool(losses)

        def on_call(*_: Any) -> None:
            nonlocal count, told
            count += 1
            if time.perf_counter() - told > TOLD_EVERY_S:
                told = time.perf_counter()
                self.say("batch", epoch=len(losses) + 1, batch=min(count, batches), batches=batches)

        def on_epoch(epoch: int, loss: float) -> None:
            nonlocal count, started, resumed
            count = 0
            losses.append(float(loss))
            seconds.append(time.perf_counter() - started)
            adam.epoch_is_over()
            self.keep(model, adam, target, losses, seconds)
            if resumed and not adam.resumed:
                self.say("afresh", why=adam.why)
            resumed = False
            self.say("epoch", epoch=len(losses), loss=losses[-1], seconds=seconds[-1])
            started = time.perf_counter()

        hook = model.register_forward_hook(on_call)
        try:
            with adam.watched():
                self.train(
                    model,
                    self.data,
                    **sizes,
                    num_epochs=epochs,
                    learning_rate=self.choices.learning_rate,
                    on_epoch=on_epoch,
                    **self.where,
                )
        except KeyboardInterrupt:
            self.keep(model, adam, target, losses, seconds)
            self.say("stopped", epochs=len(losses), file=str(target))
            raise
        finally:
            hook.remove()
        return True

    def keep(self, model: nn.Module, adam: Moments, target: Path, losses: list[float], seconds: list[float]) -> None:
        """Write the weights, Adam's moments and what is known of the epochs, whole or not at all."""
        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        save_file(tensors | adam.kept(), part, {"epochs": json.dumps({"losses": losses, "seconds": seconds})})
        part.replace(target)

    def write(self, model: nn.Module) -> None:
        """Texts at all temperatures, then the greedy one beside that of a beam."""
        known = [char for char in "The " if char in self.char_to_idx]
        seed = "The " if len(known) == 4 else self.choices.text[:4]
        names = (model, self.char_to_idx, self.idx_to_char)
        generate, search = self.part("sampling", "generate_text"), self.part("beam_search", "beam_search")
        for temperature in TEMPERATURES if generate else ():
            torch.manual_seed(0)
            given = {"seed": seed, "length": LETTERS, "temperature": temperature, **self.where}
            text = self.notes.attempt("generate_text", lambda: str(generate(*names, **given)))  # noqa: B023
            if text is None:
                break
            self.say("text", how=f"{temperature:g}", text=text)
        given = {"seed": seed, "length": SEARCHED, **self.where}
        if generate:
            greedy = self.notes.attempt("generate_text", lambda: str(generate(*names, **given, temperature=0)))
            if greedy is not None:
                self.say("search", how="greedy", text=greedy, score=self.score(model, greedy, len(seed)))
        if search:
            beam = self.notes.attempt("beam_search", lambda: str(search(*names, **given, beam_width=BEAM_WIDTH)))
            if beam is not None:
                self.say("search", how=f"beam of {BEAM_WIDTH}", text=beam, score=self.score(model, beam, len(seed)))

    def score(self, model: nn.Module, text: str, seed: int) -> float | None:
        """The log-probability that the model gives to what follows the seed; None if it can't be had."""

        def total() -> float:
            tokens = torch.tensor([[self.char_to_idx[char] for char in text]], device=self.choices.device)
            with torch.no_grad():
                chances = model.eval()(tokens[:, :-1])[0].log_softmax(-1)
            return float(chances.gather(2, tokens[:, 1:, None])[0, seed - 1 :].sum())

        found = self.notes.attempt("the model's own score", total)
        return None if found is None else float(found)

    def run(self) -> None:
        """Everything, in the order in which it is fun to watch."""
        for kind in KINDS:
            model, _ = self.trained(kind)
            if kind == KINDS[0]:
                self.write(model)
            if not self.train:  # three untrained models have nothing to compare
                break


def _shapes(tensors: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items() if isinstance(value, torch.Tensor)}


def main(folder: str, choices: str, descriptor: str) -> int:
    """Play with the code in a folder; 130 if Ctrl-C ended it."""
    # What the student's code starts, or forks, must not keep it open: the reader waits for its end.
    os.set_inheritable(int(descriptor), False)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.register_at_fork(after_in_child=lambda: os.dup2(nothing, int(descriptor)))
    with open(int(descriptor), "w", buffering=1, encoding="utf-8") as told:

        def say(event: str, **content: Any) -> None:
            told.write(json.dumps({"event": event, **content}) + "\n")

        sys.meta_path.insert(0, SubmissionFinder(os.path.abspath(folder)))
        torch.set_num_threads(1)  # a cell's products are small: threads would wait for each other
        notes = Notes()
        try:
            play = Play(Choices(**json.loads(Path(choices).read_text(encoding="utf-8"))), notes, say)
            play.run()
        except KeyboardInterrupt:
            return 130
        finally:
            for note in notes.said:
                say("note", text=note)
        say("done")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
