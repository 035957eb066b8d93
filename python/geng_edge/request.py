"""A request: every setting of one generation, checked before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geng_edge.errors import ArgumentError

SOLVERS = ("dpmpp_2m", "ddim", "ddpm")
DEFAULT_STEPS = 20
DEFAULT_GUIDANCE = 0.0
LENGTH_STEP = 8
MAX_SEED = 2**64 - 1
_MOST_VALUES = 2**29


@dataclass(frozen=True)
class Request:
    """Settings of one generation.

    Attributes:
        count: Series to draw, 1 to 65536. Row i uses ``seed + i``.
        length: Steps of each, a multiple of 8 from 64 to 4096; 512 is what training saw.
        steps: Denoising steps, 1 to 500; time grows linearly with it.
        solver: ``dpmpp_2m`` (few steps), ``ddim``, or ``ddpm`` (the paper's, meant for 500).
        guidance: w in (w + 1) eps_c - w eps_u, 0 to 20; 0 costs half of any other.
        guidance_interval: Shares of the noise levels between which guidance acts.
        eta: DDIM only: 0 deterministic, 1 the variance of DDPM.
        seed: Same seed, model, settings and kernel set: the same bytes.
    """

    count: int = 1
    length: int = 512
    steps: int = DEFAULT_STEPS
    solver: str = SOLVERS[0]
    guidance: float = DEFAULT_GUIDANCE
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    eta: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _whole("count", self.count, 1, 65536)
        _whole("length", self.length, 64, 4096)
        if self.length % LENGTH_STEP:
            raise ArgumentError(f"length is {self.length}; it must be a multiple of {LENGTH_STEP}")
        if self.count * self.length > _MOST_VALUES:
            raise ArgumentError(
                f"count x length is {self.count * self.length}; it must be at most {_MOST_VALUES}"
            )
        _whole("steps", self.steps, 1, 500)
        _whole("seed", self.seed, 0, MAX_SEED)
        if self.solver not in SOLVERS:
            raise ArgumentError(
                f"solver is {self.solver!r}; it must be one of {', '.join(SOLVERS)}"
            )
        _between("guidance", self.guidance, 0.0, 20.0)
        _between("eta", self.eta, 0.0, 1.0)
        low, high = self.guidance_interval
        _between("guidance interval's start", low, 0.0, 1.0)
        _between("guidance interval's end", high, 0.0, 1.0)
        if not low < high:
            raise ArgumentError(f"guidance interval is {low} to {high}; it must rise")


def _whole(name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ArgumentError(f"{name} is {value}; it must be {least} to {most}")


def _between(name: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise ArgumentError(f"{name} is {value}; it must be {least:g} to {most:g}")
