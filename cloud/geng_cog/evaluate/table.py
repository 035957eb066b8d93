"""Table I and figure 3 of the paper, rebuilt: what self-training brings, over seeds.

The documents are curated once. Each set is then learned from the base with several seeds: the seed
pairs alone; with as many candidates as round 5 keeps, as the model of round 0 writes them, unselected;
with what round 2 and round 5 kept. For figure 3: with so many of each set. Trainings of one set differ by
more than rounds do, so that a row may have several for each seed, and their mean counts. Everything is kept
in a folder, so that an interrupted run goes on, and the results are one JSON file.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_cog.backends.embedded import EmbeddedBackend
from geng_cog.evaluate.measure import measure_alike
from geng_cog.evaluate.sets import tasks
from geng_cog.selftrain.candidates import Candidate, read_candidates
from geng_cog.selftrain.documents import Document
from geng_cog.selftrain.rounds import Plan, run_rounds, seed_lessons, trainings, unfiltered
from geng_cog.selftrain.tune import Lesson
from geng_edge import files

if TYPE_CHECKING:
    from geng_edge import Generator

SIZES = (200, 600)
MIDDLE = 2
Say = Callable[[str], None]


def run_table(
    plan: Plan, seeds: int, documents: Sequence[Document], generator: Generator, say: Say,
    sizes: bool = False, members: int = 1,
    keep: Callable[[dict[int, dict[str, Any]]], None] = lambda _: None,
) -> dict[int, dict[str, Any]]:  # fmt: skip
    """Curate once, then learn each set with every seed; rows by seed and name.

    Args:
        plan: Its folder keeps everything; its seed curates, and is the first of the table.
        seeds: How many trainings of each set.
        documents: Unlabeled.
        generator: Checks candidates.
        say: Told what happens.
        sizes: Train the points of figure 3 too, with the first seed.
        members: Trainings of a row, whose mean counts; the loop's own models are one training each.
        keep: Given the rows so far after each seed, so that an interrupted table is not lost.

    Cost: about 35 minutes on one core with 900 documents a round, three seeds, one member and no sizes.
    """
    run_rounds(plan, documents, generator, say)
    last = plan.rounds
    kept = len(read_candidates(plan.round(last) / "kept.jsonl"))
    sets: dict[str, Sequence[Candidate]] = {
        "seed only": [],
        "unfiltered": unfiltered(plan, documents, kept),
    }
    for n in sorted({min(MIDDLE, last), last}):
        sets[f"round {n}"] = read_candidates(plan.round(n) / "kept.jsonl")
    known = {"seed only": plan.round(0)} | {f"round {n}": plan.round(n) for n in range(1, last + 1)}
    by_seed: dict[int, dict[str, Any]] = {}
    for seed in range(plan.seed, plan.seed + seeds):
        of_seed = replace(plan, seed=seed)
        rows = {"base": _row(plan.base, [plan.base], 0, 0, say)}
        for name, found in sets.items():
            folder = plan.folder / f"seed-{seed}" / name.replace(" ", "-")
            first = known.get(name) if seed == plan.seed else None
            rows[name] = _learned(of_seed, folder, found, members, say, first)
        by_seed[seed] = rows
        keep(by_seed)
    if sizes:
        by_seed[plan.seed] |= _sizes(plan, sets, members, say)
        keep(by_seed)
    return by_seed


def _sizes(
    plan: Plan, sets: dict[str, Sequence[Candidate]], members: int, say: Say
) -> dict[str, Any]:
    """Rows of the first so many of each set, in an order that the seed decides."""
    rng = np.random.default_rng((plan.seed, 3))
    rows = {}
    for name, found in sets.items():
        for size in SIZES:
            if len(found) > size:
                part = [found[int(i)] for i in rng.permutation(len(found))[:size]]
                folder = plan.folder / f"size-{name.replace(' ', '-')}-{size}"
                rows[f"{name}, {size}"] = _learned(plan, folder, part, members, say)
    return rows


def _learned(
    plan: Plan, folder: Path, candidates: Sequence[Candidate], members: int, say: Say,
    first: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The row of a model tuned on seed pairs and candidates."""
    seeds = seed_lessons(plan.scenarios)
    made = trainings(plan, folder, seeds, _lessons(candidates), members, say, first)
    return _row(folder, made, len(seeds), len(candidates), say)


def _lessons(candidates: Sequence[Candidate]) -> list[Lesson]:
    return [Lesson(c.task, c.text) for c in candidates]


def _row(folder: Path, made: Sequence[Path], seeds: int, more: int, say: Say) -> dict[str, Any]:
    """The measures of the trainings of a row, kept in its folder, so that they are taken once."""
    file = folder / f"measured-{len(made)}.json"
    if not file.is_file():
        # What is learned is compared: without votes.
        backends = [EmbeddedBackend(one, votes=0) for one in made]
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, Any] = {
            "seeds": seeds, "candidates": more,
            **{name: measure_alike(backends, tasks(name)) for name in ("development", "tuning")},
        }  # fmt: skip
        with files.whole(file) as out:
            out.write(json.dumps(found, indent=1).encode())
    row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    say(f"{folder.name}: {row['development']['right']['all']:.1%} right")
    return row


def summary(by_seed: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with mean and spread (largest minus smallest) over the seeds, of the development set."""
    found = []
    for name in next(iter(by_seed.values())):
        rows = [rows[name] for rows in by_seed.values() if name in rows]
        shares = [row["development"]["right"]["all"] for row in rows]
        found.append(
            {
                "model": name,
                "seed_pairs": rows[0]["seeds"],
                "candidates": [row["candidates"] for row in rows],
                "right": round(float(np.mean(shares)), 4),
                "spread": round(max(shares) - min(shares), 4),
                "by_seed": shares,
                "each_by_seed": [row["development"]["each"] for row in rows],
                "agreed_by_seed": [row["development"]["agreed"]["all"] for row in rows],
                "tuning_by_seed": [row["tuning"]["right"]["all"] for row in rows],
                "parsed": min(row["development"]["parsed"] for row in rows),
                "claims": {
                    claim: round(
                        float(np.mean([r["development"]["right"][claim] for r in rows])), 4
                    )
                    for claim in rows[0]["development"]["right"]
                },
            }
        )
    return found


def write_results(
    path: Path,
    by_seed: dict[int, dict[str, Any]],
    plan: Plan,
    members: int,
    corpus: str,
    command: str,
) -> None:
    """Write the JSON of the table: rows, every figure of every seed, and what made them.

    Raises:
        OutputError: The file cannot be written.
    """
    recipe = asdict(plan)
    for name in ("folder", "base", "seed"):
        recipe.pop(name)
    result = {
        "command": command, "corpus": corpus, "seeds": sorted(by_seed), "plan": recipe, "members": members,
        "machine": platform.machine(), "table": summary(by_seed),
    }  # fmt: skip
    with files.whole(path) as file:
        file.write((json.dumps(result, indent=1) + "\n").encode())


def shown(table: Sequence[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [f"{'model':<18}{'candidates':>12}{'right':>9}{'spread':>9}{'agreed':>9}{'parsed':>9}"]
    for row in table:
        count = f"{np.mean(row['candidates']):.0f}"
        lines.append(
            f"{row['model']:<18}{count:>12}{row['right']:>9.1%}{row['spread']:>9.1%}"
            f"{np.mean(row['agreed_by_seed']):>9.1%}{row['parsed']:>9.0%}"
        )
    return "\n".join(lines)
