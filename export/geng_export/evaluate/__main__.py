"""``python -m geng_export.evaluate COMMAND``: measure a model, and the analyser that judges it."""

from __future__ import annotations

import argparse
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from geng_edge.cli.backend import add_backend
from geng_edge.errors import GengError
from geng_edge.files import check_writable
from geng_edge.request import DEFAULT_CANDIDATES, DEFAULT_INTERVAL, DEFAULT_STEPS, SOLVERS
from geng_export.evaluate import commands
from geng_export.evaluate.drawing import READING_SPLITS, SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("geng_export.evaluate")


def _out(one: argparse.ArgumentParser) -> None:
    one.add_argument("--out", type=Path, help="also write JSON")


def _seed(one: argparse.ArgumentParser) -> None:
    one.add_argument("--seed", type=int, default=0)


def _data(one: argparse.ArgumentParser) -> None:
    one.add_argument("--data", type=Path, required=True, help="folder with a manifest")


def _model(one: argparse.ArgumentParser) -> None:
    one.add_argument("--model", type=Path, help="default: the bundled model")
    one.add_argument("--precision", default="int8")
    one.add_argument("--threads", type=int, default=0)


def _described(one: argparse.ArgumentParser) -> None:
    one.add_argument("--descriptions", type=int, default=200)


def _sampled(one: argparse.ArgumentParser) -> None:
    _described(one)
    one.add_argument("--samples", type=int, default=20)


def _split(one: argparse.ArgumentParser) -> None:
    one.add_argument("--split", choices=SPLITS, default="development")


def _windows(one: argparse.ArgumentParser, default: int = 1000) -> None:
    one.add_argument("--windows", type=int, default=default, help="real windows of each kind")


def _kept(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--kept",
        type=Path,
        metavar="FOLDER",
        help="what is found so far, to go on from when stopped",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m geng_export.evaluate", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)

    def command(
        name: str, run: Callable[..., None], *options: Callable[[argparse.ArgumentParser], None]
    ) -> argparse.ArgumentParser:
        made = subparsers.add_parser(name, help=run.__doc__)
        made.set_defaults(run=run)
        for option in options:
            option(made)
        return made

    own = (_model, _out, _seed)
    one = command("conformity", commands.conformity, *own, _split, _sampled, add_backend)
    one.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    one.add_argument("--solver", choices=SOLVERS, help="default: as sample")
    one.add_argument("--guidance", type=float, help="default: as sample")
    one.add_argument("--length", type=int, default=512, help="steps of each series")
    one.add_argument(
        "--no-numbers",
        action="store_true",
        help="ablation: number channels of the condition emptied",
    )
    one.add_argument(
        "--guidance-interval",
        type=float,
        nargs=2,
        default=DEFAULT_INTERVAL,
        metavar=("LOW", "HIGH"),
    )
    one = command("reading", commands.reading, *own, _described)
    one.add_argument("--split", choices=READING_SPLITS, default="tuning")
    one.add_argument(
        "--misread",
        action="store_true",
        help="show the texts, and what was read; not of paraphrases",
    )
    one = command("verify", commands.verify, *own, _split, _sampled)
    one.add_argument("--candidates", type=int, default=DEFAULT_CANDIDATES)
    one = command("few-steps", commands.few_steps, *own, _sampled)
    one.add_argument("--paired", type=int, default=2000, help="series for the Frechet distance")
    one = command("fidelity", commands.fidelity, _model, _out, _data, _windows)
    one.add_argument("--seeds", type=int, default=3)
    one.add_argument(
        "--baseline-seconds", type=float, default=900.0, help="training of each baseline; 0: none"
    )
    _kept(one)
    command("copies", commands.copies, *own, _data, _windows)
    one = command("chains", commands.chains, *own)
    one.add_argument("--chains", type=int, default=50)
    one.add_argument("--length", type=int, default=10_000)
    command("two-stage", commands.two_stage, *own, _data, partial(_windows, default=400))
    command("completion", commands.completed, _out, _seed, _data, partial(_windows, default=400))
    command("edits", commands.edits, *own, _data, partial(_windows, default=100))
    one = command("devices", commands.devices, *own)
    one.add_argument("--devices", type=int, default=40, help="devices of each kind")
    one = command("unconditional", commands.unconditional, _out, _seed, _data)
    one.add_argument("--length", type=int, default=24, help="24 or 256")
    one.add_argument("--train-seconds", type=float, default=900.0)
    one.add_argument("--windows", type=int, default=5000, help="drawn, and real beside them")
    one.add_argument("--repeats", type=int, default=5, help="times the judges are trained")
    _kept(one)
    one = command("analyser", commands.analyser, _seed)
    one.add_argument("--series", type=int, default=300, help="series a task")
    one.add_argument("--length", type=int, default=512, help="steps of each series")
    one = command("reconstruction", commands.reconstruction, _model, _out, _data)
    one.add_argument("--per-file", type=int, default=20, help="windows taken from a file")
    one = command("all", commands.everything, _model, _data)
    one.set_defaults(run=partial(commands.everything, main))
    one.add_argument("--docs", type=Path, default=Path("docs"))
    one.add_argument("--exact", type=Path, help="the same model in float32 (export --precision)")
    one.add_argument("--again", action="store_true", help="also what has a result of this model")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if getattr(arguments, "out", None) is not None:
            check_writable(arguments.out)
        arguments.run(arguments)
    except GengError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
