"""标识符和注释都是中文：与讲义公式一一对应。"""
import torch
from torch import nn

参数 = nn.Parameter


def 随机(行, 列):
    return 参数(torch.empty(行, 列).uniform_(-0.08, 0.08))


class RNNCellFromScratch(nn.Module):
    """普通循环单元"""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = 随机(hidden_size, input_size)
        self.W_h = 随机(hidden_size, hidden_size)
        self.bias = 参数(torch.zeros(hidden_size))

    def forward(self, 输入, 旧状态, 忽略=None):
        新状态 = torch.tanh(输入 @ self.W_x.T + 旧状态 @ self.W_h.T + self.bias)
        return 新状态, 新状态


class LSTMCellFromScratch(nn.Module):
    """长短期记忆单元：输入门、遗忘门、候选、输出门"""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.隐藏 = hidden_size
        self.W_x, self.W_h = 随机(4 * hidden_size, input_size), 随机(4 * hidden_size, hidden_size)
        偏置 = torch.zeros(4, hidden_size)
        偏置[1] = 1.0  # 遗忘门从 1 开始
        self.bias = 参数(偏置.flatten())

    def forward(self, 输入, 旧状态, 旧记忆):
        σ = torch.sigmoid
        总和 = 输入 @ self.W_x.T + 旧状态 @ self.W_h.T + self.bias
        块 = [总和[:, k * self.隐藏:(k + 1) * self.隐藏] for k in range(4)]
        输入门, 遗忘门, 候选, 输出门 = σ(块[0]), σ(块[1]), torch.tanh(块[2]), σ(块[3])
        新记忆 = 遗忘门 * 旧记忆 + 输入门 * 候选
        return 输出门 * torch.tanh(新记忆), 新记忆


class GRUCellFromScratch(nn.Module):
    """门控循环单元"""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x_gates, self.W_h_gates = 随机(2 * hidden_size, input_size), 随机(2 * hidden_size, hidden_size)
        self.W_x_cand, self.W_h_cand = 随机(hidden_size, input_size), 随机(hidden_size, hidden_size)
        self.b_gates, self.b_cand = 参数(torch.zeros(2 * hidden_size)), 参数(torch.zeros(hidden_size))

    def forward(self, 输入, 旧状态, 忽略=None):
        更新门, 重置门 = torch.sigmoid(输入 @ self.W_x_gates.T + 旧状态 @ self.W_h_gates.T + self.b_gates).chunk(2, dim=1)
        候选 = torch.tanh(输入 @ self.W_x_cand.T + (重置门 * 旧状态) @ self.W_h_cand.T + self.b_cand)
        新状态 = 旧状态 - 更新门 * 旧状态 + 更新门 * 候选
        return 新状态, 新状态
