"""The claims reader: what a description states, read off its condition.

A small network over the pooled condition, trained beside the number reader and used for three
things: its loss is what fine-tunes f, so that wordings that state the same come to lie together; its
answers are told to the bridge; and on the device it says what ``--verify`` must hold a series against
when only a latent condition is at hand. Numbers are not its business: the number reader has those.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from geng_export.data.answers import FIELDS
from geng_export.models.number_reader import bounded
from geng_export.models.text_expert import NUMBER_WIDTH

SIZES = [len(answers) for answers in FIELDS.values()]
SCORES = sum(SIZES)


class ClaimsReader(torch.nn.Module):
    """A projection of every word piece, mean and maximum over them, the scores of all answers."""

    def __init__(self, text_width: int, width: int = 192) -> None:
        super().__init__()
        self.up = torch.nn.Linear(text_width + NUMBER_WIDTH, width)
        self.down = torch.nn.Linear(2 * width, SCORES)

    def forward(self, condition: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Condition ``[batch, tokens, width]`` -> scores ``[batch, SCORES]``, fields in order."""
        x = F.gelu(self.up(bounded(condition)), approximate="tanh")
        if mask is None:
            return self.down(torch.cat([x.mean(dim=1), x.amax(dim=1)], dim=-1))
        real = mask[..., None]
        mean = (x * real).sum(dim=1) / real.sum(dim=1)
        most = x.masked_fill(~real, -torch.inf).amax(dim=1)
        return self.down(torch.cat([mean, most], dim=-1))

    def loss(self, scores: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        """Cross entropy summed over the fields; ``answers`` int64 ``[batch, fields]``."""
        parts = scores.split(SIZES, dim=-1)
        each = [F.cross_entropy(part, answers[:, i]) for i, part in enumerate(parts)]
        return torch.stack(each).sum()


def shares(scores: torch.Tensor) -> torch.Tensor:
    """How sure each answer is: scores ``[batch, SCORES]`` -> a softmax within every field."""
    parts = scores.float().split(SIZES, dim=-1)
    return torch.cat([part.softmax(dim=-1) for part in parts], dim=-1)


def read_answers(scores: torch.Tensor) -> dict[str, str]:
    """The likeliest answer of every field; ``scores`` is one row ``[SCORES]``."""
    parts = zip(FIELDS.items(), scores.split(SIZES, dim=-1), strict=True)
    return {name: answers[int(part.argmax())] for (name, answers), part in parts}
