"""What is measured: a model file, the conditions it is asked with, and what is known of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geng_edge import _core
from geng_edge.bench.inputs import conditions
from geng_edge.bench.work import Shape
from geng_edge.condition import Condition
from geng_edge.generator import Generator
from geng_edge.request import DEFAULT_INTERVAL, STUDENT_SOLVER, TEACHER_SOLVER

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.bench.case import Case

_SEEDS = 4
_REFERENCE_STEPS = 100


@dataclass
class Subject:
    """A model and its conditions.

    Attributes:
        path: The model file.
        conditions: What is asked of it; speed is measured on the first.
        shape: Its sizes.
        fingerprint: SHA-256 of its contents.
        trained: False for random weights, whose quality means nothing.
        student: Guidance that is built into the student, which samples unless another solver is
            named; None where there is no student.
    """

    path: Path
    conditions: Sequence[Condition]
    shape: Shape
    fingerprint: str
    trained: bool = True
    student: float | None = None
    _references: dict[tuple[float, int], list[npt.NDArray[np.float32]]] = field(
        default_factory=dict
    )

    @property
    def distilled(self) -> bool:
        """Whether there is a student."""
        return self.student is not None

    @property
    def words(self) -> int:
        """Tokens of the condition that speed is measured on."""
        return int(self.conditions[0].array.shape[0])

    def drift(self, case: Case, model: _core.Model) -> float | None:
        """How far the latents of a case are from where fp32 and 100 steps take the same seeds.

        The median, over two conditions and four seeds, of the root mean square difference. Latents are
        normalised, so it is in standard deviations: of the bundled model, two seeds of one condition lie
        0.74 apart (median of 552 pairs). The student is held against its teacher under the guidance that
        it has built in; it draws noise on the way, so part of its drift is that noise.

        Cost: once a guidance and length, 100 fp32 steps of eight latents; then the case's steps of
        as many.

        Returns:
            None where it means nothing: random weights, or ``ddpm``, which draws noise in every step.
        """
        if not self.trained or case.solver == "ddpm":
            return None
        asked = case
        if case.solver == STUDENT_SOLVER:
            asked = replace(case, guidance=self.student or 0.0)
        key = (asked.guidance, case.length)
        if key not in self._references:
            exact = _core.Model(str(self.path), "fp32", 0)
            steps = min(_REFERENCE_STEPS, exact.train_steps)
            self._references[key] = [
                self._latents(exact, condition, asked, steps, TEACHER_SOLVER)
                for condition in self.conditions
            ]
        apart = [
            np.sqrt(
                np.mean(
                    (self._latents(model, condition, case, case.steps, case.solver) - reference)
                    ** 2,
                    axis=tuple(range(1, reference.ndim)),
                )
            )
            for condition, reference in zip(self.conditions, self._references[key], strict=True)
        ]
        return float(np.median(np.concatenate(apart)))

    @staticmethod
    def _latents(
        model: _core.Model, condition: Condition, case: Case, steps: int, solver: str
    ) -> npt.NDArray[np.float32]:
        return model.sample_latent(
            condition.array,
            _SEEDS,
            length=case.length,
            solver=solver,
            steps=steps,
            guidance=case.guidance,
            guidance_interval=DEFAULT_INTERVAL,
            seed=1,
        )


def load_subject(path: Path, condition: Path | None = None, *, trained: bool = True) -> Subject:
    """A model file and what to ask of it.

    Args:
        path: The model file.
        condition: A latent of ``geng-edge encode`` to ask instead of the two bundled descriptions.
        trained: False for random weights.

    Raises:
        ArgumentError: The condition does not fit.
        ModelFileError: The file is missing, not whole or not ours.
    """
    generator = Generator.load(path, threads=1)
    if condition is None:
        asked = conditions(generator)
    else:
        asked = [Condition.load(condition)]
        generator.check(asked[0])
    model = generator.model
    student = float(model.metadata["geng.student.guidance"]) if generator.distilled else None
    return Subject(path, asked, Shape.of(model.metadata), model.fingerprint, trained, student)
