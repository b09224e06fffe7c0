"""Draws the numbers of `measure.py` and `trainer.py`. Lines differ by marker and stroke, not by colour alone."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

INK, PALE = "#222222", "#dddddd"
# Okabe and Ito's colours, told apart by most eyes, each with a marker and a stroke of its own.
STROKES: tuple[dict[str, Any], ...] = (
    {"color": "#0072b2", "marker": "o", "linestyle": "-"},
    {"color": "#d55e00", "marker": "s", "linestyle": "--"},
    {"color": "#009e73", "marker": "^", "linestyle": "-."},
    {"color": "#7a4988", "marker": "D", "linestyle": ":"},
)
WAYS = ("your cell, stepped", "hoisted loop (ours)", "your FastLSTM", "nn.LSTM")
WIDTH = 42  # characters that fit into a panel
SMALLEST = 1e-12  # below it nothing is left; a logarithm has no zero


def save(name: str, found: dict[str, Any], target: Path) -> None:
    """Draw what was measured for `name` into `target`, an .svg or a .png file."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": name, "font.size": 10, "axes.edgecolor": INK, "axes.labelcolor": INK}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(11, 4.9), facecolor="white", layout="constrained")
        {"gradient_flow": _gradient_flow, "fast_lstm": _fast_lstm, "losses": _losses}[name](figure, found)
        metadata = {"Date": None} if target.suffix == ".svg" else None
        figure.savefig(target, dpi=120, metadata=metadata)


def _gradient_flow(figure: Any, found: dict[str, Any]) -> None:
    figure.suptitle("How much gradient arrives: what your hidden_gradient_norms finds in your cells")
    panels = figure.subplots(1, len(found["panels"]), sharex=True, sharey=True)
    drawn: dict[str, Any] = {}
    for axes, panel in zip(panels, found["panels"], strict=True):
        _prepare(axes)
        axes.set_title({"RNN": "RNN", "LSTM": "LSTM, gates that keep", "GRU": "GRU, gates that keep"}[panel["kind"]])
        axes.set_xlabel("steps from h_t to the end")
        axes.set_yscale("log")
        for line, stroke in zip(panel["lines"], STROKES, strict=False):
            norms = [max(norm, SMALLEST) if math.isfinite(norm) else math.nan for norm in reversed(line["norms"])]
            label = f"W_h stretches by {line['stretch'] or line['scale']:.3g}"
            (drawn[label],) = axes.plot(range(len(norms)), norms, label=label, markevery=6, **stroke)
        if not panel["lines"]:
            _say(axes, 0.5, panel["absent"])
        elif panel["kind"] == "LSTM":
            _say(axes, 0.92, "into c through a nearly shut gate,\nthen on along c")
    panels[0].set_ylabel("norm of dL/dh_t")
    figure.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn) or 1, frameon=False)


def _fast_lstm(figure: Any, found: dict[str, Any]) -> None:
    shape = (
        f"{found['batch']} rows, {found['steps']} steps, {found['input_size']} inputs, one thread, best of several runs"
    )
    figure.suptitle(f"Time for a batch of sequences: {shape}")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    drawn: dict[str, Any] = {}
    for axes, what, title in zip(panels, ("forward", "both"), ("forward", "forward and backward"), strict=True):
        _prepare(axes)
        axes.set_title(title)
        axes.set_xlabel("hidden size H")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(found["sizes"], [str(size) for size in found["sizes"]])
        for line in found["lines"]:
            stroke = STROKES[
                ("your cell, stepped", "hoisted loop (ours)", "your FastLSTM", "nn.LSTM").index(line["name"])
            ]
            (drawn[line["name"]],) = axes.plot(found["sizes"], line[what], label=line["name"], **stroke)
    panels[0].set_ylabel("milliseconds")
    figure.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn) or 1, frameon=False)


def _losses(figure: Any, found: dict[str, Any]) -> None:
    figure.suptitle("What your models learned: mean loss of each epoch, and what an epoch took")
    curve, times = figure.subplots(1, 2, width_ratios=(2, 1))
    _prepare(curve)
    _prepare(times)
    for place, (model, stroke) in enumerate(zip(found["models"], STROKES, strict=False)):
        losses = [loss if math.isfinite(loss) else math.nan for loss in model["losses"]]
        label = f"{model['kind'].upper()}{'' if model['own'] else ' (library)'}, {model['parameters']:,} parameters"
        curve.plot(range(1, len(losses) + 1), losses, label=label, **stroke)
        times.bar(place, sum(model["seconds"]) / len(model["seconds"]), color=stroke["color"], width=0.6)
    curve.set_xlabel("epoch")
    curve.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    curve.set_ylabel("loss (nats a character)")
    curve.legend(frameon=False)
    times.set_xticks(range(len(found["models"])), [model["kind"].upper() for model in found["models"]])
    times.set_ylabel("seconds an epoch")
    times.grid(visible=False, axis="x")


def _prepare(axes: Any) -> None:
    axes.set_facecolor("white")
    axes.set_axisbelow(True)
    axes.grid(visible=True, which="major", color=PALE, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def _say(axes: Any, height: float, text: str) -> None:
    lines = "\n".join(textwrap.fill(line, WIDTH) for line in text.splitlines())
    said = axes.text(0.5, height, lines, transform=axes.transAxes, ha="center", va="center", color=INK, fontsize=9)
    said.set(in_layout=False, parse_math=False)  # it may quote an exception of anybody's
