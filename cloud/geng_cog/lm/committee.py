"""Several networks that write together: at every token the mean of what each holds likely decides.

Trainings of one set from one base differ by their draws, and so do their answers. The geometric mean of their
probabilities (a deep ensemble, Lakshminarayanan et al. 2017) lets a figure rest on several of them. The
mean of their weights does not do: it can be worse than each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM


class Caches(list[Any]):
    """The key-value cache of each member."""

    def batch_select_indices(self, keep: torch.Tensor) -> None:
        """Keep these rows."""
        for cache in self:
            cache.batch_select_indices(keep)


class Output(NamedTuple):
    """What a causal LM of transformers returns, as far as a writer reads it."""

    logits: torch.Tensor
    past_key_values: Caches


class Committee:
    """One or more networks of one tokenizer, called as one of them would be.

    Args:
        members: In evaluation mode, on one device.
    """

    def __init__(self, members: Sequence[LlamaForCausalLM]) -> None:
        self.members = tuple(members)
        self.device = self.members[0].device

    def __call__(self, past_key_values: Caches | None = None, **inputs: Any) -> Output:
        """Mean log-probabilities ``(rows, tokens, vocabulary)``; costs as much as all members together."""
        import torch

        before = past_key_values or [None] * len(self.members)
        found = [
            member(past_key_values=cache, **inputs)
            for member, cache in zip(self.members, before, strict=True)
        ]
        logits = torch.stack([out.logits.float().log_softmax(dim=-1) for out in found]).mean(dim=0)
        return Output(logits, Caches(out.past_key_values for out in found))
