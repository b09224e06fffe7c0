"""The hidden tests of a naive grader: sound questions, asked in the process of the one who is asked.

`naive_grader` copies this file beside a submission as `test_hidden.py`. It is written as such tests
often are: the student's module is imported, the right answer is computed beside the answer given,
and `torch.allclose` compares them. pytest does not collect it here.
"""

import torch


def test_cells_rnn():
    from cells import RNNCellFromScratch

    torch.manual_seed(1)
    cell, library = RNNCellFromScratch(5, 3), torch.nn.RNNCell(5, 3)
    _same_weights(cell, library)
    x, h = torch.randn(2, 5), torch.randn(2, 3)
    expected = library(x, h)
    assert torch.allclose(cell(x, h, None)[0], expected, atol=1e-5)


def test_cells_lstm():
    from cells import LSTMCellFromScratch

    torch.manual_seed(2)
    cell, library = LSTMCellFromScratch(5, 3), torch.nn.LSTMCell(5, 3)
    _same_weights(cell, library)
    x, h, c = torch.randn(2, 5), torch.randn(2, 3), torch.randn(2, 3)
    expected_h, expected_c = library(x, (h, c))
    h_t, c_t = cell(x, h, c)
    assert torch.allclose(h_t, expected_h, atol=1e-5)
    assert torch.allclose(c_t, expected_c, atol=1e-5)


def test_cells_gru():
    from cells import GRUCellFromScratch

    torch.manual_seed(3)
    cell = GRUCellFromScratch(5, 3)
    x, h = torch.randn(2, 5), torch.randn(2, 3)
    z, r = torch.sigmoid(x @ cell.W_x_gates.T + h @ cell.W_h_gates.T + cell.b_gates).chunk(2, dim=1)
    candidate = torch.tanh(x @ cell.W_x_cand.T + (r * h) @ cell.W_h_cand.T + cell.b_cand)
    expected = (1 - z) * h + z * candidate
    assert torch.allclose(cell(x, h, None)[0], expected, atol=1e-5)


def test_cells_without_c():
    from cells import RNNCellFromScratch

    cell = RNNCellFromScratch(4, 2)
    x, h = torch.ones(1, 4), torch.ones(1, 2)
    expected = torch.tanh(x @ cell.W_x.T + h @ cell.W_h.T + cell.bias)
    assert torch.allclose(cell(x, h)[0], expected, atol=1e-5)


def test_batching_vocabulary():
    from batching import build_vocab

    char_to_idx, idx_to_char = build_vocab("hello")
    assert char_to_idx == {"e": 0, "h": 1, "l": 2, "o": 3}
    assert [idx_to_char[i] for i in range(4)] == ["e", "h", "l", "o"]


def test_batching_encode():
    from batching import encode

    expected = torch.tensor([1, 0, 2])
    assert torch.allclose(encode("bac", {"a": 0, "b": 1, "c": 2}), expected)


def test_batching_decode():
    from batching import decode

    expected = "fox e"
    assert decode(torch.tensor([5, 10, 15, 0, 4]), dict(enumerate(" Tbcefhiknoqruwx"))) == expected


def test_batching_batches():
    from batching import create_batches

    batches = list(create_batches(torch.arange(13), 2, 3))
    assert len(batches) == 2
    assert torch.allclose(batches[1][0], torch.tensor([[3, 4, 5], [9, 10, 11]]))


def test_sampling_argmax():
    from sampling import sample_next

    expected = 2
    assert sample_next(torch.tensor([0.0, 1.0, 5.0]), 0) == expected


def test_sampling_distribution():
    from sampling import sample_next

    logits = torch.tensor([0.0, 1.0, 2.0])
    generator = torch.Generator().manual_seed(4)
    counts = torch.zeros(3)
    for _ in range(2000):
        counts[sample_next(logits, 1.0, generator)] += 1
    expected = torch.softmax(logits, dim=0)
    assert torch.allclose(counts / 2000, expected, atol=0.06)


def test_sampling_text():
    from sampling import generate_text

    expected = "abcabc"
    assert generate_text(_Ring(), {"a": 0, "b": 1, "c": 2}, dict(enumerate("abc")), "a", 5) == expected


def test_sampling_refuses():
    from sampling import sample_next

    try:
        sample_next(torch.zeros(3), -1.0)
    except ValueError:
        return
    raise AssertionError("a temperature below zero was taken")


class _Ring(torch.nn.Module):
    """After a comes b, after b c, after c a."""

    def forward(self, x, states=None):
        return 50.0 * torch.nn.functional.one_hot((x + 1) % 3, 3).float(), states


def _same_weights(cell, library):
    with torch.no_grad():
        for mine, theirs in ((cell.W_x, "weight_ih"), (cell.W_h, "weight_hh"), (cell.bias, "bias_ih")):
            mine.copy_(torch.randn(mine.shape))
            getattr(library, theirs).copy_(mine)
        library.bias_hh.zero_()
