"""A sandbox passes a GPU's own files through and no others, and nothing starts CUDA before the last fork.

The lists are checked with folders that look like `/dev`; that a file on them can be commanded from inside, and
one beside it can't, with `/dev/full` in a GPU's place.
"""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest
import torch

from grader.course import select
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import Limits, ProbeRaised, Sandbox, SandboxError, gpu, landlock, namespaced
from grader.sandbox.channel import Channel
from grader.sandbox.inside import gpu as inside
from grader.sandbox.inside import library_cells, zygote
from grader.suite.verdict import judge

WORKER = ["python", "-c", "pass"]
GPU_FILES = ("/dev/nvidia0", "/dev/nvidia-uvm", "/dev/nvidiactl")
STAND_IN = "/dev/full"  # a device on every Linux; it knows no command of a terminal, and says so if it may be asked
COMMAND = """
import errno, fcntl, json, os, termios
def command(path):
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError as problem:
        return "closed"
    try:
        fcntl.ioctl(descriptor, termios.TCGETS, bytes(64))
    except OSError as problem:
        return errno.errorcode[problem.errno]
visible = os.environ.get("CUDA_VISIBLE_DEVICES")
raise RuntimeError(json.dumps([command("/dev/full"), command("/dev/zero"), visible]))
"""
INPUTS = {"name": "RNNCellFromScratch", "labels": [], "input_size": 1, "hidden_size": 1}


def made_of(folder, *names):
    for name in names:
        (folder / name).touch()
    return folder


def test_what_cuda_computes_through_is_on_the_list_and_nothing_else(tmp_path):
    gpus = ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm")
    others = ("nvidia-modeset", "nvidia-uvm-tools", "nvidia-caps", "nvidiactl.old", "dri", "kvm", "mem", "fuse", "null")
    found = gpu.device_files(made_of(tmp_path, *gpus, *others))
    assert set(found) == {str(tmp_path / name) for name in gpus}
    assert gpu.device_files(tmp_path / "nowhere") == ()


def test_the_namespaced_rung_binds_the_devices_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr(namespaced, "find_bubblewrap", lambda: "/usr/bin/bwrap")
    without = namespaced.command(tmp_path, WORKER)
    given = namespaced.command(tmp_path, WORKER, devices=GPU_FILES)
    assert without is not None and given is not None
    assert _bound(without) == ["/dev/null", "/dev/urandom"]
    assert _bound(given) == ["/dev/null", "/dev/urandom", *GPU_FILES]
    assert "/proc/driver/nvidia" in given and "/proc/driver/nvidia" not in without
    assert given[given.index("CUBLAS_WORKSPACE_CONFIG") - 1] == "--setenv"
    assert without[without.index("CUDA_VISIBLE_DEVICES") + 1] == ""


def _bound(command):
    found = [place for option, place in itertools.pairwise(command) if option == "--dev-bind"]
    return [place for place in found if place != "/"]  # of root's two layers the inner one takes what the outer has


def test_the_landlock_rung_lists_the_devices_and_no_others(tmp_path):
    kit, scratch = made_of(tmp_path) / "kit", tmp_path / "scratch"
    kit.mkdir()
    scratch.mkdir()
    rungs = [landlock.command(kit, scratch, WORKER, devices=devices) for devices in ((), GPU_FILES)]
    without, given = (json.loads(command[-1]) for command in rungs if command is not None)
    assert (without["devices"], given["devices"]) == ([], list(GPU_FILES))
    assert set(given["read"]) - set(without["read"]) == set(gpu.READABLE)
    assert given["write"] == without["write"] == [str(scratch), "/dev/null"]


