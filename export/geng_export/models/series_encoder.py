"""E_y, the series encoder: a window -> the structure that explains it.

Amortised where the problem is not linear, exact where it is (variable projection, Golub and Pereyra
1973): a small transformer over patches of the window and of its spectrum proposes periods and
events; periods are then refined, and harmonics, trend and residual follow by least squares. It is
trained on composed windows, whose structure is known, and read on real ones.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from geng_export.models import layout as at
from geng_export.models.layout import FloatArray, Layout

PATCH = 16
#: Period classes: log-spaced centres between these, in steps.
PERIOD_CLASSES, PERIOD_LEAST, PERIOD_MOST = 96, 4.0, 256.0
POSITION_CLASSES = 64
LEAST_GAIN = 0.04
PRESENT = 0.5


def period_centres() -> FloatArray:
    """Centre of each period class, float64 ``[96]``."""
    return np.geomspace(PERIOD_LEAST, PERIOD_MOST, PERIOD_CLASSES)


class SeriesEncoder(torch.nn.Module):
    """The network that proposes: normalised window -> scores of periods and events.

    Outputs, per window: two period slots of 96 classes and a presence score; two event slots of 5 kinds,
    64 position classes, log width and size.
    """

    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(self, window: int = 512, dim: int = 96, depth: int = 3, heads: int = 4) -> None:
        super().__init__()
        self.window, self.heads = window, heads
        patches = window // PATCH
        self.patch = torch.nn.Linear(PATCH, dim)
        self.band = torch.nn.Linear(PATCH, dim)
        self.position = torch.nn.Parameter(torch.randn(2 * patches + 1, dim) * 0.02)
        self.blocks = torch.nn.ModuleList(_Block(dim, heads) for _ in range(depth))
        self.output = torch.nn.Linear(dim, self.outputs)
        angle = torch.arange(window, dtype=torch.float64)[:, None] * torch.arange(
            1, window + 1, dtype=torch.float64
        )
        turn = angle * (math.pi / window)  # half a DFT bin apart: twice the resolution
        self.register_buffer("cos", turn.cos().float(), persistent=False)
        self.register_buffer("sin", turn.sin().float(), persistent=False)

    @property
    def slot(self) -> int:
        """Numbers of one event slot."""
        return len(at.EVENT_KINDS) + POSITION_CLASSES + 2

    @property
    def outputs(self) -> int:
        """Numbers the network puts out."""
        return 2 * (PERIOD_CLASSES + 1) + at.EVENTS_PER_SERIES * self.slot

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Windows of mean 0 and range 1, ``[batch, window]`` -> scores ``[batch, outputs]``."""
        u = torch.linspace(-1.0, 1.0, self.window)
        slope = (x * u).sum(1, keepdim=True) / u.square().sum()
        level = x - slope * u
        power = (level @ self.cos).square() + (level @ self.sin).square()
        spectrum = (1e-4 + power / power.mean(1, keepdim=True).clamp(min=1e-12)).log() / 4.0
        tokens = torch.cat(
            [
                self.patch(4.0 * x.unflatten(1, (-1, PATCH))),
                self.band(spectrum.unflatten(1, (-1, PATCH))),
                torch.zeros(len(x), 1, self.position.shape[1]),
            ],
            dim=1,
        )
        h = tokens + self.position
        for block in self.blocks:
            h = block(h)
        h = F.layer_norm(h, h.shape[-1:], eps=1e-6)
        return self.output(h[:, -1])


