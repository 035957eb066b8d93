"""Counted work: multiply-adds and bytes of weights, from a model's sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TIME_WIDTH = 256
_FRAME_WIDTH = 16


@dataclass(frozen=True)
class Work:
    """Multiply-adds, by the kind of number that is multiplied.

    Attributes:
        blocks: Of the linear layers whose weights are int8 in an int8 run.
        exact: Of what stays float32: attention, the latent's way in and out.
    """

    blocks: float
    exact: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.blocks + self.exact

    def __add__(self, other: Work) -> Work:
        return Work(self.blocks + other.blocks, self.exact + other.exact)

    def __mul__(self, times: float) -> Work:
        return Work(self.blocks * times, self.exact * times)


@dataclass(frozen=True)
class Shape:
    """Sizes of a bridge and of what surrounds it.

    Attributes:
        tokens, width: Of a latent.
        dim, depth, heads: Of the bridge.
        condition: Columns of a condition.
        train_steps: T.
        terms: Cosines, knots and harmonics that decoding adds up for every step of a series.
    """

    tokens: int
    width: int
    dim: int
    depth: int
    heads: int
    condition: int
    train_steps: int
    terms: int

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Shape:
        """Read it from a model file's metadata."""
        bridge = {
            name: int(metadata[f"geng.bridge.{name}"])
            for name in ("tokens", "width", "dim", "depth", "heads", "train_steps")
        }
        terms = (
            int(metadata.get("geng.decoder.residual_total", 0))
            + int(metadata.get("geng.decoder.trend", 0))
            + 4 * int(metadata.get("geng.decoder.harmonics", 0))  # two seasons, sine and cosine
        )
        condition = int(metadata["geng.text.hidden"]) + int(metadata["geng.number_width"])
        return cls(**bridge, condition=condition, terms=terms)

    @property
    def block_weights(self) -> int:
        """Weights that one step reads: of all blocks, without the condition's keys and values."""
        return self.depth * 14 * self.dim**2

    def evaluation(self, batch: int, words: int, *, guided: bool) -> Work:
        """One denoising step of ``batch`` latents.

        A row goes through qkv (3 dim^2), o (dim^2), up and down (4 dim^2 each); only rows that see the
        condition through cq and co (dim^2 each). Without a condition cross-attention adds a constant, and
        up to the first cross-attention both branches are the same rows, computed once.

        Args:
            batch: Latents.
            words: Tokens of the condition; the frame adds one.
            guided: Whether every latent is denoised without the condition too.
        """
        conditional = batch * self.tokens
        rows = conditional * (2 if guided else 1)
        shared = rows - conditional
        blocks = self.dim**2 * (self.depth * (12 * rows + 2 * conditional) - 4 * shared)
        itself = self.tokens * (self.depth * rows - shared)
        attention = 2 * self.dim * (itself + self.depth * conditional * (words + 1))
        ends = self.width * self.dim * (conditional + rows)
        return Work(blocks, attention + ends)

    def beginning(self, steps: int, words: int, *, guided: bool) -> Work:
        """What a request costs once: the condition's keys and values, and every step's modulation."""
        seen = words + 1 + (1.5 if guided else 0.0)
        blocks = self.depth * 2 * self.dim**2 * seen
        condition = self.dim * (words * self.condition + _FRAME_WIDTH)
        modulation = steps * self.dim * (_TIME_WIDTH + self.dim + 8 * self.dim)
        return Work(blocks, condition + modulation)

    def decoding(self, batch: int, length: int) -> float:
        """Terms that decoding adds up, each a multiply-add in float64, one after the other."""
        return float(batch * length * self.terms)


def timesteps(steps: int, train_steps: int) -> list[int]:
    """t of every step, as cpp/src/diffusion/trajectory.cpp has them: round((T - 1)(1 - i / steps))."""
    if steps == train_steps:
        return list(range(train_steps - 1, -1, -1))
    return [(2 * (train_steps - 1) * (steps - i) + steps) // (2 * steps) for i in range(steps)]


def guided_steps(steps: int, train_steps: int, interval: tuple[float, float]) -> list[bool]:
    """Whether guidance acts in each step: where low <= t / T <= high."""
    low, high = interval
    return [low <= t / train_steps <= high for t in timesteps(steps, train_steps)]
