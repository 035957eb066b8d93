"""Named sizes of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from geng_export.errors import ExportError
from geng_export.models.bridge import BridgeConfig
from geng_export.models.claims_reader import SCORES
from geng_export.models.layout import Layout
from geng_export.models.text_expert import NUMBER_WIDTH


@dataclass(frozen=True)
class Preset:
    """A layout of the latent and a bridge that fits it."""

    layout: Layout
    bridge: BridgeConfig

    def bridge_for(self, text_width: int) -> BridgeConfig:
        """The bridge's sizes beside a text expert of this width and its claims reader."""
        return replace(self.bridge, condition_width=text_width + NUMBER_WIDTH, answers=SCORES)


PRESETS = {
    # The default: small enough for a Raspberry Pi, about 7 M parameters.
    "edge": Preset(Layout(), BridgeConfig()),
    # The paper's: about 80 M parameters, 64 tokens x 64, T = 500. Its residual reaches the full band.
    "paper": Preset(
        Layout(tokens=64, width=64, residual_total=480),
        BridgeConfig(tokens=64, width=64, dim=640, depth=12, heads=10),
    ),
    # For tests: trains in seconds, generates nothing worth looking at.
    "tiny": Preset(
        Layout(tokens=7, width=32, residual_total=64),
        BridgeConfig(tokens=7, width=32, dim=64, depth=2, heads=2),
    ),
}


def preset(name: str) -> Preset:
    """The preset of this name.

    Raises:
        ExportError: There is none.
    """
    if name not in PRESETS:
        raise ExportError(f"preset is {name!r}; it must be one of {', '.join(PRESETS)}")
    return PRESETS[name]
