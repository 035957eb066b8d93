"""``python -m geng_export export --run FOLDER --out FILE``: write a trained model as one GGUF file."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from geng_export.errors import ExportError

log = logging.getLogger("geng_export")


def _export(arguments: argparse.Namespace) -> None:
    from geng_export.models.bundle import Bundle
    from geng_export.targets import gguf

    card = {}
    if arguments.card is not None:
        card = json.loads(arguments.card.read_text(encoding="utf-8"))
    bundle = Bundle.load(arguments.run)
    errors = gguf.write(bundle, arguments.out, int8=arguments.precision == "int8", card=card)
    log.info("%s: %.1f MB", arguments.out, arguments.out.stat().st_size / 1e6)
    print(json.dumps({"file": str(arguments.out), "relative_error": errors}, indent=1))


def _parity(arguments: argparse.Namespace) -> None:
    from geng_export.models.bundle import Bundle
    from geng_export.parity import report

    print(json.dumps(report(Bundle.load(arguments.run)), indent=1))


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a GGUF file; prints each layer's int8 error")
    export.add_argument("--run", type=Path, required=True, help="training folder")
    export.add_argument("--out", type=Path, required=True, help="the .gguf file")
    export.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    export.add_argument("--card", type=Path, help="evaluation card (JSON) to put into the file")
    export.set_defaults(run_command=_export)
    parity = commands.add_parser("parity", help="torch against the C++ core on the same inputs")
    parity.add_argument("--run", type=Path, required=True, help="training folder")
    parity.set_defaults(run_command=_parity)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        arguments.run_command(arguments)
    except ExportError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
