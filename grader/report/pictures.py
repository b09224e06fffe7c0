"""The pictures of the class report, drawn by matplotlib, each once for light and once for dark screens.

A picture is a pair of `data:` addresses of SVG images. Whatever one shows also stands in a table of the
report, for those who don't see it. No text of a student's reaches a picture.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.report.statistics import Document, Item, Key

# Okabe and Ito's colours, told apart by most eyes; the map differs in lightness as well.
LIGHT = {"ink": "#222222", "paper": "#ffffff", "pale": "#d8d8d8", "main": "#0072b2", "other": "#d55e00"}
DARK = {"ink": "#e6e6e6", "paper": "#1b1d21", "pale": "#464b54", "main": "#56b4e9", "other": "#ee8a3c"}
# not run, passed, failed, error, timeout, grader-error
CELLS = {
    "light": ("#ffffff", "#d4e6f2", "#b34700", "#5b2a86", "#e8b400", "#000000"),
    "dark": ("#1b1d21", "#1f3a4d", "#ee8a3c", "#b58be0", "#f2d24a", "#ffffff"),
}
STATES = ("not run", "passed", "failed", "error", "timeout", "grader-error")


@dataclass(frozen=True)
class Picture:
    """One picture: what it shows in words, its addresses, its size in pixels."""

    says: str
    light: str
    dark: str
    width: int
    height: int


def histogram(scores: Sequence[float], most: float, says: str) -> Picture:
    """How scores are spread over ten classes of the points, and bonus beyond them."""

    def draw(figure: Any, colour: dict[str, str]) -> None:
        axes = _axes(figure, colour)
        top = max([*scores, most, 1.0])
        width = max(most / 10, top / 30)
        edges = np.arange(0, top + width * 0.999, width)
        counts, _ = np.histogram(scores, edges)  # the last class holds its upper end too
        beyond = edges[:-1] >= most - 1e-9
        for choice, paint, label in ((~beyond, "main", None), (beyond, "other", "full marks and bonus")):
            if choice.any():
                lefts, heights = edges[:-1][choice], counts[choice]
                axes.bar(lefts, heights, width * 0.94, align="edge", color=colour[paint], label=label)
        if beyond.any() and counts[beyond].any():
            _legend(axes, colour)
        axes.set_xlabel("points")
        axes.set_ylabel("students")
        axes.yaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.axvline(float(np.median(scores)), color=colour["ink"], linestyle="--", linewidth=1)

    return _picture(draw, (5.8, 2.8), says)


def scatter(found: Sequence[Item], says: str) -> Picture | None:
    """Difficulty against discrimination, a point a test; None where no test discriminates."""
    shown = [item for item in found if not np.isnan(item.discrimination)]
    if not shown:
        return None

    def draw(figure: Any, colour: dict[str, str]) -> None:
        axes = _axes(figure, colour)
        for visibility, paint, marker in (("public", "main", "o"), ("hidden", "other", "^")):
            own = [item for item in shown if item.visibility == visibility]
            place = [[item.difficulty for item in own], [item.discrimination for item in own]]
            axes.scatter(*place, color=colour[paint], marker=marker, s=26, alpha=0.75, label=visibility, linewidths=0)
        axes.axhline(0.2, color=colour["ink"], linestyle="--", linewidth=1)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xlabel("difficulty: mean share of the points (right is easy)")
        axes.set_ylabel("discrimination")
        _legend(axes, colour)

    return _picture(draw, (5.8, 3.6), says)


def student_map(documents: Sequence[Document], keys: Sequence[Key], says: str) -> Picture:
    """A row a student, the best on top; a column a test, by assignment, in the order of `keys`."""
    place = {key: column for column, key in enumerate(keys)}
    ordered = sorted(documents, key=lambda document: (-document["score"], document["submission"]))
    cells = np.zeros((len(ordered), len(keys)))
    for line, document in enumerate(ordered):
        for row in document["assignments"]:
            for test in row["tests"]:
                cells[line, place[row["name"], test["name"]]] = STATES.index(test["status"])

    def draw(figure: Any, colour: dict[str, str]) -> None:
        from matplotlib.colors import ListedColormap
        from matplotlib.patches import Patch

        paints = CELLS["light" if colour is LIGHT else "dark"]
        axes = _axes(figure, colour)
        axes.grid(visible=False)
        axes.imshow(cells, ListedColormap(paints), vmin=0, vmax=len(paints) - 1, aspect="auto", interpolation="nearest")
        starts = [column for column, key in enumerate(keys) if column == 0 or keys[column - 1][0] != key[0]]
        for start in starts[1:]:
            axes.axvline(start - 0.5, color=colour["ink"], linewidth=0.9)
        middles = [(start + end - 1) / 2 for start, end in zip(starts, [*starts[1:], len(keys)], strict=True)]
        axes.set_xticks(middles, [keys[start][0] for start in starts], rotation=30, ha="right", rotation_mode="anchor")
        axes.tick_params(axis="x", length=0)
        axes.set_yticks([])
        axes.set_ylabel("students")
        seen = sorted({int(state) for state in np.unique(cells)})
        patches = [Patch(facecolor=paints[s], edgecolor=colour["pale"], label=STATES[s]) for s in seen]
        legend = figure.legend(handles=patches, loc="outside upper left", ncols=len(patches), frameon=False)
        for text in legend.get_texts():
            text.set_color(colour["ink"])

    return _picture(draw, (10.4, min(7.0, 2.2 + 0.06 * max(14, len(ordered)))), says)


@functools.lru_cache(maxsize=512)  # right programs all have the same
def loss_curve(losses: tuple[float, ...], says: str) -> Picture:
    """The loss of each epoch of one student's training."""

    def draw(figure: Any, colour: dict[str, str]) -> None:
        axes = _axes(figure, colour)
        axes.plot(range(1, len(losses) + 1), losses, color=colour["main"], marker="o", markersize=4)
        axes.set_ylim(bottom=min(0.0, *losses))
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)

    return _picture(draw, (4.6, 2.4), says)


