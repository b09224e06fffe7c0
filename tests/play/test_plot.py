"""`grader plot`: what is measured with a student's code, what is said of missing parts, and the picture."""

from __future__ import annotations

import math
import shutil
import sys

import pytest

from grader import cli
from grader.course import SOLUTIONS, STARTER
from grader.play import NAMES, can_draw, draw, measure
from grader.play import plot as plotting
from grader.play.plot import PlotError, _measured, make_plot
from grader.sandbox.inside.student import SubmissionFinder

needs_matplotlib = pytest.mark.skipif(
    not can_draw(), reason="draws: needs matplotlib, .venv/bin/pip install 'sequence-grader[plots]'"
)
MODULES = ("cells", "gradient_flow", "fast_lstm")


def copy_of(folder, tmp_path, *files):
    for file in files:
        shutil.copy(folder / file, tmp_path / file)
    return tmp_path


@pytest.fixture
def measured_here(monkeypatch):
    """Measure in this process, with code of our own."""

    def run(name, folder):
        before = {module: sys.modules.pop(module, None) for module in MODULES}
        monkeypatch.setattr(sys, "meta_path", [SubmissionFinder(str(folder)), *sys.meta_path])
        notes = measure.Notes()
        try:
            return measure.MEASURES[name](notes), notes.said
        finally:
            for module, found in before.items():
                sys.modules.pop(module, None)
                if found is not None:
                    sys.modules[module] = found

    return run


def test_the_norms_are_those_that_the_handout_speaks_of():
    found = _measured("gradient_flow", SOLUTIONS)
    assert found["notes"] == []
    assert [panel["kind"] for panel in found["panels"]] == ["RNN", "LSTM", "GRU"]
    for panel in found["panels"]:
        for line, scale in zip(panel["lines"], measure.SCALES, strict=True):
            assert line["stretch"] == pytest.approx(scale, rel=1e-5)
            assert len(line["norms"]) == found["steps"]
            assert line["norms"][-1] == pytest.approx(math.sqrt(found["batch"] * found["hidden_size"]), rel=1e-5)
    vanishing, _, exploding = (line["norms"] for line in found["panels"][0]["lines"])
    assert vanishing[0] < 1e-4 * vanishing[-1]
    assert exploding[0] > exploding[-1]


def test_what_is_missing_is_said_and_the_rest_is_measured(tmp_path, measured_here):
    folder = copy_of(SOLUTIONS, tmp_path, "gradient_flow.py", "cells.py")
    source = (folder / "cells.py").read_text().replace("class GRUCellFromScratch", "class GRU")
    (folder / "cells.py").write_text(source.replace("h_t = o * torch.tanh(c_t)", "raise ValueError('ouch')"))
    found, said = measured_here("gradient_flow", folder)
    assert [bool(panel["lines"]) for panel in found["panels"]] == [True, False, False]
    assert said == [
        "hidden_gradient_norms with LSTMCellFromScratch raised ValueError: ouch",
        "cells.py does not define GRUCellFromScratch",
    ]
    assert [panel["absent"] for panel in found["panels"]] == ["", *said]


def test_without_singular_values_the_lines_are_measured_all_the_same(tmp_path, measured_here):
    folder = copy_of(SOLUTIONS, tmp_path, "cells.py")
    source = (SOLUTIONS / "gradient_flow.py").read_text()
    (folder / "gradient_flow.py").write_text(source.replace("def largest_singular_value", "def largest"))
    found, said = measured_here("gradient_flow", folder)
    assert said == ["gradient_flow.py does not define largest_singular_value"]
    assert all(line["stretch"] is None for panel in found["panels"] for line in panel["lines"])


def test_four_ways_are_timed_and_a_stub_is_left_out(tmp_path, measured_here, monkeypatch):
    monkeypatch.setattr(measure, "FAST_SIZES", (2, 3))
    monkeypatch.setattr(measure, "PATIENCE_S", 0.0)
    found, said = measured_here("fast_lstm", SOLUTIONS)
    assert said == []
    assert tuple(line["name"] for line in found["lines"]) == draw.WAYS
    assert all(len(line[what]) == 2 and min(line[what]) > 0 for line in found["lines"] for what in ("forward", "both"))
    folder = copy_of(SOLUTIONS, copy_of(STARTER, tmp_path, "fast_lstm.py"), "cells.py")
    found, said = measured_here("fast_lstm", folder)
    assert said == ["FastLSTM: not written yet (fast_lstm: write FastLSTM.__init__)"]
    assert "your FastLSTM" not in [line["name"] for line in found["lines"]]


