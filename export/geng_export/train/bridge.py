"""Train the bridge: v-prediction, 500 timesteps, guidance dropped at random, averaged weights."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator

from geng_export.models.bridge import Bridge, cosine_alpha_bar
from geng_export.models.claims_reader import shares
from geng_export.models.layout import STRUCTURE_TOKENS
from geng_export.train import checkpoint
from geng_export.train.batches import Batch
from geng_export.train.recipe import Recipe
from geng_export.train.text import TextSide, condition_of

log = logging.getLogger(__name__)

#: Coefficients that almost never move would be blown up by their own tiny spread.
LEAST_STD = 1e-3


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


@dataclass(frozen=True)
class Course:
    """How long and how fast a network is trained."""

    steps: int
    learning_rate: float
    warmup: int
    ema: float


@dataclass
class Noised:
    """A batch on its way: its latents at one noise level each, and what guides them."""

    x0: torch.Tensor
    noise: torch.Tensor
    x: torch.Tensor
    condition: torch.Tensor
    mask: torch.Tensor
    frame: torch.Tensor
    answers: torch.Tensor

    def memory(self, bridge: Bridge) -> torch.Tensor:
        """What a bridge is told of the batch."""
        return bridge.memory(self.condition, self.frame, self.answers)


def stratified(n: int, levels: int) -> torch.Tensor:
    """``n`` of ``levels``, evenly spread and in random order: int64 ``[n]``."""
    drawn = ((torch.arange(n) + torch.rand(1)) / n * levels).long().clamp(max=levels - 1)
    return drawn[torch.randperm(n)]


class BridgeTrainer:
    """One run, resumable: everything it needs to go on is in ``path``.

    Attributes:
        run: Names what the run is of; a checkpoint with another name is refused.
        seconds: Spent in training so far, over all calls; whoever calls counts them.
    """

    def __init__(
        self,
        recipe: Recipe,
        bridge: Bridge,
        side: TextSide,
        scale: Scale,
        path: Path,
        course: Course | None = None,
        run: str = "",
    ) -> None:
        self.recipe, self.side, self.scale, self.path = recipe, side, scale, path
        self.run = run
        self.course = course or Course(
            recipe.steps, recipe.learning_rate, recipe.warmup, recipe.ema
        )
        self.accelerator = Accelerator(mixed_precision="bf16" if recipe.bf16 else "no")
        optimiser = torch.optim.AdamW(
            bridge.parameters(),
            self.course.learning_rate,
            (0.9, 0.99),
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.bridge, self.optimiser = self.accelerator.prepare(bridge, optimiser)
        self.average = Average(self.accelerator.unwrap_model(self.bridge), self.course.ema)
        self.alpha_bar = cosine_alpha_bar()
        self.step = 0
        self.seconds = 0.0

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
        facts = {"step": self.step, "run": self.run, "seconds": self.seconds}
        checkpoint.save(self.path, tensors, facts)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one.

        Raises:
            ExportError: It is damaged, or of another run.
        """
        if not self.path.exists():
            return
        tensors, facts = checkpoint.load(self.path, self.run)
        bare = self.accelerator.unwrap_model(self.bridge)
        bare.load_state_dict(checkpoint.without_prefix("bridge", tensors))
        self.average.weights = checkpoint.without_prefix("average", tensors)
        checkpoint.load_optimiser(self.optimiser, tensors)
        self.step = int(str(facts["step"]))
        self.seconds = float(str(facts.get("seconds", 0.0)))

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine to zero at the last step."""
        course = self.course
        if self.step < course.warmup:
            return course.learning_rate * (self.step + 1) / course.warmup
        share = (self.step - course.warmup) / max(course.steps - course.warmup, 1)
        return course.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))

    def levels(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """alpha and sigma at timesteps ``[batch]``, each ``[batch, 1, 1]``."""
        alpha_bar = self.alpha_bar[t][:, None, None]
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()

    def noised(self, batch: Batch, t: torch.Tensor) -> Noised:
        """Noise a batch to timesteps ``t``, several for each text, which f then reads only once.

        Some examples get another's words, see :class:`geng_export.train.recipe.Recipe`.
        The mask has the frame's token and the claims' at its end.
        """
        times = len(t) // len(batch.raw)
        with torch.no_grad():
            condition = condition_of(self.side.expert, batch)
            answers = shares(self.side.claims(condition, batch.mask))
        raw = batch.raw.repeat(times, 1, 1)
        x0 = ((raw - self.scale.mean) / self.scale.std).clamp(-7.0, 7.0) * self.scale.used
        alpha, sigma = self.levels(t)
        noise = torch.randn_like(x0)
        extra = self.accelerator.unwrap_model(self.bridge).extra_tokens
        mask = torch.cat([batch.mask, torch.ones(len(batch.raw), extra, dtype=torch.bool)], dim=1)
        texts = torch.arange(len(t)) % len(batch.raw)
        swapped = torch.rand(len(t)) < self.recipe.swap_words
        texts = torch.where(swapped, texts[torch.randperm(len(t))], texts)
        return Noised(
            x0,
            noise,
            alpha * x0 + sigma * noise,
            condition[texts],
            mask[texts],
            batch.frame.repeat(times, 1),
            answers.repeat(times, 1),
        )

    def weights(self) -> torch.Tensor:
        """Weight of every number of the latent in a loss."""
        weight = self.scale.used.clone()
        weight[STRUCTURE_TOKENS:] *= self.recipe.residual_weight
        return weight / weight.mean()

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean squared error of v over the numbers of the latent that are used."""
        n = len(batch.raw) * self.recipe.noises
        t = stratified(n, 500)
        alpha, sigma = self.levels(t)
        bare = self.accelerator.unwrap_model(self.bridge)
        with self.accelerator.autocast():
            at = self.noised(batch, t)
            memory = at.memory(bare)
            dropped = torch.rand(n) < self.recipe.drop_condition
            memory = torch.where(dropped[:, None, None], bare.null_memory(n), memory)
            alone = torch.zeros_like(at.mask)
            alone[:, 0] = True
            v = self.bridge(at.x, t, memory, torch.where(dropped[:, None], alone, at.mask))
        return ((v.float() - (alpha * at.noise - sigma * at.x0)).square() * self.weights()).mean()

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