def before_and_after(pairs: Sequence[tuple[float, float]], says: str) -> Picture:
    """Scores before against after, for those whose score changed."""

    def draw(figure: Any, colour: dict[str, str]) -> None:
        axes = _axes(figure, colour)
        ordered = sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair))
        for line, (before, after) in enumerate(ordered):
            paint = colour["main"] if after > before else colour["other"]
            axes.plot([before, after], [line, line], color=paint, linewidth=1.6, zorder=1)
        rows = range(len(ordered))
        old, new = ([pair[side] for pair in ordered] for side in (0, 1))
        axes.scatter(old, rows, color=colour["paper"], edgecolors=colour["ink"], label="before")
        axes.scatter(new, rows, color=colour["ink"], label="after")
        axes.set_yticks([])
        axes.set_ylim(-1, len(ordered))
        axes.set_xlabel("points")
        axes.set_ylabel("a student a line")
        _legend(axes, colour)

    return _picture(draw, (5.8, min(8.0, 1.6 + 0.16 * max(4, len(pairs)))), says)


def _picture(draw: Callable[[Any, dict[str, str]], None], size: tuple[float, float], says: str) -> Picture:
    light, dark = (_address(draw, size, colour) for colour in (LIGHT, DARK))
    return Picture(says, light, dark, round(size[0] * 96), round(size[1] * 96))


def _address(draw: Callable[[Any, dict[str, str]], None], size: tuple[float, float], colour: dict[str, str]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": "report", "svg.fonttype": "path", "font.size": 10, "text.parse_math": False}
    target = io.BytesIO()
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size, facecolor=colour["paper"], layout="constrained")
        draw(figure, colour)
        figure.savefig(target, format="svg", dpi=144, metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(target.getvalue()).decode("ascii")


def _axes(figure: Any, colour: dict[str, str]) -> Any:
    axes = figure.subplots()
    axes.set_facecolor(colour["paper"])
    axes.set_axisbelow(True)
    axes.grid(visible=True, color=colour["pale"], linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(colour["ink"])
    axes.tick_params(colors=colour["ink"])
    axes.xaxis.label.set_color(colour["ink"])
    axes.yaxis.label.set_color(colour["ink"])
    return axes


def _legend(axes: Any, colour: dict[str, str]) -> None:
    legend = axes.legend(frameon=False, labelcolor=colour["ink"], loc="best")
    legend.set_zorder(3)
