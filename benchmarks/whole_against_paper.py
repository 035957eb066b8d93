"""Series of 512 steps, ours beside the paper's way through a peer, in one interleaved run.

Ours: one call of `Generator.generate` at its defaults. The paper's: 500 steps of DDPM, each with two
calls of float32 ONNX Runtime (with the condition, then without), the loop in Python, one series
after another. Both end in the same decoder. What either does once for a condition or a session is
not counted.

    python benchmarks/whole_against_paper.py --out docs/results/whole_against_paper.json

Needs geng-edge and geng-export with the extra `onnx`. How well either obeys is read from
`docs/results/few_steps.json` (`python -m geng_export.evaluate few-steps`), rows `ddpm x 500` and
the default's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from geng_edge import Condition, Generator
from geng_edge.request import DEFAULT_GUIDANCE, DEFAULT_STEPS, STUDENT_SOLVER
from geng_export.models.noise import INITIAL_LATENT, SOLVER, normals
from geng_export.models.sampling import alpha_sigma
from geng_export.targets import onnx
from geng_export.targets.read_gguf import load_bundle

TEXT = (
    "Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly"
)
STEPS = 500
TARGET = 150
CONFORMITY = Path(__file__).parents[1] / "docs" / "results" / "few_steps.json"
# Shares of series that obey, then errors of what was asked for; all in per cent.
RATES = ("trend", "periodicity", "anomaly", "no anomaly")
ERRORS = ("period size", "range", "mean")
Floats = npt.NDArray[np.float32]
Predict = Callable[[Floats, int], Floats]


def session(file: Path, memory: Floats, threads: int) -> Predict:
    """v of one latent by ONNX Runtime."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    run = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"]).run

    def predict(x: Floats, t: int) -> Floats:
        feed = {"x": x, "t": np.array([t], np.int64), "memory": memory}
        return np.asarray(run(["v"], feed)[0])

    return predict


def ddpm(
    conditional: Predict,
    unconditional: Predict,
    alpha_bar: torch.Tensor,
    shape: tuple[int, int],
    seed: int,
) -> Floats:
    """A latent by ancestral sampling (Ho et al. 2020), guided as in GenG's equation 4."""
    size = shape[0] * shape[1]
    x = normals(seed, INITIAL_LATENT, 0, size).reshape(1, *shape)
    w = DEFAULT_GUIDANCE
    for step, t in enumerate(range(STEPS - 1, -1, -1)):
        v = (w + 1) * conditional(x, t) - w * unconditional(x, t)
        alpha, sigma = alpha_sigma(alpha_bar, t)
        alpha_next, sigma_next = alpha_sigma(alpha_bar, t - 1)
        x0, eps = alpha * x - sigma * v, sigma * x + alpha * v
        spread = sigma_next / sigma * max(0.0, 1.0 - (alpha / alpha_next) ** 2) ** 0.5
        along = max(0.0, sigma_next**2 - spread**2) ** 0.5
        z = normals(seed, SOLVER, step, size).reshape(1, *shape)
        x = np.asarray(alpha_next * x0 + along * eps + spread * z, np.float32)
    return x


def prepare(
    generator: Generator, condition: Condition, threads: int, folder: Path
) -> Callable[[int], Floats]:
    """The paper's way as a function of the seed, to the series."""
    bundle = load_bundle(generator.path)
    bridge = bundle.bridge.eval().requires_grad_(False)
    rows = torch.from_numpy(condition.array)
    memory = bundle.memory(bridge, rows, 512).numpy()
    none = bridge.null_memory(1).contiguous().numpy()
    predictors = []
    for name, keys in (("condition", memory), ("none", none)):
        file = folder / f"{name}.onnx"
        onnx.write_bridge(bridge, keys.shape[1], file, {"model": generator.path.name})
        predictors.append(session(file, keys, threads))
    shape = generator.model.latent_shape

    def draw(seed: int) -> Floats:
        latent = ddpm(predictors[0], predictors[1], bundle.alpha_bar, shape, seed)
        return generator.model.decode(latent, condition.array, 512, seed)

    return draw


