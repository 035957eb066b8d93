"""D_y, the decoder: a latent read as the structure of a series, and rendered.

As harmonic-plus-noise decoders do for sound (Serra and Smith 1990; DDSP, Engel et al. 2020): a level and
a scale, a trend, two seasons whose phase runs on, noise drawn at decoding time, events, and a
residual of cosines for everything else. A period is exact and coherent over the window by
construction, and white noise costs the bridge nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from geng_export.models import layout as at
from geng_export.models.frame import CALM, Frame
from geng_export.models.layout import Layout

CALIBRATION_STEPS = 40
LARGEST_BEND = math.log(8.0)
#: Of a mean beside one limit: a shape that hugs it would have a range without end.
LEAST_SHARE = 0.02


@dataclass(frozen=True)
class Level:
    """Range, low, and mean as a share of the range, each float ``[batch]``."""

    range: torch.Tensor
    low: torch.Tensor
    share: torch.Tensor


class Decoder(torch.nn.Module):
    """Raw latents of one frame -> series. It has no weights but the latent's mean and spread."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.register_buffer("mean", torch.zeros(layout.tokens, layout.width))
        self.register_buffer("std", torch.ones(layout.tokens, layout.width))

    def level(self, raw: torch.Tensor, frame: Frame) -> Level:
        """Where the series lies, in its unit.

        Descriptions round their numbers, so the bridge draws a little beside them; what is asked for
        is the numbers.
        """
        r = raw[:, at.LEVEL]
        range_spread = 0.0 if frame.has_range else frame.range_spread
        low_spread = 0.0 if frame.has_level else frame.low_spread
        if frame.anchor is not None:
            range_spread *= CALM
        span = frame.range_centre * (range_spread * r[:, at.RANGE]).clamp(-30, 30).exp()
        share = (frame.mean_centre + frame.mean_spread * r[:, at.MEAN]).clamp(0.02, 0.98)
        low = frame.low_centre + span * low_spread * r[:, at.LOW].clamp(-30, 30).sinh()
        if frame.anchor is not None:
            below = share if frame.anchor.share is None else frame.anchor.share
            low = frame.anchor.value - below * span
        return Level(span, low, share)

    def shape(self, raw: torch.Tensor, frame: Frame, noise: torch.Tensor) -> torch.Tensor:
        """The series in units of its range: raw ``[batch, tokens, width]``, white noise ``[batch, n]``."""
        n = noise.shape[1]
        t = torch.arange(n, dtype=raw.dtype)
        x = self._smooth(raw, n)
        for i, token in enumerate((at.SEASON_1, at.SEASON_2)):
            x = x + self._season(raw[:, token], frame.period_centre[i], frame.period_spread[i], t)
        x = x + self._noise(raw[:, at.LEVEL], frame, noise)
        return self._with_events(x, raw[:, at.EVENTS], frame, t)

    def _smooth(self, raw: torch.Tensor, n: int) -> torch.Tensor:
        """Trend and residual."""
        lay = self.layout
        u = torch.linspace(0.0, 1.0, n, dtype=raw.dtype)
        trend = raw[:, at.TREND, : lay.trend + 1]
        per = lay.residual_per_token
        residual = raw[:, at.STRUCTURE_TOKENS :, :per].flatten(1)[:, : lay.residual_total]
        weights = torch.cat([trend[:, 1:], residual], dim=1)
        basis = torch.from_numpy(at.cosine_basis(1, lay.trend + lay.residual_total, n).copy())
        return trend[:, :1] * (u - 0.5) + weights @ basis.to(raw.dtype)

    def _season(
        self, row: torch.Tensor, centre: float, spread: float, t: torch.Tensor
    ) -> torch.Tensor:
        count = self.layout.harmonics
        period = (centre * (spread * row[:, at.PERIOD]).clamp(-30, 30).exp()).clamp(2.0, 4096.0)
        phase = torch.atan2(row[:, at.SIN_PHASE], row[:, at.COS_PHASE])
        amplitude = row[:, at.AMPLITUDE]
        amplitude = torch.where(amplitude < at.AMPLITUDE_FLOOR, 0.0, amplitude)
        h = row[:, at.HARMONICS : at.HARMONICS + 2 * count - 1]
        norm = h.norm(dim=1, keepdim=True)
        h = torch.where(norm < 1e-6, torch.zeros_like(h), h / norm.clamp(min=1e-6))
        c = torch.cat([h[:, :1], h[:, 1::2]], dim=1)
        s = torch.cat([torch.zeros_like(h[:, :1]), h[:, 2::2]], dim=1)
        k = torch.arange(1, count + 1, dtype=row.dtype)
        heard = 2 * k[None] < period[:, None]
        theta = 2 * math.pi * t[None] / period[:, None] + phase[:, None]
        angle = k[None, :, None] * theta[:, None, :]
        wave = (c * heard)[:, :, None] * angle.cos() + (s * heard)[:, :, None] * angle.sin()
        return amplitude[:, None] * wave.sum(dim=1)

    def _noise(self, row: torch.Tensor, frame: Frame, white: torch.Tensor) -> torch.Tensor:
        log_std = (frame.noise_centre + frame.noise_spread * row[:, at.NOISE]).clamp(max=0.0)
        std = torch.where(log_std > math.log(at.NOISE_FLOOR), log_std.exp(), 0.0)
        rho = row[:, at.COLOUR].tanh().clamp(-0.95, 0.995)
        gain = (1 - rho * rho).sqrt()
        steps = [white[:, 0]]
        for i in range(1, white.shape[1]):
            steps.append(rho * steps[-1] + gain * white[:, i])
        knots = row[:, at.ENVELOPE : at.ENVELOPE + at.ENVELOPE_KNOTS]
        place = torch.linspace(0.0, at.ENVELOPE_KNOTS - 1.0, white.shape[1], dtype=row.dtype)
        left = place.floor().long().clamp(max=at.ENVELOPE_KNOTS - 2)
        share = place - left
        envelope = knots[:, left] * (1 - share) + knots[:, left + 1] * share
        return std[:, None] * envelope.exp() * torch.stack(steps, dim=1)

    def _with_events(
        self, x: torch.Tensor, row: torch.Tensor, frame: Frame, t: torch.Tensor
    ) -> torch.Tensor:
        n = x.shape[1]
        drops: list[tuple[torch.Tensor, torch.Tensor]] = []
        for i in range(at.EVENTS_PER_SERIES):
            e = row[:, i * at.EVENT_WIDTH : (i + 1) * at.EVENT_WIDTH]
            kind = e[:, : len(at.EVENT_KINDS)].argmax(dim=1)[:, None]
            share = frame.position_centre[i] + frame.position_spread[i] * e[:, at.EVENT_POSITION]
            place = (share.clamp(0, 1) * (n - 1) + 0.5).floor()[:, None]
            width = e[:, at.EVENT_LOG_WIDTH].clamp(-30, 30).exp()[:, None]
            least = torch.where(kind == 4, width.clamp(max=at.SHORTEST_DROPOUT), 0.0)
            width = torch.maximum(width * min(1.0, n / at.EVENT_WINDOW), least)
            size = e[:, at.EVENT_SIZE][:, None]
            off = t[None] - place
            bump = size.abs() * torch.exp(-0.5 * (off / width.clamp(0.5, 64.0)) ** 2)
            step = size * torch.sigmoid(off / width.clamp(0.25, 64.0))
            x = x + torch.where(kind == 1, bump, 0.0) - torch.where(kind == 2, bump, 0.0)
            x = x + torch.where(kind == 3, step, 0.0)
            last = place + (width.clamp(1.0, n / 2) + 0.5).floor()
            inside = (kind == 4) & (t[None] >= place) & (t[None] < last)
            drops.append((inside, size.abs()))
        floor = x.min(dim=1, keepdim=True).values
        for inside, depth in drops:
            x = torch.where(inside, floor - depth, x)
        return x

    def reconstruct(self, raw: torch.Tensor, frame: Frame, length: int) -> torch.Tensor:
        """The series as it was analysed: no noise drawn, no calibration. ``[batch, length]``."""
        level = self.level(raw, frame)
        x = self.shape(raw, frame, torch.zeros(len(raw), length, dtype=raw.dtype))
        x = x - x.mean(dim=1, keepdim=True)
        return (level.low + level.share * level.range)[:, None] + level.range[:, None] * x

    def forward(self, latent: torch.Tensor, frame: Frame, noise: torch.Tensor) -> torch.Tensor:
        """Latents ``[batch, tokens, width]`` as the bridge makes them -> calibrated series.

        Args:
            latent: Standardised latents.
            frame: Their coordinate system.
            noise: White Gaussian noise ``[batch, length]``.

        Returns:
            ``[batch, length]``, in the unit of the frame: its range, its mean where the text states one,
            and its resolution hold exactly.
        """
        raw = latent * self.std + self.mean
        return calibrate(self.shape(raw, frame, noise), self.level(raw, frame), frame)


