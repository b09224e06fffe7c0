"""What vocabulary and batches should be, by another road than the solution. Never leaves the trusted side.

Characters go through NumPy as UTF-32 code points; batches are filled place by place in plain lists.
"""

from __future__ import annotations

import numpy as np
import torch

# Letters of several scripts and cases, signs that a careless program strips or merges, and code points
# whose order differs in UTF-16 (ｚ and 😀) or when accents are composed (é and e + ◌́).
CHARACTERS = "bBaAzZ09 \n\t\r.,!_-éÉe\u0301ßñЖжΩ漢字ｚ😀🙂\u2028"


def wild_text(rng: torch.Generator, length: int, characters: str = CHARACTERS) -> str:
    """A random text of some of these characters, with a strong favourite: frequency is not code-point order."""
    draws = torch.randint(2 * len(characters), (length,), generator=rng).tolist()
    favourite = characters[len(characters) // 2]
    return "".join(characters[draw] if draw < len(characters) else favourite for draw in draws)


def scrambled(rng: torch.Generator, length: int) -> torch.Tensor:
    """Data of distinct numbers in no order, so that every number tells where it stood: a LongTensor (N,)."""
    return torch.randperm(length, generator=rng)


def alphabet(text: str) -> str:
    """The distinct characters in code-point order."""
    return "".join(chr(code) for code in np.unique(_code_points(text)))


def numbers(text: str, characters: str) -> torch.Tensor:
    """The numbers of a text's characters in a vocabulary: a LongTensor (N,)."""
    return torch.from_numpy(np.searchsorted(_code_points(characters), _code_points(text)).astype(np.int64))


def batches(data: torch.Tensor, batch_size: int, seq_len: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Every x and every y, each (B, T), filled place by place."""
    values = data.tolist()
    count = batch_count(len(values), batch_size, seq_len)
    xs, ys = [], []
    for k in range(count):
        places = [[row * count * seq_len + k * seq_len + step for step in range(seq_len)] for row in range(batch_size)]
        xs.append(torch.tensor([[values[place] for place in row] for row in places]))
        ys.append(torch.tensor([[values[place + 1] for place in row] for row in places]))
    return xs, ys


def batch_count(length: int, batch_size: int, seq_len: int) -> int:
    """The largest number of batches all of whose targets exist."""
    count = 0
    while (count + 1) * batch_size * seq_len <= length - 1:
        count += 1
    return count


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
