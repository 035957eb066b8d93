"""Distil the guided bridge into a student that needs few evaluations and no second branch.

Consistency distillation (Song et al. 2023) in the latent with guidance inside the target, as latent
consistency models do it (Luo et al. 2023): on one trajectory of the guided teacher, the student's
clean latent must be the same from every noise level. One DPM-Solver step of the teacher links two
neighbouring levels. The student starts as the teacher and keeps its v-prediction, whose clean latent
is x itself at the last level, so that the boundary condition holds by construction.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from geng_export.models.bridge import Bridge
from geng_export.models.sampling import trajectory
from geng_export.train.batches import Batch
from geng_export.train.bridge import BridgeTrainer, Course, Noised, Scale, stratified
from geng_export.train.recipe import Recipe
from geng_export.train.text import TextSide

#: The target network follows the student at this rate.
TARGET_DECAY = 0.95


class StudentTrainer(BridgeTrainer):
    """One run, resumable.

    Args:
        recipe: Its ``student_*`` settings are used.
        teacher: The trained bridge; stays as it is.
        side, scale: As in training.
        path: Where the run is kept.
        start: What the student begins as; the teacher by default.
        run: Names what the run is of.
    """

    def __init__(
        self,
        recipe: Recipe,
        teacher: Bridge,
        side: TextSide,
        scale: Scale,
        path: Path,
        start: Bridge | None = None,
        run: str = "",
    ) -> None:
        course = Course(
            recipe.student_steps,
            recipe.student_learning_rate,
            recipe.warmup // 4,
            recipe.student_ema,
        )
        first = teacher if start is None else start
        super().__init__(recipe, copy.deepcopy(first), side, scale, path, course, run)
        self.teacher = teacher.eval().requires_grad_(False)
        self.target = copy.deepcopy(first).eval().requires_grad_(False)
        steps = trajectory(recipe.student_grid, len(self.alpha_bar))
        self.grid = torch.tensor([t for t, _ in steps])

    def resume(self) -> None:
        """Go on from the last checkpoint; the target starts from the average."""
        super().resume()
        if self.step:
            self.target.load_state_dict(self.average.weights)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Squared distance, in v, to what the target makes of the teacher's next level."""
        i = stratified(len(batch.raw) * self.recipe.noises, len(self.grid))
        t = self.grid[i]
        alpha, sigma = self.levels(t)
        bare = self.accelerator.unwrap_model(self.bridge)
        with self.accelerator.autocast():
            at = self.noised(batch, t)
            with torch.no_grad():
                goal = self._goal(at, i, self._taught(at, t))
            v = self.bridge(at.x, t, at.memory(bare), at.mask).float()
        return ((v - (alpha * at.x - goal) / sigma).square() * self.weights()).mean()

    def _taught(self, at: Noised, t: torch.Tensor) -> torch.Tensor:
        """The teacher's clean latent under guidance (GenG, equation 4)."""
        alpha, sigma = self.levels(t)
        w, teacher = self.recipe.student_guidance, self.teacher
        v = teacher(at.x, t, at.memory(teacher), at.mask).float()
        without = teacher(at.x, t, teacher.null_memory(len(at.x))).float()
        return alpha * at.x - sigma * ((w + 1.0) * v - w * without)

    def _goal(self, at: Noised, i: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
        """What the target sees one level further on; at the last level, what the teacher says."""
        last = len(self.grid) - 1
        t, t_next = self.grid[i], self.grid[(i + 1).clamp(max=last)]
        alpha, sigma = self.levels(t)
        alpha_next, sigma_next = self.levels(t_next)
        x = alpha_next * taught + sigma_next * (at.x - alpha * taught) / sigma
        v = self.target(x, t_next, at.memory(self.target), at.mask).float()
        seen = alpha_next * x - sigma_next * v
        return torch.where((i == last)[:, None, None], taught, seen)

    def advance(self, batch: Batch) -> float:
        """One optimiser step, then the target's; returns the loss."""
        loss = super().advance(batch)
        with torch.no_grad():
            now = self.accelerator.unwrap_model(self.bridge).state_dict()
            kept = self.target.state_dict()
            torch._foreach_lerp_(
                [kept[name] for name in now], [v.float() for v in now.values()], 1.0 - TARGET_DECAY
            )
        return loss
