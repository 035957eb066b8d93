"""``python -m geng_export.evaluate COMMAND``: measure a model, and the analyser that judges it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from geng_edge.request import DEFAULT_INTERVAL, DEFAULT_STEPS, SOLVERS, Request
from geng_export.data.dataset import development_descriptions
from geng_export.errors import ExportError

log = logging.getLogger("geng_export.evaluate")


def _conformity(arguments: argparse.Namespace) -> None:
    from geng_edge import Condition, Generator
    from geng_export.evaluate.conformity import judge_all, report

    generator = Generator.load(arguments.model, arguments.precision, arguments.threads)
    way = Request(
        steps=arguments.steps, solver=arguments.solver, guidance=arguments.guidance
    ).settled(generator.distilled)
    pairs = development_descriptions(arguments.descriptions, arguments.seed, arguments.split)
    drawn = []
    for i, pair in enumerate(pairs):
        condition = Condition.from_text(pair.text, pair.interval, generator)
        series = generator.generate(
            condition,
            arguments.samples,
            steps=arguments.steps,
            solver=arguments.solver,
            guidance=arguments.guidance,
            guidance_interval=tuple(arguments.guidance_interval),
            seed=arguments.seed + 1000 * i,
        )
        drawn.append(series.values)
        if (i + 1) % 50 == 0:
            log.info("sampled %d of %d descriptions", i + 1, len(pairs))
    log.info("analysing %d series", len(pairs) * arguments.samples)
    judged = judge_all(drawn, [p.claims for p in pairs], [p.task for p in pairs])
    facts = {
        "model": Path(generator.path).name,
        "sha256": generator.model.fingerprint[:16],
        "precision": generator.model.precision,
        "split": arguments.split,
        "descriptions": len(pairs),
        "samples": arguments.samples,
        "solver": way.solver,
        "steps": way.steps,
        "guidance": way.guidance,
        "guidance_interval": list(arguments.guidance_interval),
        "seed": arguments.seed,
    }
    result = report(judged, dict(facts))
    if arguments.out is not None:
        arguments.out.write_text(result.to_json() + "\n", encoding="utf-8")
    print(result.to_markdown())


def _analyser(arguments: argparse.Namespace) -> None:
    from geng_edge.analysis.analyser import analyse
    from geng_export.evaluate import truth
    from geng_export.evaluate.conformity import judge

    right: dict[str, list[float]] = defaultdict(list)
    for task in truth.TASKS:
        rng = np.random.default_rng((arguments.seed, task))
        for _ in range(arguments.series):
            known = truth.draw(rng, task)
            for column, figure in judge(analyse(known.x), known.claims).items():
                right[column].append(figure)
    for column, figures in right.items():
        print(f"{column:12} {100 * np.mean(figures):7.2f} %   over {len(figures)} series")


def _reconstruction(arguments: argparse.Namespace) -> None:
    from geng_edge import Generator
    from geng_export.evaluate.reconstruction import measure

    generator = Generator.load(arguments.model, arguments.precision, arguments.threads)
    result = measure(generator.model, arguments.data, per_file=arguments.per_file)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result.figures, indent=1) + "\n", encoding="utf-8")
    print(result.to_markdown())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m geng_export.evaluate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    conformity = commands.add_parser("conformity", help="the columns of the paper's Table II")
    conformity.add_argument("--descriptions", type=int, default=200)
    conformity.add_argument("--samples", type=int, default=20)
    conformity.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    conformity.add_argument("--solver", choices=SOLVERS, help="default: as sample")
    conformity.add_argument("--guidance", type=float, help="default: as sample")
    conformity.add_argument(
        "--guidance-interval",
        type=float,
        nargs=2,
        default=DEFAULT_INTERVAL,
        metavar=("LOW", "HIGH"),
    )
    conformity.add_argument("--split", choices=("development", "wordings"), default="development")
    conformity.set_defaults(run=_conformity)
    analyser = commands.add_parser("analyser", help="the analyser on series of known truth")
    analyser.add_argument("--series", type=int, default=300, help="series a task")
    analyser.set_defaults(run=_analyser)
    rebuilt = commands.add_parser("reconstruction", help="real windows through E_y and D_y")
    rebuilt.add_argument("--data", type=Path, required=True, help="folder with a manifest")
    rebuilt.add_argument("--per-file", type=int, default=20, help="windows taken from a file")
    rebuilt.set_defaults(run=_reconstruction)
    for command in (conformity, rebuilt):
        command.add_argument("--model", type=Path, help="default: the bundled model")
        command.add_argument("--precision", default="int8")
        command.add_argument("--threads", type=int, default=0)
        command.add_argument("--out", type=Path, help="also write JSON")
    for command in (conformity, analyser):
        command.add_argument("--seed", type=int, default=0)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        arguments.run(arguments)
    except ExportError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
