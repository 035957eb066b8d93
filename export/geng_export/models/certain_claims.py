"""What a text states beyond doubt, imposed on a latent: the device's last touch, rebuilt independently."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from geng_edge.claims import TRENDS
from geng_export.data.answers import FIELDS
from geng_export.models import layout as at
from geng_export.models.decoder import Decoder

#: Certainty from which a reading is imposed.
SURE = 0.9
#: A change over the window, as a share of the range, that nobody overlooks.
PLAIN = 0.3
#: Cosines that make less than two and a half cycles in the window.
SLOWEST = 4
#: A cosine's neighbours lie within this ratio of its frequency, and it within this of their median.
NEIGHBOURS, LOUDEST = 1.6, 1.5
GRID = 4096


@dataclass(frozen=True)
class CertainClaims:
    """The trend asked for, if any, and whether there must be no cycle."""

    trend: str | None
    no_cycle: bool


def certain(shares: torch.Tensor) -> CertainClaims:
    """What answers ``[scores]`` are sure of."""
    sure = {}
    first = 0
    for name, answers in FIELDS.items():
        sure[name] = [a for i, a in enumerate(answers) if shares[first + i] > SURE]
        first += len(answers)
    trend = next((name for name in TRENDS if name in sure["trend"]), None)
    return CertainClaims(trend, "no" in sure["periodic"])


def impose(claims: CertainClaims, latent: torch.Tensor, decoder: Decoder) -> torch.Tensor:
    """Latents ``[batch, tokens, width]`` that do what is asked."""
    raw = (latent * decoder.std + decoder.mean).double()
    if claims.no_cycle:
        _flatten(raw, decoder.layout)
    if claims.trend is not None:
        _lean(raw, decoder.layout, claims.trend)
    return ((raw - decoder.mean) / decoder.std).float()


def _lean(raw: torch.Tensor, layout: at.Layout, claim: str) -> None:
    """Change the slope, in place, until the best straight line changes as claimed."""
    u = (torch.arange(GRID, dtype=torch.float64) + 0.5) / GRID - 0.5
    cosines = torch.from_numpy(at.cosine_basis(1, layout.trend, GRID).copy())
    # What each part of the trend adds to the line, by least squares on a fine grid.
    changes = torch.cat([u[None], cosines]) @ u / (u @ u)
    change = raw[:, at.TREND, : layout.trend + 1] @ changes
    wanted = {
        "none": torch.zeros_like(change),
        "up": change.clamp(min=PLAIN),
        "down": change.clamp(max=-PLAIN),
    }[claim]
    raw[:, at.TREND, 0] += wanted - change


def _flatten(raw: torch.Tensor, layout: at.Layout) -> None:
    """Silence the seasons, and take the peaks off the spectrum of trend and residual, in place."""
    raw[:, [at.SEASON_1, at.SEASON_2], at.AMPLITUDE] = 0.0
    per, total = layout.residual_per_token, layout.residual_total
    residual = raw[:, at.STRUCTURE_TOKENS :, :per].flatten(1)
    weights = torch.cat([raw[:, at.TREND, 1 : layout.trend + 1], residual[:, :total]], dim=1)
    loud = weights.abs()
    flat = weights.clone()
    for i in range(SLOWEST, weights.shape[1]):
        first = math.ceil((i + 1) / NEIGHBOURS) - 1
        last = min(int((i + 1) * NEIGHBOURS), weights.shape[1])
        middle = loud[:, first:last].sort(dim=1).values[:, (last - first) // 2]
        flat[:, i] = weights[:, i].clamp(-LOUDEST * middle, LOUDEST * middle)
    raw[:, at.TREND, 1 : layout.trend + 1] = flat[:, : layout.trend]
    residual[:, :total] = flat[:, layout.trend :]
    raw[:, at.STRUCTURE_TOKENS :, :per] = residual.view(len(raw), -1, per)
