"""``python -m geng_export export --run FOLDER --out FILE``: write a trained model as one GGUF file.

With ``--to onnx`` or ``--to litert``: one guided step of its bridge, for another runtime.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
from pathlib import Path

from geng_export.errors import ExportError

log = logging.getLogger("geng_export")


SUFFIXES = {"gguf": ".gguf", "onnx": ".onnx", "litert": ".tflite"}


def _export(arguments: argparse.Namespace) -> None:
    suffix = SUFFIXES[arguments.to]
    if arguments.out.suffix != suffix:
        raise ExportError(
            f"--out is {arguments.out.name!r}; with --to {arguments.to} it must end in {suffix}"
        )
    if arguments.to == "gguf":
        _export_model(arguments)
    else:
        _export_step(arguments)


def _export_model(arguments: argparse.Namespace) -> None:
    """The whole model, as the device reads it."""
    from geng_export.models.bundle import Bundle
    from geng_export.targets import gguf

    if arguments.run is None:
        raise ExportError("--model is a GGUF file already; with --to gguf it must be --run FOLDER")
    card = {}
    if arguments.card is not None:
        card = json.loads(arguments.card.read_text(encoding="utf-8"))
    bundle = Bundle.load(arguments.run)
    errors = gguf.write(bundle, arguments.out, int8=arguments.precision == "int8", card=card)
    log.info("%s: %.1f MB", arguments.out, arguments.out.stat().st_size / 1e6)
    print(json.dumps({"file": str(arguments.out), "relative_error": errors}, indent=1))


def _export_step(arguments: argparse.Namespace) -> None:
    """One guided step of the bridge, for another runtime."""
    from geng_export.models.bundle import Bundle
    from geng_export.targets.read_gguf import load_bundle
    from geng_export.targets.step import write_step

    source: Path = arguments.model or arguments.run
    bundle = load_bundle(source) if arguments.model else Bundle.load(source)
    facts = {"model": source.name}
    if arguments.model:
        facts["sha256"] = hashlib.sha256(source.read_bytes()).hexdigest()
    inputs = write_step(
        bundle,
        arguments.out,
        int8=arguments.precision == "int8",
        words=arguments.words,
        facts=facts,
    )
    log.info("%s: %.1f MB", arguments.out, arguments.out.stat().st_size / 1e6)
    print(json.dumps({"file": str(arguments.out), "inputs": inputs}, indent=1))


def _parity(arguments: argparse.Namespace) -> None:
    from geng_export.models.bundle import Bundle
    from geng_export.parity import report

    print(json.dumps(report(Bundle.load(arguments.run)), indent=1))


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser(
        "export",
        help="write a GGUF file, and print each layer's int8 error; or the bridge for another runtime",
    )
    source = export.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, help="training folder")
    source.add_argument("--model", type=Path, help="model file, for --to onnx and litert")
    export.add_argument("--to", choices=tuple(SUFFIXES), default="gguf", help="(default gguf)")
    export.add_argument("--out", type=Path, required=True, help="the .gguf, .onnx or .tflite file")
    export.add_argument(
        "--words", type=int, default=64,
        help="onnx and litert: word pieces of the longest condition (default 64); pad and mask shorter ones",
    )  # fmt: skip
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
