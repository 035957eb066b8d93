"""``geng-cog selftrain``: self-training: one stage, or whole curation rounds."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from geng_cog.lm.training import Recipe
from geng_edge import files
from geng_edge.cli import console
from geng_edge.errors import ArgumentError
from geng_edge.request import check_between

STAGES = ("base", "seed", "augment", "score", "select", "tune")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.epilog = (
        "stages: base pretrains --folder on --corpus; seed writes the seed pairs to --out; augment reads "
        "--corpus with --model and writes --out; score grades --in; select keeps the best of --in; tune "
        "trains --base on --seeds and --in into --folder. Without a stage, --rounds are run in --folder."
    )
    parser.add_argument("stage", nargs="?", choices=STAGES, metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="curation rounds (default 5)"
    )
    parser.add_argument(
        "--corpus", type=Path, metavar="PATH", help="folder of text, or a .jsonl file"
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where everything is kept")
    parser.add_argument(
        "--documents-only", action="store_true", help="base: without prose of the scenarios"
    )
    parser.add_argument("--base", type=Path, metavar="DIR", help="base model (default FOLDER/base)")
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="tuned model; the bundled one by default"
    )
    parser.add_argument(
        "--seeds", type=Path, metavar="FILE", help="seed pairs; those of the package by default"
    )
    parser.add_argument(
        "--in", dest="given", type=Path, metavar="FILE", help="candidates of the stage before"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSONL file to write")
    parser.add_argument(
        "--round", type=int, default=1, metavar="N", help="number of the round (default 1)"
    )
    parser.add_argument(
        "--documents",
        type=int,
        default=500,
        metavar="N",
        help="documents read a round (default 500)",
    )
    parser.add_argument(
        "--scenarios", type=int, metavar="N", help="rounds: seed pairs of N scenarios (default all)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of everything (default 0)"
    )
    parser.add_argument(
        "--edge-model", metavar="FILE", help="model file of the edge that checks series"
    )
    parser.add_argument(
        "--epochs",
        type=float,
        metavar="N",
        help="passes of a tuning (default 4)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run one stage, or the loop."""
    import torch

    torch.set_num_threads(1)  # the embedded model is too small to share out
    stage = arguments.stage
    if stage is None:
        _loop(arguments)
    else:
        {"base": _base, "seed": _seed, "augment": _augment, "score": _score, "select": _select,
         "tune": _tune}[stage](arguments)  # fmt: skip


def needed(arguments: argparse.Namespace, *names: str) -> list[Path]:
    """The paths of options that this stage cannot do without.

    Raises:
        ArgumentError: One is not given.
    """
    found = []
    for name in names:
        value = getattr(arguments, name)
        if value is None:
            option = "in" if name == "given" else name
            raise ArgumentError(f"--{option} is not given; it must be")
        found.append(value)
    return found


def recipe(arguments: argparse.Namespace) -> Recipe:
    """The recipe of the tuning, with the passes that are asked for.

    Raises:
        ArgumentError: They are out of range.
    """
    from geng_cog.selftrain.tune import RECIPE

    if arguments.epochs is None:
        return RECIPE
    check_between("epochs", arguments.epochs, 0.01, 1000.0)
    return replace(RECIPE, epochs=arguments.epochs)


def _loop(arguments: argparse.Namespace) -> None:
    from geng_cog.selftrain.documents import read_documents
    from geng_cog.selftrain.rounds import Plan, run_rounds
    from geng_edge import Generator

    folder, corpus = needed(arguments, "folder", "corpus")
    if not 1 <= arguments.rounds <= 100:
        raise ArgumentError(f"rounds is {arguments.rounds}; it must be 1 to 100")
    documents = read_documents(corpus)
    base = arguments.base or folder / "base"
    if not (base / "cog.safetensors").is_file():
        _base(argparse.Namespace(**{**vars(arguments), "folder": base}))
    plan = Plan(
        folder, base, rounds=arguments.rounds, documents=arguments.documents, seed=arguments.seed,
        scenarios=arguments.scenarios, recipe=recipe(arguments),
    )  # fmt: skip
    run_rounds(plan, documents, Generator.load(arguments.edge_model, threads=1), console.say)


def _base(arguments: argparse.Namespace) -> None:
    from geng_cog.selftrain.base import RECIPE, pretrain
    from geng_cog.selftrain.documents import read_documents

    folder, corpus = needed(arguments, "folder", "corpus")
    folder.mkdir(parents=True, exist_ok=True)
    settings = replace(RECIPE, seed=arguments.seed)
    figures = pretrain(
        read_documents(corpus), folder, settings, with_prose=not arguments.documents_only
    )
    console.say(f"base: {figures}")


def _seed(arguments: argparse.Namespace) -> None:
    from geng_cog.evaluate.sets import draw_seeds

    (out,) = needed(arguments, "out")
    pairs = draw_seeds()
    with files.whole(out) as file:
        for pair in pairs:
            entry = {"task": pair.task, "text": pair.statement.text()}
            file.write(f"{json.dumps(entry, ensure_ascii=False)}\n".encode())
    console.say(f"seed: {len(pairs)} pairs in {out}")


def _augment(arguments: argparse.Namespace) -> None:
    import numpy as np

    from geng_cog.backends.embedded import FOLDER, EmbeddedBackend
    from geng_cog.selftrain.augment import augment
    from geng_cog.selftrain.candidates import write_candidates
    from geng_cog.selftrain.documents import read_documents

    corpus, out = needed(arguments, "corpus", "out")
    documents = read_documents(corpus)
    order = np.random.default_rng((arguments.seed, 7)).permutation(len(documents))
    part = order[
        (arguments.round - 1) * arguments.documents : arguments.round * arguments.documents
    ]
    writer = EmbeddedBackend(arguments.model or FOLDER).writer
    found = augment(writer, [documents[int(i)] for i in part], arguments.round, arguments.seed)
    write_candidates(out, found)
    console.say(f"augment: {len(found)} candidates in {out}")


def _score(arguments: argparse.Namespace) -> None:
    from geng_cog.backends.embedded import FOLDER, EmbeddedBackend
    from geng_cog.selftrain.candidates import read_candidates, write_candidates
    from geng_cog.selftrain.score import score
    from geng_edge import Generator

    given, out = needed(arguments, "given", "out")
    writer = EmbeddedBackend(arguments.model or FOLDER).writer
    generator = Generator.load(arguments.edge_model, threads=1)
    found = score(writer, read_candidates(given), generator)
    write_candidates(out, found)
    console.say(f"score: {sum(c.passed for c in found)} of {len(found)} pass every check")


def _select(arguments: argparse.Namespace) -> None:
    from geng_cog.selftrain.candidates import read_candidates, write_candidates
    from geng_cog.selftrain.select import select

    given, out = needed(arguments, "given", "out")
    candidates = read_candidates(given)
    kept = select(candidates, arguments.round)
    write_candidates(out, kept)
    console.say(f"select: kept {len(kept)} of {len(candidates)} candidates")


def _tune(arguments: argparse.Namespace) -> None:
    from geng_cog.selftrain.candidates import read_candidates
    from geng_cog.selftrain.rounds import Plan, read_lessons, seed_lessons, tuned
    from geng_cog.selftrain.tune import Lesson

    base, folder = needed(arguments, "base", "folder")
    seeds = read_lessons(arguments.seeds) if arguments.seeds else seed_lessons()
    kept = read_candidates(arguments.given) if arguments.given else []
    plan = Plan(folder, base, seed=arguments.seed, recipe=recipe(arguments))
    tuned(plan, folder, seeds, [Lesson(c.task, c.text) for c in kept], console.say)
