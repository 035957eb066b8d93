"""A whole trained model: text expert, its readers, bridge, decoder, series encoder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from geng_export.models.bridge import Bridge, cosine_alpha_bar
from geng_export.models.claims_reader import ClaimsReader, shares
from geng_export.models.decoder import Decoder
from geng_export.models.frame import Frame, frame_of
from geng_export.models.layout import Layout
from geng_export.models.number_reader import NumberReader
from geng_export.models.presets import Preset, preset
from geng_export.models.sampling import read_roles
from geng_export.models.series_encoder import SeriesEncoder
from geng_export.models.text_expert import TextExpert
from geng_export.train import checkpoint
from geng_export.train.recipe import Recipe
from geng_export.train.text import TextSide


@dataclass
class Bundle:
    """All parts, on the CPU in float32, ready to run or to export."""

    recipe: Recipe
    expert: TextExpert
    reader: NumberReader
    claims: ClaimsReader | None
    bridge: Bridge
    student: Bridge | None
    decoder: Decoder
    encoder: SeriesEncoder
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def sizes(self) -> Preset:
        """The preset it was trained at."""
        return preset(self.recipe.preset)

    @property
    def layout(self) -> Layout:
        """The latent's layout."""
        return self.sizes.layout

    @property
    def alpha_bar(self) -> torch.Tensor:
        """The noise schedule, float32 ``[500]``."""
        return cosine_alpha_bar()

    def frame(self, condition: torch.Tensor, length: int) -> Frame:
        """The frame that the numbers of a condition ``[tokens, width]`` span, as the device reads them."""
        return frame_of(read_roles(self.reader, self.claims, condition, length), length)

    def memory(self, bridge: Bridge, condition: torch.Tensor, length: int) -> torch.Tensor:
        """What ``bridge`` (or the student) is told of one condition ``[tokens, width]``.

        Returns:
            ``[1, tokens + bridge.extra_tokens, dim]``, for a series of ``length`` steps.
        """
        frame = torch.from_numpy(self.frame(condition, length).features())
        claims = self.claims
        answers = torch.zeros(1, 0) if claims is None else shares(claims(condition[None]))
        return bridge.memory(condition[None], frame[None], answers)

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Read a training folder (``geng_export.train`` wrote it); the averaged bridge is taken.

        Raises:
            ExportError: A part is missing or damaged.
        """
        root = Path(folder)
        recipe = Recipe.load(root / "recipe.yaml")
        side = TextSide.untrained(recipe)
        side.load(checkpoint.load(root / "text.safetensors")[0])
        sizes = preset(recipe.preset)
        bridge = Bridge(sizes.bridge_for(side.expert.hidden))
        tensors, facts = checkpoint.load(root / "bridge.safetensors")
        bridge.load_state_dict(checkpoint.without_prefix("average", tensors))
        student = None
        if (root / "student.safetensors").exists():
            student = Bridge(sizes.bridge_for(side.expert.hidden))
            distilled, _ = checkpoint.load(root / "student.safetensors")
            student.load_state_dict(checkpoint.without_prefix("average", distilled))
        decoder = Decoder(sizes.layout)
        scale, _ = checkpoint.load(root / "scale.safetensors")
        decoder.mean.copy_(scale["mean"])
        decoder.std.copy_(scale["std"])
        encoder = SeriesEncoder(sizes.layout.window)
        encoder.load_state_dict(checkpoint.load(root / "encoder.safetensors")[0], strict=False)
        if (root / "facts.json").exists():
            facts |= json.loads((root / "facts.json").read_text(encoding="utf-8"))
        bundle = cls(
            recipe,
            side.expert,
            side.reader,
            side.claims,
            bridge,
            student,
            decoder,
            encoder,
            facts,
        )
        bundle.freeze()
        return bundle

    def freeze(self) -> None:
        """Evaluation mode, no gradients."""
        for part in vars(self).values():
            if isinstance(part, torch.nn.Module):
                part.eval().requires_grad_(False)
