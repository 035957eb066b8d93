"""The loop: augment, score, select, tune, again. Seeded, resumable, every round's files kept.

    FOLDER/base/{tokenizer.json,cog.safetensors}         once
    FOLDER/round-0/cog.safetensors                       tuned on the seed pairs alone
    FOLDER/round-N/candidates.jsonl                      augment: new ones, and those that failed so far
                                                         answered anew, by the model of round N - 1
    FOLDER/round-N/scored.jsonl                          score: all so far, graded anew
    FOLDER/round-N/kept.jsonl                            select
    FOLDER/round-N/{cog.safetensors,figures.json}        tune: from base, on seed + kept

A stage whose file is there is not run again, so an interrupted loop goes on where it stopped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_cog import knowledge
from geng_cog.backends.embedded import MODEL, TOKENIZER, EmbeddedBackend
from geng_cog.evaluate.sets import draw_seeds
from geng_cog.knowledge import scenarios
from geng_cog.lm import model as network
from geng_cog.lm.training import Recipe
from geng_cog.selftrain.augment import answered, augment
from geng_cog.selftrain.candidates import Candidate, read_candidates, write_candidates
from geng_cog.selftrain.documents import Document
from geng_cog.selftrain.score import score
from geng_cog.selftrain.select import BAR, Bar, select
from geng_cog.selftrain.tune import RECIPE, Lesson, tune
from geng_cog.statement import parse
from geng_edge import files
from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_edge import Generator


@dataclass(frozen=True)
class Plan:
    """Settings of a loop.

    Attributes:
        folder: Where everything is kept.
        base: Folder of tokenizer and base model.
        rounds: Curation rounds.
        documents: Documents read anew in each round.
        scenarios: Training scenarios whose seed pairs are learned; None for all.
        seed: Of every draw and training.
        recipe: Of each tuning; its seed is the plan's.
        bar: Of the selection.
    """

    folder: Path
    base: Path
    rounds: int = 5
    documents: int = 500
    scenarios: int | None = None
    seed: int = 0
    recipe: Recipe = RECIPE
    bar: Bar = BAR

    def round(self, number: int) -> Path:
        """The folder of a round."""
        return self.folder / f"round-{number}"

    def part(self, documents: Sequence[Document], number: int) -> list[Document]:
        """The documents that a round reads anew."""
        order = np.random.default_rng((self.seed, 7)).permutation(len(documents))
        part = order[(number - 1) * self.documents : number * self.documents]
        return [documents[int(i)] for i in part]


#: Between the seeds of trainings of one row: those of two tables' seeds never meet.
APART = 1000
Say = Callable[[str], None]


def seed_lessons(most: int | None = None, seed: int = 0) -> list[Lesson]:
    """The seed pairs of the package, as the tuning takes them.

    Args:
        most: Take only those of so many training scenarios; all by default.
        seed: Decides which.
    """
    with resources.as_file(resources.files(knowledge).joinpath("seeds.jsonl")) as path:
        lessons = read_lessons(path)
    if most is None:
        return lessons
    known = scenarios("train")
    order = np.random.default_rng((seed, 11)).permutation(len(known))[:most]
    taken = {known[int(i)].id for i in order}
    return [
        lesson
        for lesson, pair in zip(lessons, draw_seeds(), strict=True)
        if all(s.id in taken for s in pair.scenarios)
    ]


def read_lessons(path: Path) -> list[Lesson]:
    """Seed pairs of a file with one object of ``task`` and ``text`` a line.

    Raises:
        ArgumentError: The file is missing, or a line is no pair whose text parses.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ArgumentError(f"{path}: {error.strerror}; it must be a file of seed pairs") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            parse(entry["text"])
            found.append(Lesson(str(entry["task"]), str(entry["text"]), whole=True))
        except (ValueError, KeyError, TypeError) as error:  # noqa: PERF203  names the line
            raise ArgumentError(
                f"{path}: line {number} is no seed pair: {str(error)[:120]}"
            ) from error
    return found


