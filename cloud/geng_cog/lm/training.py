"""Training of the embedded model: one loop for all, on one CPU core, seeded and short."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

#: Targets that do not count.
IGNORED = -100


@dataclass(frozen=True)
class Example:
    """Token ids, and for each whether it is to be learned."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: Passes over the examples.
        rate: Peak learning rate; it warms up over 5 % of the steps and falls to a tenth as a cosine.
        tokens: Tokens of a batch, padding included.
        decay: Weight decay.
        average: Share of the steps, the last ones, over which the weights are averaged; 0 takes the last.
        seed: Of the order.
    """

    epochs: float = 3.0
    rate: float = 2e-3
    tokens: int = 2048
    decay: float = 0.05
    average: float = 0.0
    seed: int = 0


def batches(examples: Sequence[Example], recipe: Recipe) -> Iterator[list[Example]]:
    """Batches of about equally long examples in random order, epoch after epoch."""
    rng = np.random.default_rng(recipe.seed)
    left = int(recipe.epochs * len(examples))
    while left > 0:
        order = rng.permutation(len(examples))[:left]
        left -= len(order)
        jitter = {int(i): len(examples[i].ids) + rng.uniform(0, 8) for i in order}
        found: list[list[Example]] = [[]]
        for i in sorted(jitter, key=jitter.__getitem__):
            longest = len(examples[i].ids)
            if found[-1] and (len(found[-1]) + 1) * longest > recipe.tokens:
                found.append([])
            found[-1].append(examples[i])
        for k in rng.permutation(len(found)):
            yield found[k]


def train(
    model: LlamaForCausalLM,
    examples: Sequence[Example],
    recipe: Recipe,
    report: Callable[[int, int, float], None] | None = None,
) -> dict[str, Any]:
    """Train in place.

    Args:
        model: Its weights change.
        examples: What to learn.
        recipe: How.
        report: Called with (step, steps, loss) after each step.

    Returns:
        Figures: steps, tokens, seconds, the mean loss of the last tenth.
    """
    import torch

    torch.manual_seed(recipe.seed)
    plan = list(batches(examples, recipe))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay, fused=True
    )
    # On a CPU the fused attention's backward pass takes longer than all the rest of a step.
    model.set_attn_implementation("eager")
    model.train()
    started, losses, tokens = time.monotonic(), [], 0
    averaged = torch.optim.swa_utils.AveragedModel(model) if recipe.average > 0.0 else None
    for step, batch in enumerate(plan):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _schedule(step, len(plan))
        ids, labels = padded(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = _loss(model, ids, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if averaged is not None and step >= (1.0 - recipe.average) * len(plan):
            averaged.update_parameters(model)
        tokens += sum(len(e.ids) for e in batch)
        losses.append(float(loss.detach()))
        if report is not None:
            report(step + 1, len(plan), losses[-1])
    if averaged is not None:
        model.load_state_dict(averaged.module.state_dict())
    model.eval()
    last = losses[-max(1, len(losses) // 10) :]
    return {
        "examples": len(examples), "steps": len(plan), "tokens": tokens,
        "seconds": round(time.monotonic() - started, 1), "loss": round(float(np.mean(last)), 4),
    }  # fmt: skip


def _loss(model: LlamaForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy of the learned tokens; the others' logits are never computed."""
    import torch

    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
    learned = labels[:, 1:] != IGNORED
    logits = model.lm_head(hidden[learned]).float()
    return torch.nn.functional.cross_entropy(logits, labels[:, 1:][learned])


def _schedule(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return 0.1 + 0.9 * 0.5 * (1.0 + math.cos(math.pi * done))


def padded(batch: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels, padded on the right with token 0, which causal attention never looks back at."""
    import torch

    longest = max(len(e.ids) for e in batch)
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    for row, example in enumerate(batch):
        n = len(example.ids)
        values = torch.tensor(example.ids)
        ids[row, :n] = values
        labels[row, :n] = torch.where(torch.tensor(example.learned), values, IGNORED)
    return ids, labels
