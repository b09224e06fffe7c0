"""`play` on the pretended GPU: everything trains, writes and searches there, and what is kept can be read anywhere."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from grader.course import SOLUTIONS
from tests.devices.pretended import PretendedGPU
from tests.devices.suites import in_a_process

TEXT = "The cat sat on the mat. " * 12
TINY = {"embed_size": 3, "hidden_size": 4, "num_layers": 1, "batch_size": 4, "seq_len": 5, "num_epochs": 1}


def told_of_a_play() -> tuple[list[dict[str, Any]], list[str], set[str]]:
    """What a play tells, what it leaves out, and on which devices the weights are that it keeps."""
    import sys

    import safetensors.torch

    from grader.play.measure import Notes
    from grader.play.trainer import Choices, Play
    from grader.sandbox.inside.student import SubmissionFinder

    sys.meta_path.insert(0, SubmissionFinder(str(SOLUTIONS)))
    told, notes = [], Notes()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the second one goes on from what the first one kept
            with PretendedGPU() as gpu:
                choices = Choices(text=TEXT, **TINY, learning_rate=0.01, folder=folder, device="cuda")
                play = Play(choices, notes, lambda event, **content: told.append({"event": event, **content}))
                play.run()
                model, _ = play.trained("lstm")
                told.append({"event": "device", "device": str(gpu.of(next(model.parameters())))})
        kept = {
            str(value.device) for file in Path(folder).iterdir() for value in safetensors.torch.load_file(file).values()
        }
    return told, notes.said, kept


def test_all_of_it_plays_on_the_gpu():
    told, left_out, kept = in_a_process(told_of_a_play)
    assert left_out == []
    assert [event["device"] for event in told if event["event"] == "device"] == ["cuda:0", "cuda:0"]
    assert sum(event["event"] == "epoch" for event in told) == 3, "one of each kind, and none the second time"
    assert sum(event["event"] == "text" for event in told) == 12
    assert all(event["score"] is not None for event in told if event["event"] == "search")
    assert kept == {"cpu"}
