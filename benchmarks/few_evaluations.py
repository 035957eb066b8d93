"""What each way of asking the bridge less often costs in conformity.

Three ways: fewer steps, guidance inside an interval of the noise levels only, and keeping the
difference that guidance makes for the step after ("reuse"). The first two are the device's own; reuse
is tried here, in the loop that the device's is checked against, around the device's bridge.

    python benchmarks/few_evaluations.py --out docs/results/few_evaluations.json

Needs geng-edge and geng-export. Conformity is that of ``python -m geng_export.evaluate conformity``,
on the development descriptions.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_edge import Condition, Generator
from geng_edge.request import DEFAULT_GUIDANCE
from geng_export.data.dataset import development_descriptions
from geng_export.evaluate.conformity import COLUMNS, judge_all, report

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Way:
    """One way to sample.

    Attributes:
        steps: Denoising steps.
        guidance: w; 0 asks the bridge once a step.
        interval: Shares of the noise levels between which guidance acts.
        reuse: Steps that share one unconditional answer; 1 asks anew in every step.
        solver: As in a request.
    """

    steps: int
    guidance: float = DEFAULT_GUIDANCE
    interval: tuple[float, float] = (0.0, 1.0)
    reuse: int = 1
    solver: str = "dpmpp_2m"

    @property
    def evaluations(self) -> int:
        """Times that the bridge is asked for one series, conditional and unconditional."""
        from geng_export.models.sampling import trajectory

        low, high = self.interval
        guided = [low <= t / 500 <= high for t, _ in trajectory(self.steps)]
        both = -(-sum(guided) // self.reuse) if self.guidance else 0
        return self.steps + both


WAYS = (
    Way(500, solver="ddpm"),
    Way(50),
    Way(20),
    Way(10),
    Way(8),
    Way(6),
    Way(5),
    Way(4),
    Way(3),
    Way(2),
    Way(20, guidance=0.0),
    Way(8, guidance=0.0),
    Way(6, guidance=0.0),
    Way(4, guidance=0.0),
    Way(8, interval=(0.3, 1.0)),
    Way(8, interval=(0.5, 1.0)),
    Way(8, interval=(0.0, 0.7)),
    Way(8, interval=(0.3, 0.8)),
    Way(8, reuse=2),
    Way(8, reuse=3),
    Way(6, reuse=2),
)


def latents_with_reuse(
    generator: Generator, condition: Floats, count: int, seed: int, way: Way
) -> Floats:
    """Latents by the reference loop, the guiding difference renewed every ``reuse`` steps."""
    import torch

    from geng_export.models.bridge import cosine_alpha_bar
    from geng_export.models.noise import INITIAL_LATENT, normals
    from geng_export.models.sampling import dpmpp_2m

    model = generator.model
    shape = model.latent_shape
    size = shape[0] * shape[1]
    noise = np.stack(
        [normals(seed + i, INITIAL_LATENT, 0, size).reshape(shape) for i in range(count)]
    )
    kept: dict[str, Floats] = {}
    asked = 0

    def predict(x: torch.Tensor, t: int) -> torch.Tensor:
        nonlocal asked
        rows = np.ascontiguousarray(x.numpy(), np.float32)
        conditional = model.bridge(rows, t, condition)
        if asked % way.reuse == 0:
            kept["difference"] = conditional - model.bridge(rows, t, None)
        asked += 1
        return torch.from_numpy(conditional + way.guidance * kept["difference"])

    drawn = dpmpp_2m(predict, cosine_alpha_bar(), torch.from_numpy(noise), way.steps)
    return np.ascontiguousarray(drawn.numpy(), np.float32)


def draw(generator: Generator, condition: Condition, count: int, seed: int, way: Way) -> Floats:
    """``count`` series of 512 steps."""
    if way.reuse > 1:
        latents = latents_with_reuse(generator, condition.array, count, seed, way)
        return generator.model.decode(latents, condition.array, 512, seed)
    return generator.generate(
        condition,
        count,
        steps=way.steps,
        solver=way.solver,
        guidance=way.guidance,
        guidance_interval=way.interval,
        seed=seed,
    ).values


def measure(
    generator: Generator, pairs: list[Any], samples: int, say: Callable[[str], object]
) -> list[dict[str, Any]]:
    """One row a way."""
    conditions = [Condition.from_text(p.text, p.interval, generator) for p in pairs]
    rows = []
    for way in WAYS:
        drawn = [draw(generator, c, samples, 1000 * i, way) for i, c in enumerate(conditions)]
        judged = judge_all(drawn, [p.claims for p in pairs], [p.task for p in pairs])
        figures = report(judged, {}).raw[0]
        rows.append(
            {
                "solver": way.solver,
                "steps": way.steps,
                "guidance": way.guidance,
                "interval": list(way.interval),
                "reuse": way.reuse,
                "evaluations": way.evaluations,
                **{column: figures.get(column) for column in COLUMNS},
            }
        )
        say(line(rows[-1]))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    cells = [
        f"{row['solver']} x {row['steps']}",
        f"{row['guidance']:g}",
        f"{row['interval'][0]:g} to {row['interval'][1]:g}",
        str(row["reuse"]),
        str(row["evaluations"]),
        *(f"{row[column]:.1f}" for column in COLUMNS),
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--descriptions", type=int, default=100)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="also write JSON")
    arguments = parser.parse_args()
    generator = Generator.load(threads=arguments.threads)
    pairs = development_descriptions(arguments.descriptions, 0, "development")
    head = ["way", "w", "interval", "reuse", "evaluations", *COLUMNS]
    print("| " + " | ".join(head) + " |\n| " + " | ".join("---" for _ in head) + " |", flush=True)
    rows = measure(generator, pairs, arguments.samples, lambda text: print(text, flush=True))
    facts = {
        "command": " ".join(["python", *sys.argv]),
        "descriptions": arguments.descriptions,
        "samples": arguments.samples,
        "isa": generator.model.isa,
        "threads": generator.model.threads,
        "precision": generator.model.precision,
        "fingerprint": generator.model.fingerprint,
    }
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
