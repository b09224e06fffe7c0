"""What grading on a GPU asks of the sandbox: which device files, how much memory, how many at a time.

Nothing here starts CUDA in this process. Sizes marked so have not been measured on a GPU yet; `make gpu` does.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

MEMORY_MB = 2048  # of the GPU for one submission: the reference's tensors are a few megabytes (not measured yet)
CONTEXT_MB = 768  # what CUDA itself takes of the GPU for one process, kernels and workspaces (not measured yet)
HOST_MB = 4096  # what CUDA's libraries take of the machine's own memory, on top of a session's (not measured yet)
NEEDED = re.compile(r"nvidia\d+|nvidiactl|nvidia-uvm")  # not: nvidia-modeset, -uvm-tools, -caps, dri, kvm
CUDA_LIBRARIES_MB = 16 * 1024  # of addresses (not measured yet)
ASKING_S = 120.0
READABLE = ("/proc/driver/nvidia", "/proc/devices", "/sys/bus/pci/devices", "/sys/devices/system/node")


def device_files(dev: Path = Path("/dev")) -> tuple[str, ...]:
    """The files that CUDA computes through, and no others: not a display's, not a profiler's."""
    try:
        names = sorted(entry.name for entry in os.scandir(dev))
    except OSError:
        return ()
    return tuple(str(dev / name) for name in names if NEEDED.fullmatch(name))


@functools.cache
def library_addresses_mb() -> int:
    """How many megabytes of addresses the libraries of a CUDA build of torch may take, whether or not a GPU is used.

    They are mapped, not loaded: next to nothing of it is memory. 0 for a CPU build. Torch is not imported for this.
    """
    found = importlib.util.find_spec("torch")
    libraries = Path(found.origin).parent / "lib" if found is not None and found.origin else Path("/nowhere")
    return CUDA_LIBRARIES_MB if any(libraries.glob("libtorch_cuda*")) else 0


def environment(used: bool, outside: dict[str, str] | None = None) -> dict[str, str]:
    """What a student's process is told of GPUs: where there is one to use, where its libraries lie; else to see none.

    It must see none even where no file is kept from it: autograd would ask the driver for devices in the
    zygote's warm-up, and start threads there that no fork has.
    """
    if not used:
        return {"CUDA_VISIBLE_DEVICES": ""}
    found = os.environ if outside is None else outside
    kept = {name: found[name] for name in ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH") if name in found}
    return {**kept, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # the same product twice gives the same bits


def free_mb() -> float:
    """Megabytes of the GPU that nobody has. Asked by a process of its own, which gives back what the asking took."""
    asking = "import torch; print(torch.cuda.mem_get_info()[0] / 2**20)"
    told = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, timeout=ASKING_S)
    try:
        return float(told.stdout)
    except ValueError:
        return 0.0


def how_many_fit(cores: int, free_mb: float, need_mb: float = MEMORY_MB + CONTEXT_MB) -> int:
    """How many submissions can be graded at a time: one a core, if all have their share of the GPU; at least 1."""
    return max(1, min(cores, int(free_mb // need_mb)))
