"""A request: every setting of one generation, checked before anything is computed."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any, SupportsIndex

from geng_edge.errors import ArgumentError

SOLVERS = ("dpmpp_2m", "ddim", "ddpm", "consistency")
#: The solver of the distilled student, whose network has its guidance built in.
STUDENT_SOLVER = "consistency"
TEACHER_SOLVER = "dpmpp_2m"
DEFAULT_STEPS = 4
#: w of the teacher, where nothing else is said.
DEFAULT_GUIDANCE = 1.5
#: Shares of the noise levels between which guidance acts.
DEFAULT_INTERVAL = (0.0, 1.0)
#: How much an example guides, where nothing else is said. Settled on training windows: range, mean,
#: autocorrelation and spectrum come out half as far from the example's as without it or nearer,
#: and no column of conformity falls.
DEFAULT_STRENGTH = 0.7
#: Series drawn for each one wanted, under --verify.
DEFAULT_CANDIDATES = 4
MOST_CANDIDATES = 64
LENGTH_STEP = 8
LEAST_LENGTH = 64
#: Longest series that one latent is read over; a longer one is chained from many windows.
LONGEST = 4096
LONGEST_CHAIN = 2**24
MOST_CHAINS = 1024
MAX_SEED = 2**64 - 1
_MOST_VALUES = 2**29
_WHOLE = (
    ("count", 1, 65536),
    ("length", LEAST_LENGTH, LONGEST_CHAIN),
    ("steps", 1, 500),
    ("seed", 0, MAX_SEED),
)


def drawn_length(steps: int) -> int:
    """Steps to draw so that ``steps`` of them can be kept: a multiple of 8, 64 and more."""
    return max(-(-steps // LENGTH_STEP) * LENGTH_STEP, LEAST_LENGTH)


@dataclass(frozen=True)
class Request:
    """Settings of one generation.

    Attributes:
        count: Series to draw, 1 to 65536. Row i uses ``seed + i``.
        length: Steps of each, a multiple of 8 from 64 to 2^24; 512 is what training saw. Above
            4096 the series are chained, 1024 of them at most.
        steps: Denoising steps, 1 to 500; time grows linearly with it.
        solver: ``consistency`` (the distilled student), ``dpmpp_2m`` (few steps), ``ddim``, or
            ``ddpm`` (the paper's, meant for 500). None: the student where the model has one and
            no guidance is asked for, else ``dpmpp_2m``.
        guidance: w in (w + 1) eps_c - w eps_u, 0 to 20; 0 costs half of any other. The student
            takes 0 only. None: 0 for the student, else 1.5.
        guidance_interval: Shares of the noise levels between which guidance acts.
        eta: DDIM only: 0 deterministic, 1 the variance of DDPM.
        seed: Same seed, model, settings and kernel set: the same bytes.
        strength: How much an example guides, 0 to 1: 0 is the text alone, 1 the example alone.
    """

    count: int = 1
    length: int = 512
    steps: int = DEFAULT_STEPS
    solver: str | None = None
    guidance: float | None = None
    guidance_interval: tuple[float, float] = DEFAULT_INTERVAL
    eta: float = 0.0
    seed: int = 0
    strength: float = 0.0

    def __post_init__(self) -> None:
        for name, least, most in _WHOLE:
            object.__setattr__(self, name, check_whole(name, getattr(self, name), least, most))
        if self.length % LENGTH_STEP:
            raise ArgumentError(
                f"length is {self.length}; it must be a multiple of {LENGTH_STEP}",
                name="length",
                value=self.length,
            )
        if self.chained and self.count > MOST_CHAINS:
            raise ArgumentError(
                f"count is {self.count}; it must be at most {MOST_CHAINS} for series of over "
                f"{LONGEST} steps",
                name="count",
                value=self.count,
            )
        if not self.chained and self.count * self.length > _MOST_VALUES:
            raise ArgumentError(
                f"count x length is {self.count * self.length}; it must be at most {_MOST_VALUES}",
                name="count",
                value=self.count,
            )
        if self.solver is not None and self.solver not in SOLVERS:
            raise ArgumentError(
                f"solver is {self.solver!r}; it must be one of {', '.join(SOLVERS)}",
                name="solver",
                value=self.solver,
            )
        if self.guidance is not None:
            check_between("guidance", self.guidance, 0.0, 20.0)
            if self.solver == STUDENT_SOLVER and self.guidance != 0.0:
                raise ArgumentError(
                    f"guidance is {self.guidance}; it must be 0 with solver {STUDENT_SOLVER}, "
                    "whose network has it built in",
                    name="guidance",
                    value=self.guidance,
                )
        check_between("eta", self.eta, 0.0, 1.0)
        check_between("strength", self.strength, 0.0, 1.0)
        _check_guidance_interval(self.guidance_interval)

    @property
    def chained(self) -> bool:
        """Whether the series are longer than one latent is read over."""
        return self.length > LONGEST

    def settled(self, distilled: bool) -> Request:
        """The same with solver and guidance filled in, for a model with a student or without."""
        solver = self.solver
        if solver is None:
            solver = STUDENT_SOLVER if distilled and self.guidance is None else TEACHER_SOLVER
        guidance = self.guidance
        if guidance is None:
            guidance = 0.0 if solver == STUDENT_SOLVER else DEFAULT_GUIDANCE
        return replace(self, solver=solver, guidance=guidance)

    def settings(self) -> dict[str, Any]:
        """A settled request as the core takes it, all but condition and count."""
        return {
            "length": self.length,
            "solver": str(self.solver),
            "steps": self.steps,
            "guidance": float(self.guidance or 0.0),
            "guidance_interval": self.guidance_interval,
            "eta": self.eta,
            "seed": self.seed,
        }


def _check_guidance_interval(interval: tuple[float, float]) -> None:
    try:
        low, high = interval
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"guidance interval is {interval!r}; it must be two numbers, low and high",
            name="guidance_interval",
            value=interval,
        ) from error
    check_between("guidance interval's start", low, 0.0, 1.0)
    check_between("guidance interval's end", high, 0.0, 1.0)
    if not low < high:
        raise ArgumentError(
            f"guidance interval is {low} to {high}; it must rise",
            name="guidance_interval",
            value=interval,
        )


def check_candidates(candidates: int) -> None:
    """Refuse a number of candidates that verification does not take.

    Raises:
        ArgumentError: It is not 1 to 64.
    """
    check_whole("verify", candidates, 1, MOST_CANDIDATES)


def check_whole(name: str, value: SupportsIndex, least: int, most: int) -> int:
    """``value`` as an int: NumPy's integers are taken, True and 20.0 are not.

    Raises:
        ArgumentError: It is none, or outside ``least`` to ``most``.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        raise ArgumentError(
            f"{name} is {value}; it must be {least} to {most}", name=name, value=value
        )
    return number


def check_between(name: str, value: float, least: float, most: float) -> None:
    """Refuse a number outside ``least`` to ``most``.

    Raises:
        ArgumentError: It is, or it is no number.
    """
    try:
        inside = least <= float(value) <= most  # NaN is not inside
    except (TypeError, ValueError):
        inside = False
    if not inside:
        raise ArgumentError(
            f"{name} is {value}; it must be {least:g} to {most:g}", name=name, value=value
        )
