"""The pretended GPU refuses what CUDA refuses, allows what CUDA allows, and leaves nothing behind."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.devices.pretended import CPU, GPU, PretendedGPU


@pytest.fixture
def gpu():
    with PretendedGPU() as pretence:
        yield pretence


def on_gpu(*shape):
    return torch.ones(shape, device="cuda")


REFUSED = {
    "a sum": lambda: on_gpu(2, 3) + torch.ones(2, 3),
    "a product": lambda: on_gpu(2, 3) @ torch.ones(3, 2),
    "a number of the GPU's beside a tensor of the CPU's": lambda: on_gpu() * torch.ones(3),
    "what is joined": lambda: torch.cat([on_gpu(2), torch.ones(2)]),
    "numbers that are joined": lambda: torch.stack([on_gpu(), torch.ones(())]),
    "a module left behind": lambda: nn.Linear(3, 2)(on_gpu(1, 3)),
    "an embedding left behind": lambda: nn.Embedding(3, 2)(torch.zeros(2, dtype=torch.long, device="cuda")),
    "indices left behind": lambda: nn.Embedding(3, 2).cuda()(torch.zeros(2, dtype=torch.long)),
    "targets left behind": lambda: nn.functional.cross_entropy(on_gpu(2, 3), torch.tensor([0, 1])),
    "the GPU's indices into a tensor of the CPU's": lambda: torch.ones(3)[torch.tensor([0], device="cuda")],
    "written in place over a tensor of the CPU's": lambda: torch.ones(3).add_(on_gpu()),
    "a generator of the CPU's": lambda: torch.rand(2, device="cuda", generator=torch.Generator()),
    "a generator of the GPU's": lambda: torch.multinomial(torch.ones(3), 1, generator=torch.Generator("cuda")),
    "equality": lambda: torch.equal(on_gpu(2), torch.ones(2)),
}
ALLOWED = {
    "a number of the CPU's": lambda: on_gpu(2) * torch.tensor(2.0) + 1,
    "copies": lambda: on_gpu(2).copy_(torch.ones(2)),
    "indices of the CPU's": lambda: on_gpu(3)[torch.tensor([0, 2])],
    "where": lambda: torch.where(on_gpu(2) > 0, on_gpu(2), torch.tensor(0.0)),
    "one_hot": lambda: nn.functional.one_hot(torch.zeros(2, dtype=torch.long, device="cuda"), 3),
    "like": lambda: torch.zeros_like(on_gpu(2)) + on_gpu(2).new_tensor([1.0, 2.0]) + on_gpu(2).new_zeros(2),
    "a tensor of a list": lambda: torch.tensor([1.0, 2.0], device="cuda"),
    "by the name of a tensor's device": lambda: torch.zeros(2, device=str(on_gpu(1).device)),
    "inside torch.device": lambda: _inside_a_device(),
    "to, with a dtype": lambda: torch.ones(2).to("cuda", torch.float64),
    "to, like another": lambda: torch.ones(2).to(on_gpu(1)),
    "an LSTM over packed rows": lambda: _packed(),
    "clipped": lambda: _clipped(),
    "deep copies": lambda: copy.deepcopy(on_gpu(2)) + copy.deepcopy(nn.Linear(2, 2).cuda()).bias,
    "a walk back": lambda: _walked_back(),
}


def _inside_a_device():
    with torch.device("cuda"):
        return torch.zeros(2)


def _packed():
    lstm = nn.LSTM(3, 2, batch_first=True).cuda()
    packed = nn.utils.rnn.pack_padded_sequence(on_gpu(2, 4, 3), [4, 2], batch_first=True)
    return nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True)[0]


def _clipped():
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    weight = layer.weight
    layer.to("cuda")
    assert layer.weight is weight  # as on CUDA: an optimiser made before goes on holding it
    layer(on_gpu(1, 3)).sum().backward()
    nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    optimizer.step()
    return weight


class Doubled(torch.autograd.Function):
    """Makes a tensor on its way back, where the gradient lies."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return torch.full(gradient.shape, 2.0, device=gradient.device) * gradient


def _walked_back():
    x = on_gpu(3).requires_grad_()
    Doubled.apply(x).sum().backward()
    return x.grad


@pytest.mark.parametrize("act", REFUSED)
def test_two_devices_in_one_operation_are_refused(act, gpu):
    with pytest.raises(RuntimeError, match=r"same device|device type for generator"):
        REFUSED[act]()
    assert gpu.met == 1


@pytest.mark.parametrize("act", ALLOWED)
def test_what_cuda_allows_stays_on_the_gpu(act, gpu):
    found = ALLOWED[act]()
    assert found.device == GPU and found.is_cuda and gpu.met == 0
    assert found.cpu().device == CPU


def test_numpy_wants_the_cpu(gpu):
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
        on_gpu(2).numpy()
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
        np.asarray(on_gpu(2))
    assert torch.from_numpy(np.zeros(2)).device == CPU
    assert on_gpu(2).cpu().numpy().tolist() == on_gpu(2).tolist() == [1.0, 1.0]


def test_a_backward_pass_of_ones_own_is_watched(gpu):
    class Slip(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return torch.full(gradient.shape, 2.0) * gradient

    with pytest.raises(RuntimeError, match="same device"):
        Slip.apply(on_gpu(3).requires_grad_()).sum().backward()


def test_nothing_is_left_behind():
    generator = torch.Generator
    with PretendedGPU():
        kept = on_gpu(2)
    assert torch.Generator is generator
    assert kept.device == CPU and (kept + torch.ones(2)).tolist() == [2.0, 2.0]
    assert not torch.cuda.is_initialized()
