"""Train the bridge: v-prediction, 500 timesteps, guidance dropped at random, averaged weights."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator

from geng_export.models.bridge import Bridge, cosine_alpha_bar
from geng_export.models.layout import STRUCTURE_TOKENS
from geng_export.models.text_expert import TextExpert
from geng_export.train import checkpoint
from geng_export.train.batches import Batch
from geng_export.train.reader import condition_of
from geng_export.train.recipe import Recipe

log = logging.getLogger(__name__)


@dataclass
class Scale:
    """Mean and spread of the raw latent, and which of its numbers are ever used."""

    mean: torch.Tensor
    std: torch.Tensor
    used: torch.Tensor


class Average:
    """Exponential moving average of a module's parameters, its decay warmed up."""

    def __init__(self, module: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {n: p.detach().clone() for n, p in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: torch.nn.Module, step: int) -> None:
        """Move towards the module's weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        now = module.state_dict()
        kept = [self.weights[name] for name in now]
        torch._foreach_lerp_(kept, [value.float() for value in now.values()], 1.0 - decay)


class BridgeTrainer:
    """One run, resumable: everything it needs to go on is in ``folder``."""

    def __init__(
        self, recipe: Recipe, bridge: Bridge, expert: TextExpert, scale: Scale, folder: Path
    ) -> None:
        self.recipe, self.expert, self.scale, self.folder = recipe, expert, scale, folder
        self.accelerator = Accelerator(mixed_precision="bf16" if recipe.bf16 else "no")
        optimiser = torch.optim.AdamW(
            bridge.parameters(),
            recipe.learning_rate,
            (0.9, 0.99),
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.bridge, self.optimiser = self.accelerator.prepare(bridge, optimiser)
        self.average = Average(self.accelerator.unwrap_model(self.bridge), recipe.ema)
        self.alpha_bar = cosine_alpha_bar()
        self.step = 0

    @property
    def path(self) -> Path:
        """Where the run is kept."""
        return self.folder / "bridge.safetensors"

    def save(self) -> None:
        """Write weights, averages and the optimiser's state."""
        if not self.accelerator.is_main_process:
            return
        tensors = checkpoint.prefixed(
            "bridge", self.accelerator.unwrap_model(self.bridge).state_dict()
        )
        tensors |= checkpoint.prefixed("average", self.average.weights)
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{n}": torch.as_tensor(v) for n, v in state.items()}
        checkpoint.save(self.path, tensors, {"step": self.step})

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        if not self.path.exists():
            return
        tensors, facts = checkpoint.load(self.path)
        bare = self.accelerator.unwrap_model(self.bridge)
        bare.load_state_dict(checkpoint.without_prefix("bridge", tensors))
        self.average.weights = checkpoint.without_prefix("average", tensors)
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in checkpoint.without_prefix("optimiser", tensors).items():
            index, field = name.split(".", 1)
            states.setdefault(int(index), {})[field] = value
        loaded = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": states, "param_groups": loaded["param_groups"]})
        self.step = int(str(facts["step"]))

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine to zero at the last step."""
        recipe = self.recipe
        if self.step < recipe.warmup:
            return recipe.learning_rate * (self.step + 1) / recipe.warmup
        share = (self.step - recipe.warmup) / max(recipe.steps - recipe.warmup, 1)
        return recipe.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean squared error of v over the numbers of the latent that are used."""
        condition = condition_of(self.expert, batch)
        x0 = ((batch.raw - self.scale.mean) / self.scale.std).clamp(-7.0, 7.0) * self.scale.used
        n = len(x0)
        t = ((torch.arange(n) + torch.rand(1)) / n * 500).long().clamp(max=499)[torch.randperm(n)]
        alpha = self.alpha_bar[t].sqrt()[:, None, None]
        sigma = (1 - self.alpha_bar[t]).sqrt()[:, None, None]
        noise = torch.randn_like(x0)
        bare = self.accelerator.unwrap_model(self.bridge)
        with self.accelerator.autocast():
            memory = bare.memory(condition, batch.frame)
            dropped = torch.rand(n) < self.recipe.drop_condition
            memory = torch.where(dropped[:, None, None], bare.null_memory(n), memory)
            mask = torch.cat([batch.mask, torch.ones(n, 1, dtype=torch.bool)], dim=1)
            alone = torch.zeros_like(mask)
            alone[:, 0] = True
            mask = torch.where(dropped[:, None], alone, mask)
            v = self.bridge(alpha * x0 + sigma * noise, t, memory, mask)
        weight = self.scale.used.clone()
        weight[STRUCTURE_TOKENS:] *= self.recipe.residual_weight
        error = (v.float() - (alpha * noise - sigma * x0)).square() * weight
        return error.mean() / weight.mean()

    def advance(self, batch: Batch) -> float:
        """One optimiser step; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        loss = self.loss(batch)
        self.optimiser.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.bridge.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.accelerator.unwrap_model(self.bridge), self.step)
        return float(loss.detach())
