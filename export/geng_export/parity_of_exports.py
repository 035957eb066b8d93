"""What other runtimes make of a model: each export against torch, by call and over whole trajectories.

A *call* is one file on inputs that no calibration saw: |export - torch| / |torch| (Frobenius), torch in
float32 with the values that the model file's int8 matrices stand for. A *trajectory* is the device's
own sampling loop with the export in the network's place: its latents against the same loop in torch
or in the core's float32, and its series against the core's float32 and int8, in shares of their
range. A series is a threshold function of its latent (a season counts or does not), so a mean is made by
the few that fall on the other side, as the core's own int8 shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from geng_edge.backends import SESSIONS, Backend
from geng_edge.condition import Condition
from geng_edge.generator import Generator
from geng_export.data.compose import compose
from geng_export.errors import ExportError
from geng_export.models import noise, sampling
from geng_export.models.certain_claims import certain, impose
from geng_export.models.claims_reader import shares
from geng_export.models.series_encoder import normalised
from geng_export.parity import TEXTS, condition_of, relative_error, tokenised
from geng_export.targets.folder import PRECISIONS, SUFFIXES
from geng_export.targets.networks import MASKED
from geng_export.targets.parts import Part, Variant, parts_of
from geng_export.targets.source import Source

RUNTIMES = {"onnx": "onnxruntime", "litert": "litert"}
TIMESTEPS = (3, 125, 250, 374, 490)
WINDOW = 512
SEEDS = 8
#: Solver, steps and guidance of the whole trajectories: the default, and the teacher's.
WAYS: tuple[tuple[str, int, float], ...] = (("consistency", 4, 0.0), ("dpmpp_2m", 20, 1.5))

Feed = dict[str, npt.NDArray[Any]]
_HEAD = (
    "| target | precision | trajectory | latent, from torch or core | "
    "series from core fp32, % of range: median, mean | the core's own int8: median, mean |"
)


@dataclass(frozen=True)
class _Inputs:
    """Held-out inputs of every part, and torch's answers."""

    source: Source
    parts: dict[str, Part]

    def of(self, name: str) -> Iterator[tuple[Feed, list[npt.NDArray[np.float32]]]]:
        """Inputs of a part without any padding, and what torch makes of them."""
        part = self.parts[name]
        feeds = {
            "text": self._texts,
            "encoder": self._windows,
        }.get(name)
        if feeds is not None:
            made = feeds()
        elif name.endswith("-memory"):
            made = self._memories(part)
        else:
            made = self._steps(self.parts[f"{name}-memory"])
        for feed in made:
            with torch.no_grad():
                answer = part.module(*(torch.from_numpy(feed[key]) for key in part.inputs))
            rows = answer if isinstance(answer, tuple) else (answer,)
            yield feed, [row.numpy() for row in rows]

    def _texts(self) -> Iterator[Feed]:
        for text in TEXTS:
            ids, _ = tokenised(self.source.bundle, text, 1.0)
            yield {"ids": ids, "mask": np.zeros(len(ids), np.float32)}

    def _windows(self) -> Iterator[Feed]:
        rng = np.random.default_rng(1)
        for i in range(8):
            series = compose(rng, self.source.bundle.layout, None, 1 + i % 4).series
            yield {"window": normalised(series)[0][None].astype(np.float32)}

    def _memories(self, part: Part) -> Iterator[Feed]:
        bundle = self.source.bundle
        for text in TEXTS:
            condition = condition_of(bundle, text)
            frame = bundle.frame(condition, WINDOW).features()
            feed: Feed = {"condition": condition.numpy(), "frame": frame.astype(np.float32)}
            if "answers" in part.inputs and bundle.claims is not None:
                feed["answers"] = shares(bundle.claims(condition[None]))[0].numpy()
            yield feed

    def _steps(self, memory: Part) -> Iterator[Feed]:
        make = torch.Generator().manual_seed(5)
        shape = self.source.bundle.decoder.mean.shape
        for feed in self._memories(memory):
            told = [torch.from_numpy(feed[key]) for key in memory.inputs]
            with torch.no_grad():
                keys, values, *_ = memory.module(*told)
            for t in TIMESTEPS:
                yield {
                    "x": torch.randn(1, *shape, generator=make).numpy(),
                    "t": np.array([t], np.float32),
                    "keys": keys.numpy(),
                    "values": values.numpy(),
                    "mask": np.zeros(keys.shape[-1], np.float32),
                }