def run_rounds(
    plan: Plan, documents: Sequence[Document], generator: Generator, say: Say = lambda _: None
) -> None:
    """Run the loop, or what is left of it.

    Args:
        plan: What and where.
        documents: Unlabeled; each is read once, in an order that the seed decides.
        generator: The model whose series are checked.
        say: Told what happens, a line at a time.

    Cost: 2 to 5 minutes a round on one core with 900 documents a round; later ones have more to write anew.
    """
    seeds = seed_lessons(plan.scenarios)
    tuned(plan, plan.round(0), seeds, [], say)
    pool: list[Candidate] = []
    for number in range(1, plan.rounds + 1):
        folder = plan.round(number)
        folder.mkdir(parents=True, exist_ok=True)
        pool = _scored(plan, number, plan.part(documents, number), pool, generator, say)
        kept_file = folder / "kept.jsonl"
        if not kept_file.is_file():
            write_candidates(kept_file, select(pool, number, plan.bar))
        kept = read_candidates(kept_file)
        say(f"round {number}: kept {len(kept)} of {len(pool)} candidates")
        tuned(plan, folder, seeds, [Lesson(c.task, c.text) for c in kept], say, pool=pool)


def _scored(
    plan: Plan, number: int, new: Sequence[Document],
    pool: Sequence[Candidate], generator: Generator, say: Say,
) -> list[Candidate]:  # fmt: skip
    folder = plan.round(number)
    made, graded = folder / "candidates.jsonl", folder / "scored.jsonl"
    if graded.is_file():
        return read_candidates(graded)
    writer = EmbeddedBackend(plan.round(number - 1)).writer
    if not made.is_file():
        failed = [c for c in pool if not c.passed]
        again = answered(writer, failed, plan.seed * 1000 + 700 + number)
        write_candidates(made, [*augment(writer, new, number, plan.seed), *again])
        say(f"round {number}: {len(new)} documents read, {len(again)} answers written anew")
    passed = [c for c in pool if c.passed]
    found = score(writer, [*passed, *read_candidates(made)], generator)
    write_candidates(graded, found)
    return found


def unfiltered(plan: Plan, documents: Sequence[Document], most: int) -> list[Candidate]:
    """So many candidates as the model of round 0 writes them, nothing chosen: the loop left out."""
    file = plan.folder / "unfiltered.jsonl"
    if not file.is_file():
        read = [d for n in range(1, plan.rounds + 1) for d in plan.part(documents, n)]
        order = np.random.default_rng((plan.seed, 13)).permutation(len(read))
        drawn = [read[int(i)] for i in order]
        writer = EmbeddedBackend(plan.round(0)).writer
        write_candidates(file, augment(writer, drawn, 0, plan.seed, drafts=1, most=most))
    return read_candidates(file)


def trainings(
    plan: Plan, folder: Path, seeds: Sequence[Lesson], kept: Sequence[Lesson], members: int, say: Say,
    first: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Tune several times from base; the folders of the trainings.

    Args:
        plan: Its seed is the first training's, the others' lie ``APART``.
        folder: Keeps each training as ``member-N``.
        seeds, kept: What is learned.
        members: How many trainings.
        say: Told what happens.
        first: Folder of the first training, where it was made before.
    """
    made = []
    for member in range(members):
        made.append(first if first and member == 0 else folder / f"member-{member}")
        tuned(replace(plan, seed=plan.seed + APART * member), made[-1], seeds, kept, say)
    return made


def tuned(
    plan: Plan, folder: Path, seeds: Sequence[Lesson], kept: Sequence[Lesson], say: Say,
    pool: Sequence[Candidate] = (),
) -> dict[str, Any]:  # fmt: skip
    """Tune from base into ``folder``, unless its figures are there; returns the figures."""
    figures_file = folder / "figures.json"
    if figures_file.is_file():
        figures: dict[str, Any] = json.loads(figures_file.read_text(encoding="utf-8"))
        return figures
    from tokenizers import Tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(plan.base / TOKENIZER))
    recipe = replace(plan.recipe, seed=plan.seed)
    model, figures = tune(plan.base / MODEL, tokenizer, seeds, kept, recipe)
    figures |= {
        "seeds": len(seeds), "kept": len(kept), "candidates": len(pool),
        "passed": sum(c.passed for c in pool), "recipe": asdict(recipe),
    }  # fmt: skip
    network.save(model, folder / MODEL, {"stage": folder.name, **figures})
    shutil.copyfile(plan.base / TOKENIZER, folder / TOKENIZER)
    with files.whole(figures_file) as file:
        file.write(json.dumps(figures, indent=1).encode())
    say(
        f"{folder.name}: tuned on {len(seeds)} seed and {len(kept)} kept pairs, loss {figures['loss']}"
    )
    return figures