class _Block(torch.nn.Module):
    """A pre-norm transformer block without affine norms."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = torch.nn.Linear(dim, 3 * dim)
        self.o = torch.nn.Linear(dim, dim)
        self.up = torch.nn.Linear(dim, 4 * dim)
        self.down = torch.nn.Linear(4 * dim, dim)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.qkv(F.layer_norm(h, h.shape[-1:], eps=1e-6)).chunk(3, dim=-1)
        )
        h = h + self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        up = self.up(F.layer_norm(h, h.shape[-1:], eps=1e-6))
        return h + self.down(F.gelu(up, approximate="tanh"))


def normalised(x: FloatArray) -> tuple[FloatArray, float, float, float]:
    """A window in units of its range around its mean; and its range, low and mean share."""
    low, high = float(x.min()), float(x.max())
    span = max(high - low, 1e-12)
    share = float((x.mean() - low) / span)
    return (x - low) / span - share, span, low, share


def encode(network: SeriesEncoder, layout: Layout, windows: FloatArray) -> FloatArray:
    """Windows ``[batch, 512]`` -> structures ``[batch, tokens, width]`` (float64).

    Cost: one network call for all, then about 70 small least-squares fits a window.
    """
    shapes = [normalised(np.asarray(x, dtype=np.float64)) for x in windows]
    with torch.inference_mode():
        stacked = torch.from_numpy(np.stack([s[0] for s in shapes])).float()
        scores = network(stacked).double().numpy()
    rows = [_explain(layout, x, row) for (x, _, _, _), row in zip(shapes, scores, strict=True)]
    for row, (_, span, low, share) in zip(rows, shapes, strict=True):
        row[at.LEVEL, at.RANGE : at.NOISE] = span, low, share
    return np.stack(rows)


def _explain(layout: Layout, x: FloatArray, scores: FloatArray) -> FloatArray:
    structure = np.zeros((layout.tokens, layout.width))
    structure[at.EVENTS, 0] = structure[at.EVENTS, at.EVENT_WIDTH] = 1.0
    rest = x - _events(structure, x, scores[2 * (PERIOD_CLASSES + 1) :])
    for slot, token in enumerate((at.SEASON_1, at.SEASON_2)):
        own = scores[slot * (PERIOD_CLASSES + 1) : (slot + 1) * (PERIOD_CLASSES + 1)]
        if own[-1] > 0.0:
            rest = rest - _fit_season(structure[token], layout, rest, own[:-1])
    _fit_smooth(structure, layout, rest)
    return structure


def _softmax_peak(scores: FloatArray) -> float:
    """The mean class around the highest score: a class index with a fraction."""
    top = int(scores.argmax())
    near = slice(max(top - 1, 0), min(top + 2, len(scores)))
    weight = np.exp(scores[near] - scores[top])
    return float((np.arange(len(scores))[near] * weight).sum() / weight.sum())


def _events(structure: FloatArray, x: FloatArray, scores: FloatArray) -> FloatArray:
    """Write the proposed events; returns what the additive ones put into the window."""
    n = len(x)
    t = np.arange(n, dtype=np.float64)
    put = np.zeros(n)
    width = len(scores) // at.EVENTS_PER_SERIES
    kinds = len(at.EVENT_KINDS)
    for i in range(at.EVENTS_PER_SERIES):
        own = scores[i * width : (i + 1) * width]
        kind = int(own[:kinds].argmax())
        if kind not in (1, 2, 3):
            continue
        place = (_softmax_peak(own[kinds : kinds + POSITION_CLASSES]) + 0.5) / POSITION_CLASSES
        found = _refine_event(
            x - put, t, kind, place * (n - 1), math.exp(np.clip(own[-2], -1.5, 4))
        )
        if found is None:
            continue
        position, spread, size, curve = found
        put += curve
        row = structure[at.EVENTS, i * at.EVENT_WIDTH : (i + 1) * at.EVENT_WIDTH]
        row[:kinds] = 0.0
        row[kind] = 1.0
        row[at.EVENT_POSITION : at.EVENT_SIZE + 1] = position / (n - 1), math.log(spread), size
    return put


def _refine_event(
    x: FloatArray, t: FloatArray, kind: int, near: float, width: float
) -> tuple[float, float, float, FloatArray] | None:
    """Place, width, size and curve of the event of ``kind`` that fits best around ``near``."""
    start, end = int(max(near - 24, 0)), int(min(near + 25, len(x)))
    local = x[start:end]
    best: tuple[float, float, float, float] | None = None
    for spread in (0.5 * width, width, 2.0 * width):
        spread = float(np.clip(spread, 0.5 if kind < 3 else 0.25, 16.0))
        for place in range(max(int(near) - 10, 0), min(int(near) + 11, len(x))):
            curve = _event_curve(t[start:end] - place, kind, spread)
            design = np.stack([curve, np.ones(len(curve)), t[start:end] - place])
            weight, *_ = np.linalg.lstsq(design.T, local, rcond=None)
            error = float(np.square(local - weight @ design).sum())
            if best is None or error < best[0]:
                best = error, float(place), spread, float(weight[0])
    if best is None:
        return None
    _, position, spread, size = best
    wrong_way = (kind == 1 and size <= 0.0) or (kind == 2 and size >= 0.0)
    if wrong_way or abs(size) < 0.1:
        return None
    return (
        position,
        spread,
        abs(size) if kind < 3 else size,
        size * _event_curve(t - position, kind, spread),
    )


def _event_curve(off: FloatArray, kind: int, spread: float) -> FloatArray:
    if kind == 3:
        return 1.0 / (1.0 + np.exp(-np.clip(off / spread, -60.0, 60.0)))
    return np.exp(-0.5 * np.square(off / spread))


def _design(period: float, count: int, n: int) -> FloatArray:
    """Cosines and sines of the harmonics below the Nyquist limit, then a constant and a slope."""
    heard = max(1, min(count, math.ceil(period / 2.0) - 1))
    angle = np.arange(1, heard + 1)[:, None] * (2.0 * math.pi / period * np.arange(n))[None, :]
    smooth = np.concatenate([np.ones((1, n)), at.cosine_basis(1, 4, n)])
    return np.concatenate([np.cos(angle), np.sin(angle), smooth])


def _project(period: float, count: int, x: FloatArray) -> tuple[float, FloatArray, int]:
    """Sum of squares left by the best fit at ``period``; its weights; its harmonics."""
    design = _design(period, count, len(x))
    gram = design @ design.T
    gram[np.diag_indices_from(gram)] += 1e-6 * len(x)
    aim = design @ x
    weight: FloatArray = np.linalg.solve(gram, aim).astype(np.float64)
    return float(x @ x - weight @ aim), weight, (len(design) - 5) // 2


def _fit_season(row: FloatArray, layout: Layout, x: FloatArray, scores: FloatArray) -> FloatArray:
    """Refine one period and fit its harmonics; returns what the season puts into the window."""
    at_class = _softmax_peak(scores)
    ratio = (PERIOD_MOST / PERIOD_LEAST) ** (1.0 / (PERIOD_CLASSES - 1))
    centre = PERIOD_LEAST * ratio**at_class
    few = min(layout.harmonics, 6)
    grid = centre * np.exp(np.linspace(-0.07, 0.07, 43))
    errors = [_project(p, few, x)[0] for p in grid]
    best = int(np.argmin(errors))
    step = 0.14 / 42
    for _ in range(6):  # halve the step around the best
        step /= 2.0
        trial = [grid[best] * math.exp(-step), grid[best], grid[best] * math.exp(step)]
        grid, best = np.array(trial), int(np.argmin([_project(p, few, x)[0] for p in trial]))
    period = float(np.clip(grid[best], 2.5, 4096.0))
    _, weight, heard = _project(period, layout.harmonics, x)
    design = _design(period, layout.harmonics, len(x))
    season = weight[: 2 * heard] @ design[: 2 * heard]
    smooth = weight[2 * heard :] @ design[2 * heard :]
    rest = x - smooth
    gain = 1.0 - float(np.square(rest - season).sum()) / max(
        float(np.square(rest - rest.mean()).sum()), 1e-12
    )
    if gain < LEAST_GAIN:
        return np.zeros(len(x))
    _put_harmonics(row, layout, period, weight[:heard] - 1j * weight[heard : 2 * heard])
    return season


def _put_harmonics(
    row: FloatArray, layout: Layout, period: float, tones: npt.NDArray[np.complex128]
) -> None:
    k = np.arange(1, len(tones) + 1)
    phase = float(np.angle(tones[0]))
    turned = tones * np.exp(-1j * k * phase)
    pairs = np.zeros(2 * layout.harmonics)
    pairs[0 : 2 * len(k) : 2], pairs[1 : 2 * len(k) : 2] = turned.real, -turned.imag
    flat = np.concatenate([pairs[:1], pairs[2:]])
    amplitude = float(np.linalg.norm(flat))
    row[at.PERIOD], row[at.COS_PHASE], row[at.SIN_PHASE] = period, math.cos(phase), math.sin(phase)
    row[at.AMPLITUDE] = amplitude
    row[at.HARMONICS : at.HARMONICS + len(flat)] = flat / max(amplitude, 1e-12)


def _fit_smooth(structure: FloatArray, layout: Layout, x: FloatArray) -> None:
    """Slope, trend, residual, and the noise that is left."""
    n = len(x)
    u = np.linspace(-0.5, 0.5, n)
    slope = float((x * u).sum() / (u * u).sum())
    weights = at.cosine_basis(1, layout.trend + layout.residual_total, n) @ (x - slope * u) / n
    structure[at.TREND, 0] = slope
    structure[at.TREND, 1 : layout.trend + 1] = weights[: layout.trend]
    per = layout.residual_per_token
    for i in range(layout.residual_tokens):
        part = weights[layout.trend + i * per : layout.trend + (i + 1) * per]
        structure[at.STRUCTURE_TOKENS + i, : len(part)] = part
    left = x - slope * u - weights @ at.cosine_basis(1, len(weights), n)
    std = float(left.std())
    lag = float((left[1:] * left[:-1]).mean() / max(left.var(), 1e-12))
    structure[at.LEVEL, at.NOISE] = math.log(max(std, 0.0005))
    structure[at.LEVEL, at.COLOUR] = math.atanh(float(np.clip(lag, -0.9, 0.9)))
