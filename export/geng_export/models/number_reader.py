"""The number reader: which number of the text plays which role.

A copy head (pointer network, Vinyals et al. 2015) over the condition's tokens. It is trained on
composed descriptions, whose numbers have known roles, and it is what lets a stated limit arrive in
the series exactly instead of approximately.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from geng_export.models.frame import ROLES
from geng_export.models.text_expert import NUMBER_WIDTH, RAW_COLUMNS

#: Word pieces on each side that a role is read from; f brings the rest of the sentence.
REACH = 8


def bounded(condition: torch.Tensor) -> torch.Tensor:
    """The condition without its raw columns, some of which are unbounded."""
    keep = condition.shape[-1] - RAW_COLUMNS
    return F.pad(condition[..., :keep], (0, RAW_COLUMNS))


class NumberReader(torch.nn.Module):
    """A projection, a convolution over neighbouring word pieces, and the scores of 13 roles."""

    def __init__(self, text_width: int, width: int = 96, hidden: int = 128) -> None:
        super().__init__()
        self.up = torch.nn.Linear(text_width + NUMBER_WIDTH, width)
        self.mix = torch.nn.Linear((2 * REACH + 1) * width, hidden)
        self.down = torch.nn.Linear(hidden, len(ROLES))
        # Wordings of one role differ without end; what was seen in training must not be learned by heart.
        self.drop = torch.nn.Dropout(0.3)

    def forward(self, condition: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Condition ``[batch, tokens, width]`` -> role scores ``[batch, tokens, 13]``.

        Beyond the text, and where ``mask`` is false, neighbours are zero.
        """
        x = F.gelu(self.up(self.drop(bounded(condition))), approximate="tanh")
        if mask is not None:
            x = x * mask[..., None]
        near = F.pad(x, (0, 0, REACH, REACH)).unfold(1, 2 * REACH + 1, 1)
        rows = near.transpose(2, 3).flatten(2)
        return self.down(self.drop(F.gelu(self.mix(rows), approximate="tanh")))
