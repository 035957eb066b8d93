"""Tune the text expert f together with its two readers.

Number roles and stated claims are read off the condition with cross entropy, and the gradient goes
through the layers of f. Nothing of it needs a series, so it is done before the bridge learns to
follow the condition.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional as F

from geng_export.data.answers import FIELDS
from geng_export.errors import ExportError
from geng_export.models.claims_reader import ClaimsReader, read_answers
from geng_export.models.number_reader import NumberReader
from geng_export.models.text_expert import TextExpert
from geng_export.train import checkpoint
from geng_export.train.batches import Batch
from geng_export.train.recipe import Recipe

log = logging.getLogger(__name__)

READERS_LEARNING_RATE = 2e-3
WARMUP = 100
#: Share of word pieces that a text loses in training, numbers and [CLS] and [SEP] spared: no single
#: word may carry a claim alone, or an unknown one in its place would lose it.
MASKED = 0.1


def condition_of(expert: TextExpert, batch: Batch) -> torch.Tensor:
    """Z_x of a batch: ``[batch, tokens, text + number width]``, float32."""
    text = expert(batch.ids, batch.mask).float()
    return torch.cat([text, batch.numbers], dim=-1) * batch.mask[..., None]


@dataclass
class TextSide:
    """f and what is read off its condition."""

    expert: TextExpert
    reader: NumberReader
    claims: ClaimsReader

    @classmethod
    def untrained(cls, recipe: Recipe) -> TextSide:
        """f as it was pre-trained, and new readers."""
        expert = TextExpert.from_pretrained(recipe.text_expert, recipe.text_layers)
        return cls(expert, NumberReader(expert.hidden), ClaimsReader(expert.hidden))

    def parts(self) -> dict[str, torch.nn.Module]:
        """The modules by their prefix in a checkpoint."""
        return {"expert": self.expert.layers, "reader": self.reader, "claims": self.claims}

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that training changes."""
        found: dict[str, torch.Tensor] = {}
        for prefix, module in self.parts().items():
            found |= checkpoint.prefixed(prefix, module.state_dict())
        return found

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take over :meth:`tensors` of another one."""
        for prefix, module in self.parts().items():
            module.load_state_dict(checkpoint.without_prefix(prefix, tensors))


class TextTrainer:
    """One run, resumable: everything it needs to go on is in ``path``.

    Attributes:
        run: Names what the run is of; a checkpoint with another name is refused.
    """

    def __init__(self, recipe: Recipe, side: TextSide, path: Path, run: str = "") -> None:
        self.recipe, self.side, self.path, self.run = recipe, side, path, run
        readers = [*side.reader.parameters(), *side.claims.parameters()]
        tuned = side.expert.tuned_parameters()
        for parameter in tuned:
            parameter.requires_grad_(True)
        self.groups = ((tuned, recipe.text_learning_rate), (readers, READERS_LEARNING_RATE))
        self.optimiser = torch.optim.AdamW(
            [{"params": p, "lr": rate} for p, rate in self.groups], weight_decay=0.01
        )
        self.step = 0

    def save(self) -> None:
        """Write weights and the optimiser's state."""
        tensors = self.side.tensors()
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{n}": torch.as_tensor(v) for n, v in state.items()}
        checkpoint.save(self.path, tensors, {"step": self.step, "run": self.run})

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one.

        Raises:
            ExportError: It is damaged, or of another run.
        """
        if not self.path.exists():
            return
        tensors, facts = checkpoint.load(self.path, self.run)
        self.side.load(tensors)
        checkpoint.load_optimiser(self.optimiser, tensors)
        self.step = int(str(facts["step"]))

    def masked(self, batch: Batch) -> Batch:
        """The batch with some word pieces replaced by [MASK]."""
        mask_id = self.side.expert.tokenizer.token_to_id("[MASK]")
        if mask_id is None:
            raise ExportError("text expert's vocabulary has no [MASK]; it must be a BERT's")
        lost = (torch.rand(batch.ids.shape) < MASKED) & batch.mask & (batch.roles < 0)
        lost[:, 0] = False
        last = batch.mask.sum(dim=1) - 1
        lost[torch.arange(len(lost)), last] = False
        return replace(batch, ids=batch.ids.masked_fill(lost, mask_id))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross entropy of the roles of numbers and of every field that a text answers."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
            condition = condition_of(self.side.expert, batch)
        return self.reading_loss(condition, batch)

    def reading_loss(self, condition: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Of what the readers make of a condition."""
        roles = self.side.reader(condition, batch.mask)
        numbers = F.cross_entropy(roles.flatten(0, 1), batch.roles.flatten(), ignore_index=-1)
        answers = self.side.claims(condition, batch.mask)
        return 4.0 * numbers + self.side.claims.loss(answers, batch.answers)

    def advance(self, batch: Batch) -> float:
        """One optimiser step; returns the loss."""
        share = self.step / self.recipe.text_steps
        factor = min((self.step + 1) / WARMUP, 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0))))
        for group, (_, rate) in zip(self.optimiser.param_groups, self.groups, strict=True):
            group["lr"] = rate * factor
        self.side.expert.train()
        loss = self.loss(batch)
        self.optimiser.zero_grad()
        loss.backward()
        for parameters, _ in self.groups:
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())


@torch.no_grad()
def shares_right(side: TextSide, held_back: Sequence[Batch]) -> dict[str, float]:
    """Share of word pieces with the right role, and of texts with the right answer by field."""
    side.expert.eval()
    side.reader.eval()
    right = dict.fromkeys(("roles", *FIELDS), 0)
    seen = dict.fromkeys(right, 0)
    for batch in held_back:
        condition = condition_of(side.expert, batch)
        known = batch.roles >= 0
        roles = side.reader(condition, batch.mask).argmax(-1)
        right["roles"] += int((roles == batch.roles)[known].sum())
        seen["roles"] += int(known.sum())
        for row, answers in zip(side.claims(condition, batch.mask), batch.answers, strict=True):
            for i, (name, answer) in enumerate(read_answers(row).items()):
                right[name] += int(FIELDS[name].index(answer) == int(answers[i]))
                seen[name] += 1
    side.reader.train()
    return {name: right[name] / max(seen[name], 1) for name in right}


def train_text_side(trainer: TextTrainer, drawn: Iterator[Batch], tuning: Iterator[Batch]) -> None:
    """Train to the recipe's last step, then freeze; resumes from the trainer's checkpoint."""
    recipe, side = trainer.recipe, trainer.side
    torch.manual_seed(recipe.seed)
    trainer.resume()
    if trainer.step < recipe.text_steps:
        held_back = list(itertools.islice(tuning, 8))
        while trainer.step < recipe.text_steps:
            loss = trainer.advance(trainer.masked(next(drawn)))
            if trainer.step % recipe.save_every == 0 or trainer.step == recipe.text_steps:
                trainer.save()
                shares = shares_right(side, held_back)
                words = ", ".join(f"{name} {100 * share:.1f}" for name, share in shares.items())
                log.info("text step %d: loss %.3f; %% right: %s", trainer.step, loss, words)
    for module in (side.expert, side.reader, side.claims):
        module.eval().requires_grad_(False)
