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


def bounded(condition: torch.Tensor) -> torch.Tensor:
    """The condition without its raw-value columns, which are unbounded."""
    keep = condition.shape[-1] - RAW_COLUMNS
    return F.pad(condition[..., :keep], (0, RAW_COLUMNS))


class NumberReader(torch.nn.Module):
    """Two linear layers, token by token: condition -> scores of the 13 roles."""

    def __init__(self, text_width: int, hidden: int = 128) -> None:
        super().__init__()
        self.up = torch.nn.Linear(text_width + NUMBER_WIDTH, hidden)
        self.down = torch.nn.Linear(hidden, len(ROLES))

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """Condition ``[..., width]`` -> role scores ``[..., 13]``."""
        return self.down(F.gelu(self.up(bounded(condition)), approximate="tanh"))