def draw_ours(generator: Generator, condition: Condition, count: int, seed: int) -> Floats:
    """``count`` series at the defaults, in one call."""
    return generator.generate(condition, count, seed=seed).values


def draw_theirs(draw: Callable[[int], Floats], count: int, seed: int) -> None:
    """``count`` series, one after another."""
    for i in range(count):
        draw(seed + i)


def measure(
    ours: Callable[[int], Any], theirs: Callable[[int], Any], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of either, in turns: one of theirs, then many of ours, so that both see the same machine."""
    mine, other = [], []
    for seed in range(rounds + 1):
        began = time.perf_counter()
        theirs(seed)
        middle = time.perf_counter()
        times = []
        for repeat in range(20):
            start = time.perf_counter()
            ours(100 * seed + repeat)
            times.append(time.perf_counter() - start)
        if seed:  # the first warmed the caches
            other.append(middle - began)
            mine += times
    return mine, other


def conformity(file: Path, fingerprint: str) -> dict[str, dict[str, float]]:
    """Rates and errors of the paper's sampler and of ours at the defaults.

    The measurement must be of the model that is timed.
    """
    measured = json.loads(file.read_text(encoding="utf-8"))
    if measured["sha256"] != fingerprint:
        raise SystemExit(f"{file} is of model {measured['sha256']}; it must be of {fingerprint}")
    found = {}
    for solver, steps in (("ddpm", STEPS), (STUDENT_SOLVER, DEFAULT_STEPS)):
        rows = [r for r in measured["rows"] if (r["solver"], r["steps"]) == (solver, steps)]
        if not rows:
            raise SystemExit(f"{file} has no row {solver} x {steps}; it must have one")
        found[f"{solver} x {steps}"] = {name: rows[0][name] for name in (*RATES, *ERRORS)}
    return found


def row(generator: Generator, count: int, mine: list[float], other: list[float]) -> dict[str, Any]:
    """Quartiles of either in milliseconds, and the ratio of the medians."""
    ours, paper = (np.percentile(np.array(s) * 1e3, [25, 50, 75]).tolist() for s in (mine, other))
    return {
        "threads": generator.model.threads,
        "series": count,
        "isa": generator.model.isa,
        "steps": DEFAULT_STEPS,
        "ours_ms": ours,
        "paper_ms": paper,
        "ratio": paper[1] / ours[1],
    }


def line(found: dict[str, Any]) -> str:
    """One row of the table."""
    cells = [
        f"{q[1]:.2f} ({q[0]:.2f} to {q[2]:.2f})" for q in (found["ours_ms"], found["paper_ms"])
    ]
    return (
        f"| {found['threads']} | {found['series']} | {cells[0]} | {cells[1]} | "
        f"{found['ratio']:.0f} x (target {TARGET}) |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 16], help="series a call")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--conformity", type=Path, default=CONFORMITY, help="how well either obeys")
    parser.add_argument("--out", type=Path, help="also write JSON")
    arguments = parser.parse_args()
    obeys = conformity(arguments.conformity, Generator.load(threads=1).model.fingerprint)
    rows = []
    print(
        "| threads | series | ours, ms | the paper's way, ms | ratio |\n| --- | --- | --- | --- | --- |",
        flush=True,
    )
    for threads in arguments.threads:
        generator = Generator.load(threads=threads)
        condition = Condition.from_text(TEXT, 1.0, generator)
        with tempfile.TemporaryDirectory() as folder:
            theirs = prepare(generator, condition, threads, Path(folder))
            for count in arguments.counts:
                mine, other = measure(
                    partial(draw_ours, generator, condition, count),
                    partial(draw_theirs, theirs, count),
                    arguments.rounds,
                )
                rows.append(row(generator, count, mine, other))
                print(line(rows[-1]), flush=True)
    print("\nConformity, rates and then errors, per cent:")
    for way, rates in obeys.items():
        print(f"- {way}: " + ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()))
    if arguments.out is not None:
        facts = {"command": " ".join(["python", *sys.argv]), "conformity": obeys}
        arguments.out.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
