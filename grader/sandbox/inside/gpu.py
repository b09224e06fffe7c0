"""A session's GPU: taken after the fork, with a limit on its memory, before any of the student's code is there.

The limit is that of torch's allocator. Code that asks the driver by itself gets past it, and takes at most
what is free: its process ends with the session, and the driver takes all of it back.
"""

from __future__ import annotations


def take(memory_mb: int) -> None:
    """Start CUDA in this process and leave it so much memory. Raises whatever torch says where that can't be."""
    import torch

    torch.cuda.init()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, memory_mb * 2**20 / whole), 0)
    settle()
    torch.zeros(1, device="cuda").add_(1).item()


def settle() -> None:
    """Products in whole float32, and the same ones every time: TF32 rounds to ten bits, and cuDNN takes it unasked."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def touched() -> bool:
    """Whether this process has started CUDA, so that its forks could not use it."""
    import torch

    return bool(torch.cuda.is_initialized())


def works(memory_mb: int) -> str:
    """Take the GPU and compute with it; what went wrong, or nothing."""
    try:
        take(memory_mb)
    except Exception as problem:
        return f"{type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else 'no reason given'}"[:300]
    return ""