def _padded(feed: Feed, sizes: dict[str, Any]) -> Feed:
    """The same with zeros behind, where an export's shapes are fixed; masks leave them out."""
    made = {}
    for name, value in feed.items():
        wanted = [
            n if isinstance(n, int) else m for n, m in zip(sizes[name], value.shape, strict=True)
        ]
        width = [(0, n - m) for n, m in zip(wanted, value.shape, strict=True)]
        made[name] = np.pad(value, width, constant_values=MASKED if name == "mask" else 0)
    return made


def _of_words(name: str, answers: list[Any], feed: Feed, given: Feed) -> list[Any]:
    """What an export says of real words, without those of padding."""
    if name == "text":
        return [answers[0][: len(given["ids"])]]
    if not name.endswith("-memory"):
        return answers
    words, room = len(given["condition"]), len(feed["condition"])
    n = answers[0].shape[4]
    real = [*range(words), *range(room, n)]
    return [answers[0][..., real], answers[1][..., real, :], *answers[2:]]


def calls(folder: Path, target: str, inputs: _Inputs) -> dict[str, dict[str, float]]:
    """Part -> mean and worst relative error of its outputs, for the files of one folder.

    Raises:
        ExportError: The folder has none.
    """
    errors: dict[str, dict[str, float]] = {}
    for name in inputs.parts:
        file = folder / f"{name}{SUFFIXES[target]}"
        if not file.exists():
            continue
        session = SESSIONS[RUNTIMES[target]](file, 1)
        sizes = {key: list(value) for key, value in session.shapes.items()}
        found = []
        for given, wanted in inputs.of(name):
            feed = _padded(given, sizes)
            answers = _of_words(name, session.run(feed), feed, given)
            pairs = zip(answers, wanted, strict=True)
            found.append(max(relative_error(got, exact) for got, exact in pairs))
        errors[name] = {"mean": float(np.mean(found)), "worst": max(found)}
    if not errors:
        raise ExportError(f"{folder} holds no {SUFFIXES[target]} file; it must be of an export")
    return errors


def trajectories(folder: Path, target: str, source: Source) -> dict[str, dict[str, float]]:
    """Way -> distances after whole trajectories of the device's loop with the export in it."""
    exact = Generator.load(source.path, "fp32", 1)
    small = Generator.load(source.path, "int8", 1)
    backend = Backend(RUNTIMES[target], folder, 1)
    asked = Generator.load(source.path, "fp32", 1, backend=backend)
    found: dict[str, dict[str, float]] = {}
    for solver, steps, guidance in WAYS:
        if (
            folder / f"{'student' if solver == 'consistency' else 'bridge'}{SUFFIXES[target]}"
        ).exists():
            settings: dict[str, Any] = {
                "solver": solver, "steps": steps, "guidance": guidance, "seed": 100,
            }  # fmt: skip
            found[f"{solver}, {steps} steps, guidance {guidance:g}"] = _distances(
                source, exact, small, asked, settings
            )
    return found


def _distances(
    source: Source, exact: Generator, small: Generator, asked: Generator, settings: dict[str, Any]
) -> dict[str, float]:
    latents, from_torch, series, beside_int8, int8_itself = [], [], [], [], []
    for text in TEXTS:
        condition = Condition.from_text(text, 1.0, exact).array
        drawn = asked.model.sample_latent(condition, SEEDS, **settings)
        latents.append(
            relative_error(drawn, exact.model.sample_latent(condition, SEEDS, **settings))
        )
        if settings["solver"] == "dpmpp_2m":
            from_torch.append(relative_error(drawn, _by_torch(source, condition, settings)))
        rows = [g.model.sample(condition, SEEDS, **settings) for g in (asked, exact, small)]
        span = np.ptp(rows[1], axis=1, keepdims=True)
        series.append(np.abs(rows[0] - rows[1]) / span)
        beside_int8.append(np.abs(rows[0] - rows[2]) / span)
        int8_itself.append(np.abs(rows[2] - rows[1]) / span)
    made = {"latent_from_core_fp32": max(latents)}
    if from_torch:
        made["latent_from_torch"] = max(from_torch)
    named = {
        "series_from_core_fp32": series,
        "series_from_core_int8": beside_int8,
        "core_int8_from_core_fp32": int8_itself,
    }
    for name, shares_of_range in named.items():
        each = np.concatenate(shares_of_range).mean(axis=1)
        made[f"{name}_median"] = float(np.median(each))
        made[f"{name}_mean"] = float(each.mean())
        made[f"{name}_worst"] = float(each.max())
    return made


