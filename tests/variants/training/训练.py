"""中文标识符；裁剪用钩子；每批先清梯度；状态在模型返回后立即截断。"""
import itertools
import torch
from torch import nn, optim
from batching import create_batches as 切分


def 截断(状态):
    return [(隐.detach(), 胞.detach()) for 隐, 胞 in 状态]


def 一轮(模型, 批次, 优化器, 上限, 设备):
    模型.train()
    状态 = None
    for 输入, 目标 in 批次:
        输入, 目标 = 输入.to(设备), 目标.to(设备)
        优化器.zero_grad()
        预测, 状态 = 模型(输入, 状态)
        状态 = 截断(状态)
        损失 = nn.functional.cross_entropy(预测.flatten(0, 1), 目标.flatten())
        损失.backward()
        nn.utils.clip_grad_norm_(list(itertools.chain.from_iterable(组["params"] for 组 in 优化器.param_groups)), 上限)
        优化器.step()
        yield float(损失.detach())


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    assert isinstance(data, torch.Tensor) and data.dtype == torch.int64
    设备 = torch.device(device)
    model.to(设备)
    优化器 = optim.Adam(model.parameters(), lr=learning_rate, amsgrad=False)
    记录 = []
    for 轮 in range(num_epochs):
        全部 = [*一轮(model, 切分(data, batch_size, seq_len), 优化器, grad_clip, 设备)]
        记录.append(sum(全部) / len(全部))
        print(f"第{轮}轮：{记录[-1]:.4f}")
        (on_epoch or (lambda *_: None))(轮, 记录[-1])
    return 记录