@pytest.mark.parametrize("devices", [(), (STAND_IN,)], ids=["without", "with"])
def test_a_device_that_is_given_can_be_commanded_and_its_neighbour_not(rung, devices, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    said = []
    receive = Channel.receive
    monkeypatch.setattr(Channel, "receive", lambda *arguments: said.append(receive(*arguments)) or said[-1])
    if rung == "split" and devices:
        pytest.skip("split keeps no file from anybody")
    warm = frozenset({"optimizer", "recurrent"})
    with Sandbox(["cells"], warm, rung, devices=devices) as sandbox, sandbox.compartment() as compartment:
        session = compartment.open("cells", "cells", {"cells.py": COMMAND.encode()}, Limits())
        with pytest.raises(ProbeRaised) as caught:
            session.call("construction", INPUTS, 0)
    given, beside, visible = json.loads(caught.value.described["text"])
    if rung != "split":
        assert (given, beside) == ("ENOTTY" if devices else "closed", "closed")
    assert visible == (None if devices else ""), "without a GPU to use none is to be seen"
    assert [frame["touched"] for frame in said if "touched" in frame] == [False], "after the whole warm-up"


def test_the_driver_is_told_where_its_libraries_lie_and_nothing_more():
    outside = {"LD_LIBRARY_PATH": "/usr/local/nvidia/lib64", "CUDA_VISIBLE_DEVICES": "1", "COURSE_TOKEN": "secret"}
    given = gpu.environment(True, outside)
    assert given == {
        "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64",
        "CUDA_VISIBLE_DEVICES": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    assert gpu.environment(False, outside) == {"CUDA_VISIBLE_DEVICES": ""}


def test_the_limit_on_addresses_gives_way_to_cuda_and_the_others_stay():
    limits = Limits(memory_mb=100)
    on_cpu = Sandbox([], rung="split")
    on_gpu = Sandbox([], rung="split", gpu_mb=gpu.MEMORY_MB)
    try:
        cpu, cuda = on_cpu.rlimits(limits), on_gpu.rlimits(limits)
    finally:
        on_cpu.close()
        on_gpu.close()
    assert "RLIMIT_AS" in cpu and "RLIMIT_AS" not in cuda
    assert cpu.keys() - cuda.keys() == {"RLIMIT_AS"}
    assert cpu["RLIMIT_DATA"] == 100 * 2**20
    assert cuda["RLIMIT_DATA"] == (100 + gpu.HOST_MB) * 2**20


def test_a_cuda_build_has_room_for_the_addresses_of_its_libraries(tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    monkeypatch.setattr(
        gpu.importlib.util, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    )
    reckon = gpu.library_addresses_mb.__wrapped__
    assert reckon() == 0
    (tmp_path / "lib" / "libtorch_cuda.so").touch()
    assert reckon() == gpu.CUDA_LIBRARIES_MB


@pytest.mark.parametrize("on_gpu", [True, False])
def test_the_warm_up_for_a_gpu_asks_for_no_device(on_gpu, monkeypatch):
    """autograd's first walk back and an optimiser's first step ask CUDA for its devices, in a CUDA build."""
    asked = []
    monkeypatch.setattr(torch.autograd, "_engine_run_backward", lambda *_, **__: asked.append("backward"))
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: asked.append("step"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: asked.append("is_available"))
    monkeypatch.setattr(zygote.gc, "freeze", lambda: None)
    monkeypatch.setattr(library_cells, "refuse", lambda: None)  # this process has oracles to ask
    zygote._warm_up(["optimizer", "recurrent"], [], on_gpu)
    assert bool(asked) is not on_gpu
    assert not torch.cuda.is_initialized()


def test_no_session_is_forked_from_a_zygote_that_has_touched_cuda(monkeypatch):
    """What the zygote says when it is ready is believed: here it is made to say the worst."""
    sandbox = Sandbox([], rung="split")
    receive = Channel.receive
    monkeypatch.setattr(Channel, "receive", lambda *arguments: {**receive(*arguments), "touched": True})
    with pytest.raises(SandboxError, match="CUDA was started before the first fork"), sandbox:
        pass


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here, and it works")
def test_a_sandbox_whose_gpu_does_not_work_refuses_to_start():
    with pytest.raises(SandboxError, match="the GPU can't be used in there"), Sandbox([], rung="split", gpu_mb=64):
        pass


def test_grading_on_cuda_asks_for_the_devices_and_a_share_of_the_memory(monkeypatch):
    monkeypatch.setattr(gpu, "device_files", lambda: GPU_FILES)
    monkeypatch.setattr(Sandbox, "_launch", lambda self, rung: False)
    (cells,) = select(["cells"])
    for device, expected in (("cpu", ((), 0)), ("cuda", (GPU_FILES, gpu.MEMORY_MB))):
        sandbox = start_sandbox(GradeOptions((cells,), device=device))
        assert (sandbox.devices, sandbox.gpu_mb) == expected
        sandbox.close()


def test_a_session_takes_the_gpu_with_its_share_of_the_memory(monkeypatch):
    called = []
    whole = type("Properties", (), {"total_memory": 8 * 2**30})
    monkeypatch.setattr(torch.cuda, "init", lambda: called.append("init"))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: whole)
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda share, device: called.append((share, device))
    )
    zeros = torch.zeros
    monkeypatch.setattr(torch, "zeros", lambda *shape, device=None: zeros(*shape))
    tf32 = torch.backends.cudnn.allow_tf32
    try:
        assert inside.works(2048) == ""
        assert called == ["init", (0.25, 0)]
        assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32
        assert inside.works(10**6) == "" and called[-1] == (1.0, 0)
    finally:
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.deterministic = False


@pytest.mark.parametrize(
    ("cores", "free_mb", "need_mb", "fit"),
    [(8, 80_000, 2816, 8), (16, 24_000, 2816, 8), (8, 5_000, 2816, 1), (4, 100, 2816, 1), (1, 80_000, 2816, 1)],
)
def test_as_many_at_a_time_as_have_their_share_and_a_core(cores, free_mb, need_mb, fit):
    assert gpu.how_many_fit(cores, free_mb, need_mb) == fit


@pytest.mark.parametrize("kind", ["OutOfMemoryError", "RuntimeError"])
def test_out_of_the_gpus_memory_is_the_submissions_and_says_so(kind):
    (cells,) = select(["cells"])
    text = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB"
    problem = ProbeRaised({"type": kind, "text": text, "stage": "call"})
    verdict = judge(problem, cells, "RNNCellFromScratch", lambda file, line: "")
    assert (verdict.status, verdict.kind) == ("error", "gpu-memory")
    assert verdict.detail.startswith("RNNCellFromScratch ran out of the GPU's memory")
    assert "GiB" not in verdict.detail