@torch.inference_mode()
def _by_torch(
    source: Source, condition: npt.NDArray[np.float32], settings: dict[str, Any]
) -> npt.NDArray[np.float32]:
    """The same loop in torch, from the same noise."""
    bundle = source.bundle
    rows = torch.from_numpy(condition)
    memory = bundle.memory(bundle.bridge, rows, WINDOW)

    def branch(told: torch.Tensor) -> sampling.Predict:
        return lambda x, t: bundle.bridge(x, torch.full((len(x),), t), told.expand(len(x), -1, -1))

    predict = sampling.guided(
        branch(memory), branch(bundle.bridge.null_memory(1)), settings["guidance"]
    )
    shape = bundle.decoder.mean.shape
    first = [
        noise.normals(settings["seed"] + i, noise.INITIAL_LATENT, 0, shape.numel())
        for i in range(SEEDS)
    ]
    start = torch.from_numpy(np.stack(first)).view(SEEDS, *shape)
    latent = sampling.dpmpp_2m(predict, bundle.alpha_bar, start, settings["steps"])
    if bundle.claims is not None and bundle.bridge.config.answers:
        sure = certain(shares(bundle.claims(rows[None]))[0])
        latent = impose(sure, latent, bundle.decoder)
    return latent.numpy()


def report(exports: Path, model: Path, say: Any = print) -> dict[str, Any]:
    """Every target and precision in a folder of exports, beside torch.

    Args:
        exports: Written by ``python -m geng_export export``.
        model: The model file that they were made of.
        say: Takes a line for each of them.

    Raises:
        ExportError: There are none, or the model is damaged.
        ModelFileError: They are of another model.
    """
    source = Source.load(model)
    words = Variant(quantised=False, rows=False, words=8)
    inputs = _Inputs(source, {part.name: part for part in parts_of(source, words)})
    rows = []
    for target, precisions in PRECISIONS.items():
        for precision in precisions:
            folder = exports / target / precision
            if not folder.is_dir():
                continue
            say(f"{target} {precision}")
            row = {
                "target": target,
                "precision": precision,
                "megabytes": sum(f.stat().st_size for f in folder.iterdir()) / 1e6,
                "calls": calls(folder, target, inputs),
                "trajectories": trajectories(folder, target, source),
            }
            say(json.dumps(row["trajectories"]))
            rows.append(row)
    if not rows:
        raise ExportError(f"{exports} holds no exports; it must be a folder of them")
    return {
        "model": model.name,
        "fingerprint": source.fingerprint,
        "descriptions": len(TEXTS),
        "seeds": SEEDS,
        "rows": rows,
    }


def to_markdown(found: dict[str, Any]) -> str:
    """The report as tables."""
    names = list(dict.fromkeys(name for row in found["rows"] for name in row["calls"]))
    lines = [
        "| target | precision | MB | "
        + " | ".join(f"{name}: error of a call" for name in names)
        + " |",
        "| --- | --- | ---: |" + " ---: |" * len(names),
    ]
    for row in found["rows"]:
        cells = [
            f"{row['calls'][name]['mean']:.1e}" if name in row["calls"] else "-" for name in names
        ]
        head = f"| {row['target']} | {row['precision']} | {row['megabytes']:.0f} | "
        lines.append(head + " | ".join(cells) + " |")
    lines += [
        "",
        _HEAD,
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    for row in found["rows"]:
        for way, d in row["trajectories"].items():
            latent = d.get("latent_from_torch", d["latent_from_core_fp32"])
            lines.append(
                f"| {row['target']} | {row['precision']} | {way} | {latent:.1e} | "
                f"{_both(d, 'series_from_core_fp32')} | {_both(d, 'core_int8_from_core_fp32')} |"
            )
    return "\n".join(lines)


def _both(distances: dict[str, float], name: str) -> str:
    return ", ".join(f"{100 * distances[f'{name}_{way}']:.2g}" for way in ("median", "mean"))
