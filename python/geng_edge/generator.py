"""The generator: a model, loaded and checked, with one method that matters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import _core, cache
from geng_edge.condition import Condition, check_interval, check_unit, load_tokenizer
from geng_edge.errors import ArgumentError, CancelledError, ModelFileError
from geng_edge.number_channels import NUMBER_WIDTH
from geng_edge.precision import AUTO, check_precision, fastest
from geng_edge.request import (
    DEFAULT_INTERVAL,
    DEFAULT_STEPS,
    DEFAULT_STRENGTH,
    Request,
)
from geng_edge.series import DEFAULT_START, Series, moments_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.backends import Backend
    from geng_edge.reference import Reference

Progress = Callable[[int, int], bool]
#: As :class:`geng_edge.backends.Backend` is one; see docs/how-to/another-runtime.md.
Network = Callable[..., Callable[..., Any]]


def bundled_model() -> Path:
    """The model that came with the package, or in the package ``geng-edge-model``.

    Raises:
        ModelFileError: Neither has one.
    """
    for folder in _model_folders():
        if found := sorted(folder.glob("*.gguf")):
            return found[0]
    raise ModelFileError(
        "no model is installed; pip install geng-edge-model, or name one with --model or GENG_MODEL"
    )


def _model_folders() -> Iterator[Path]:
    yield Path(__file__).parent / "models"
    apart = find_spec("geng_edge_model")  # found, not imported: it is a file and no code
    for folder in (apart.submodule_search_locations or ()) if apart is not None else ():
        yield Path(folder)


def find_model(path: str | os.PathLike[str] | None = None) -> Path:
    """The file that ``path`` names, or ``$GENG_MODEL``, or the bundled model.

    Raises:
        ModelFileError: None is named and this build came without one.
    """
    named = path if path is not None else os.environ.get("GENG_MODEL")
    return Path(named) if named else bundled_model()


class Generator:
    """A loaded model. Immutable; share it between threads.

    Example:
        >>> from geng_edge import Condition, Generator
        >>> generator = Generator.load()
        >>> condition = Condition.from_text("A daily cycle between 18 and 23 degC", interval=1800,
        ...                                 generator=generator)
        >>> generator.generate(condition, count=2, seed=7, interval=1800).values.shape
        (2, 512)
    """

    def __init__(self, model: _core.Model, path: Path, backend: Backend | None = None) -> None:
        self.model = model
        self.path = path
        self.backend = backend

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        precision: str = "int8",
        threads: int = 0,
        isa: str = "",
        backend: Backend | None = None,
        network: Network | None = None,
    ) -> Generator:
        """Load and check a model file.

        The packed weights are kept in :func:`geng_edge.cache.folder` for the next start, which
        then verifies no sum and packs nothing.

        Args:
            path: The file; ``$GENG_MODEL``, then the bundled model, by default.
            precision: ``int8``, ``fp32``, or ``auto``: what is faster here, measured once.
            threads: Threads that share the work; 0 takes what affinity and quota allow.
            isa: Kernel set; ``$GENG_FORCE_ISA``, then the best this CPU runs, by default.
            backend: Another runtime that is asked for v; the core's own network by default.
            network: A function that is asked for v, where no backend is named: called with (distilled,
                condition, frame, answers) once a request, and gives a step, (x, t, conditional) -> v.

        Raises:
            ArgumentError: A setting is out of range.
            ModelFileError: The file is missing, not whole or not ours, or the backend's export is of
                another model.
        """
        check_precision(precision)
        if isinstance(threads, bool) or not 0 <= threads <= 256:
            raise ArgumentError(
                f"threads is {threads}; it must be 0 to 256", name="threads", value=threads
            )
        file = find_model(path)
        if precision == AUTO:
            precision = fastest(file, threads)
        kept = cache.folder()
        folder = str(kept) if kept is not None else ""
        asked = backend if backend is not None else network
        model = _core.Model(str(file), precision, threads, isa, folder, asked)
        if backend is not None:
            backend.check(model.fingerprint, file)
        return cls(model, file, backend)

    @cached_property
    def tokenizer(self) -> Any:
        """The model's word-piece tokenizer. Needs the extra ``text``."""
        return load_tokenizer(self.model.vocabulary)

    @property
    def distilled(self) -> bool:
        """Whether the model carries a student, which samples unless another solver is named."""
        return "geng.student.guidance" in self.model.metadata

    @property
    def condition_width(self) -> int:
        """Columns of a condition that this model takes."""
        return self.model.text_width + NUMBER_WIDTH

    def generate(
        self,
        condition: Condition,
        count: int = 1,
        *,
        length: int = 512,
        steps: int = DEFAULT_STEPS,
        solver: str | None = None,
        guidance: float | None = None,
        guidance_interval: tuple[float, float] = DEFAULT_INTERVAL,
        eta: float = 0.0,
        seed: int = 0,
        interval: float = 1.0,
        start: str = DEFAULT_START,
        unit: str = "",
        progress: Progress | None = None,
        reference: Reference | None = None,
        strength: float | None = None,
    ) -> Series:
        """Generate ``count`` series for one condition.

        The calling thread shares the work with the model's pool and does not hold the GIL
        while it does. No file or network is touched.

        Args:
            condition: Must have this model's width.
            count: Series to draw; row i uses ``seed + i``.
            length, steps, solver, guidance, guidance_interval, eta, seed: As in
                :class:`geng_edge.request.Request`, which checks them.
            interval: Seconds between two steps. Of the time axis only: what it makes of a period
                in the text was settled when the condition was made.
            start: ISO 8601 time of the first step.
            unit: Unit put beside the values, up to 40 characters without commas, semicolons, quotes
                and square brackets.
            progress: Called with (steps done, steps) after each step: denoising steps, in a chain
                steps of the series, with a reference whole series; return False to stop.
            reference: An example that guides the details (stage two); ``length`` must be its own.
            strength: How much it does, 0 to 1; see :mod:`geng_edge.reference`. 0.7 by default.

        Returns:
            Float32 ``(count, length)`` in the unit that the text speaks of.

        Raises:
            ArgumentError: A setting or the condition does not fit. Nothing was computed.
            NotFiniteError: The model produced NaN or infinity.
            CancelledError: ``progress`` returned False.
        """
        if strength is None:
            strength = DEFAULT_STRENGTH if reference is not None else 0.0
        request = Request(
            count, length, steps, solver, guidance, guidance_interval, eta, seed, strength
        )
        _check_reference(request, reference)
        if request.chained:
            blocks = self.chain(condition, request, interval=interval, start=start, unit=unit)
            return Series(self._collected(blocks, request, progress), interval, unit, start)
        request = self._checked(condition, request, interval, start, unit)
        if reference is not None and request.strength > 0.0:
            values = reference.guide(self, condition, request, interval, progress)
        else:
            values = self.model.sample(
                condition.array, request.count, progress=progress, **request.settings()
            )
        return Series(values, interval, unit, start)

    def chain(
        self,
        condition: Condition,
        request: Request,
        *,
        interval: float = 1.0,
        start: str = DEFAULT_START,
        unit: str = "",
    ) -> Iterator[Series]:
        """Generate series longer than a window, block by block, in memory that does not grow.

        One latent gives the structure of the whole: level, seasons whose phase runs on, events at
        their share of the length, a trend that leads somewhere. Details come from a new latent
        every half window, faded into one another (:class:`geng::LongSeries`).

        Args:
            condition: Must have this model's width.
            request: Settings; ``length`` at least a window, ``count`` at most 1024.
            interval, start, unit: As in :meth:`generate`.

        Yields:
            Blocks of half a window, ``(count, steps)``, in order; ``Series.first`` says where.

        Raises:
            ArgumentError: A setting or the condition does not fit; before the first block.
            NotFiniteError: The model produced NaN or infinity.
        """
        if request.strength > 0.0:
            raise ArgumentError(
                f"strength is {request.strength:g} for a chain of {request.length} steps; it must be 0",
                name="strength",
                value=request.strength,
            )
        request = self._checked(condition, request, interval, start, unit)
        blocks = self.model.chain(condition.array, request.count, **request.settings())
        return _placed(
            blocks, Series(np.empty((request.count, 0), np.float32), interval, unit, start)
        )

    def _checked(
        self, condition: Condition, request: Request, interval: float, start: str, unit: str
    ) -> Request:
        """Everything that can be refused, refused; solver and guidance filled in."""
        request = request.settled(self.distilled)
        self.check(condition)
        check_interval(interval)
        check_unit(unit)
        moments_of(start, interval, 1, request.length - 1)
        return request

    def _collected(
        self, blocks: Iterator[Series], request: Request, progress: Progress | None
    ) -> npt.NDArray[np.float32]:
        values = np.empty((request.count, request.length), np.float32)
        for block in blocks:
            done = block.first + block.values.shape[1]
            values[:, block.first : done] = block.values
            if progress is not None and progress(done, request.length) is False:
                raise CancelledError(
                    f"sampling was cancelled after step {done} of {request.length}"
                )
        return values

    def check(self, condition: Condition) -> None:
        """Refuse a condition of another model's width.

        Raises:
            ArgumentError: It has it.
        """
        width = condition.array.shape[1]
        if width != self.condition_width:
            raise ArgumentError(
                f"condition is {width} wide; this model needs {self.condition_width}"
            )

    def read_numbers(self, condition: Condition, length: int = 512) -> dict[str, Any]:
        """Which number of the text plays which role, and the frame they span."""
        self.check(condition)
        return dict(self.model.read_numbers(condition.array, length))

    def network_facts(
        self, condition: Condition, length: int = 512
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """What a network is told beside the condition: features of its frame, and its answers.

        Raises:
            ArgumentError: The condition has another width than this model's.
        """
        self.check(condition)
        return self.model.network_facts(condition.array, length)


def _check_reference(request: Request, reference: Reference | None) -> None:
    if reference is None:
        if request.strength > 0.0:
            raise ArgumentError(
                f"strength is {request.strength:g} without a reference; it must be 0",
                name="strength",
                value=request.strength,
            )
    elif request.length != len(reference.values):
        raise ArgumentError(
            f"length is {request.length}; it must be {len(reference.values)}, the reference's",
            name="length",
            value=request.length,
        )


def _placed(blocks: Iterable[npt.NDArray[np.float32]], empty: Series) -> Iterator[Series]:
    first = 0
    for values in blocks:
        yield replace(empty, values=values, first=first)
        first += values.shape[1]
