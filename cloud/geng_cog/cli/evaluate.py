"""``geng-cog evaluate``: share of right claims on the development set; Table I with --table."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from geng_cog.cli.backend import add_backend, load_backend
from geng_cog.cli.selftrain import needed, recipe
from geng_edge.cli import console
from geng_edge.errors import ArgumentError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--set",
        default="development",
        choices=("development", "tuning"),
        help="which tasks are asked",
    )
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--table", action="store_true", help="rebuild Table I: self-training over seeds"
    )
    parser.add_argument("--corpus", type=Path, metavar="PATH", help="--table: unlabeled documents")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="--table: where everything is kept"
    )
    parser.add_argument(
        "--base", type=Path, metavar="DIR", help="--table: base model (default FOLDER/base)"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="--table: seeds (default 3)"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="--table: rounds (default 5)"
    )
    parser.add_argument(
        "--scenarios",
        type=int,
        metavar="N",
        help="--table: seed pairs of N scenarios (default all)",
    )
    parser.add_argument(
        "--epochs", type=float, metavar="N", help="--table: passes of a tuning (default 4)"
    )
    parser.add_argument("--documents", type=int, default=500, metavar="N", help="--table: a round")
    parser.add_argument(
        "--members",
        type=int,
        default=1,
        metavar="N",
        help="--table: trainings of a row, whose mean counts (default 1)",
    )
    parser.add_argument("--sizes", action="store_true", help="--table: the points of figure 3 too")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="--table: results")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="--table: figure 3")
    add_backend(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure a backend, or rebuild the table."""
    if arguments.table:
        _table(arguments)
        return
    from geng_cog.evaluate.measure import measure
    from geng_cog.evaluate.sets import tasks

    found = measure(load_backend(arguments).backend, tasks(arguments.set))
    if arguments.json:
        console.emit(json.dumps(found))
        return
    lines = [f"{name:<10}{value:>8.1%}" for name, value in found["right"].items()]
    lines.append(
        f"{found['claims']} claims of {found['tasks']} tasks; {found['parsed']:.1%} of answers parse"
    )
    console.emit("\n".join(lines))


def _table(arguments: argparse.Namespace) -> None:
    import torch

    from geng_cog.evaluate.table import run_table, shown, summary, write_results
    from geng_cog.selftrain.documents import read_documents
    from geng_cog.selftrain.rounds import Plan
    from geng_edge import Generator

    torch.set_num_threads(1)
    folder, corpus, out = needed(arguments, "folder", "corpus", "out")
    if not 1 <= arguments.seeds <= 100:
        raise ArgumentError(f"seeds is {arguments.seeds}; it must be 1 to 100")
    if not 1 <= arguments.members <= 100:
        raise ArgumentError(f"members is {arguments.members}; it must be 1 to 100")
    documents = read_documents(corpus)
    generator = Generator.load(threads=1)
    base = arguments.base or folder / "base"
    plan = Plan(
        folder, base, rounds=arguments.rounds, documents=arguments.documents,
        scenarios=arguments.scenarios, recipe=recipe(arguments),
    )  # fmt: skip
    # Names of files and folders only: where they lie is nobody else's business.
    given = [Path(a).name if "/" in a else a for a in sys.argv[1:]]
    command = shlex.join(["geng-cog", *given])
    origin = f"{corpus.name}, {len(documents)} documents"
    by_seed = run_table(
        plan, arguments.seeds, documents, generator, console.say, arguments.sizes, arguments.members,
        lambda rows: write_results(out, rows, plan, arguments.members, origin, command),
    )  # fmt: skip
    table = summary(by_seed)
    console.emit(shown(table))
    if arguments.plot is not None:
        from geng_cog.evaluate.figure import draw

        draw(table, arguments.plot)