def test_code_that_ends_the_process_ends_no_more_than_that(tmp_path):
    (tmp_path / "gradient_flow.py").write_text("import os\nos._exit(7)\n")
    with pytest.raises(PlotError, match="status 7"):
        make_plot("gradient_flow", tmp_path, tmp_path / "flow.svg")


def test_code_that_never_ends_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(plotting, "PATIENCE_S", 3.0)
    (tmp_path / "gradient_flow.py").write_text("while True:\n    pass\n")
    with pytest.raises(PlotError, match="not done after 3 s"):
        make_plot("gradient_flow", tmp_path, tmp_path / "flow.svg")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["plot", "poetry"], 2, "no plot 'poetry'. There are: fast_lstm, gradient_flow"),
        (["plot", "gradient_flow", "nowhere"], 2, "nowhere does not exist"),
        (["plot", "gradient_flow", str(SOLUTIONS / "cells.py")], 2, "is no folder"),
        (["plot", "gradient_flow", str(SOLUTIONS), "--out", "flow.gif"], 2, "should end in .svg or .png"),
        (["plot", "gradient_flow", str(STARTER)], 2, "nothing to draw yet"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(arguments, status, says, monkeypatch, capfd):
    monkeypatch.setattr("grader.play.can_draw", lambda: True)
    assert cli.main(arguments) == status
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert says in err


def test_without_matplotlib_it_says_what_to_type(monkeypatch, capsys):
    monkeypatch.setattr("grader.play.can_draw", lambda: False)
    assert cli.main(["plot", "gradient_flow", str(SOLUTIONS)]) == 3
    said = "grader: drawing needs matplotlib. Type: .venv/bin/pip install matplotlib\n"
    assert capsys.readouterr() == ("", said)


@needs_matplotlib
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_comes_out(name, tmp_path, monkeypatch, capfd):
    lines = {"name": "nn.LSTM", "forward": [1.0, 2.0], "both": [2.0, 4.0]}
    norms = [0.0, float("inf"), 2.0]
    panels = [
        {"kind": "RNN", "lines": [{"scale": 0.8, "stretch": None, "norms": norms}], "absent": ""},
        {"kind": "LSTM", "lines": [{"scale": 0.8, "stretch": 0.8, "norms": norms}], "absent": ""},
        {"kind": "GRU", "lines": [], "absent": "GRUCellFromScratch raised <b>$x^{</b>"},
    ]
    shape = {"batch": 2, "steps": 3, "input_size": 4, "sizes": [2, 3]}
    found = {"panels": panels, "lines": [lines], "notes": ["GRUCellFromScratch raised <b>$x^{</b>"], **shape}
    monkeypatch.setattr(plotting, "_measured", lambda *_: found)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plot", name, str(SOLUTIONS)]) == 0
    assert cli.main(["plot", name, str(SOLUTIONS), "--out", "other.png"]) == 0
    out, err = capfd.readouterr()
    assert out == f"{name}.svg is drawn.\nother.png is drawn.\n"
    assert err.splitlines()[0] == "grader: left out: GRUCellFromScratch raised <b>$x^{</b>"
    assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert "<b>" not in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert (tmp_path / "other.png").read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_a_picture_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(plotting, "_measured", lambda *_: {"panels": [], "lines": [1], "notes": []})
    monkeypatch.setattr("grader.play.draw.save", lambda *_: open(tmp_path / "no" / "where.svg", "w"))
    assert cli.main(["plot", "fast_lstm", str(SOLUTIONS), "--out", str(tmp_path / "no" / "where.svg")]) == 2
    assert "can't be written" in capfd.readouterr().err


@needs_matplotlib
def test_epochs_are_whole_numbers(tmp_path):
    from matplotlib.figure import Figure

    for epochs in (1, 2, 8, 20):
        model = {"kind": "lstm", "own": True, "parameters": 7, "losses": [2.0] * epochs, "seconds": [1.0] * epochs}
        figure = Figure(figsize=(11, 4.9))
        draw._losses(figure, {"models": [model]})
        assert all(float(tick).is_integer() for tick in figure.axes[0].get_xticks())