def calibrate(x: torch.Tensor, level: Level, frame: Frame) -> torch.Tensor:
    """Lay a shape into its range; bend it to its mean where the text states one; quantise it."""
    low = x.min(dim=1, keepdim=True).values
    height = x.max(dim=1, keepdim=True).values - low
    s = torch.where(height < 1e-9, level.share[:, None], (x - low) / height.clamp(min=1e-9))
    level = _settled(level, frame, s.mean(dim=1))
    if frame.has_mean:
        s = _bend(s, level.share)
    y = level.low[:, None] + level.range[:, None] * s
    if frame.resolution > 0.0:
        q = frame.resolution
        bottom = torch.ceil(level.low / q - 1e-6)[:, None]
        top = torch.floor((level.low + level.range) / q + 1e-6)[:, None]
        k = torch.round(y / q)
        y = q * torch.where(bottom <= top, torch.minimum(torch.maximum(k, bottom), top), k)
    return y


def _settled(level: Level, frame: Frame, share: torch.Tensor) -> Level:
    """Put a level about a mean stated alone, or with one limit; ``share`` is the shape's own mean."""
    mean = frame.anchor
    if mean is None or mean.share is not None:
        return level
    own = share.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE)
    if mean.low is not None:
        return Level((mean.value - mean.low) / own, torch.full_like(own, mean.low), level.share)
    if mean.high is not None:
        span = (mean.high - mean.value) / (1.0 - own)
        return Level(span, mean.high - span, level.share)
    return Level(level.range, mean.value - share * level.range, level.share)


def _bend(s: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """s ** g with the exponent that gives each row the asked mean; ends stay where they are."""
    lower = torch.full_like(share, -LARGEST_BEND)
    upper = torch.full_like(share, LARGEST_BEND)
    for _ in range(CALIBRATION_STEPS):
        middle = (lower + upper) / 2
        too_high = (s ** middle.exp()[:, None]).mean(dim=1) > share
        lower, upper = torch.where(too_high, middle, lower), torch.where(too_high, upper, middle)
    return s ** ((lower + upper) / 2).exp()[:, None]
