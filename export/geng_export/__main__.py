"""``python -m geng_export export``: write a model for the device and for other runtimes.

``--to gguf --run RUN --out FILE`` writes a trained model as one file; ``--to gguf,onnx,litert --out
FOLDER`` the networks of a model as well, as ONNX and LiteRT files. ``parity`` holds what was written
against torch.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from geng_export import console
from geng_export.errors import ExportError

NETWORKS = ("student", "bridge", "text", "encoder")

log = logging.getLogger("geng_export")


def _export(arguments: argparse.Namespace) -> None:
    targets = arguments.to.split(",")
    if targets == ["gguf"] and arguments.out.suffix == ".gguf":
        _export_model(arguments, arguments.out)
        return
    from geng_export.targets.folder import export

    if arguments.out.suffix:
        raise ExportError(
            f"--out is {arguments.out.name!r}; it must be a folder, or a .gguf file with --to gguf"
        )
    path = arguments.model or _bundled()
    if arguments.run is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        path = arguments.out / f"{arguments.run.resolve().name}.gguf"
        _export_model(arguments, path)
    export(
        path,
        targets,
        arguments.out,
        words=arguments.words,
        precisions=arguments.precisions.split(",") if arguments.precisions else (),
        networks=arguments.networks.split(",") if arguments.networks else NETWORKS,
        say=log.info,
    )


def _bundled() -> Path:
    from geng_edge.generator import find_model

    return find_model()


def _export_model(arguments: argparse.Namespace, out: Path) -> None:
    """The whole model, as the device reads it."""
    from geng_export.models.bundle import Bundle
    from geng_export.targets import gguf

    if arguments.run is None:
        raise ExportError("a .gguf file is written of a training folder; it must be --run FOLDER")
    card = gguf.read_card(arguments.card)
    bundle = Bundle.load(arguments.run)
    errors = gguf.write(bundle, out, int8=arguments.precision == "int8", card=card)
    log.info("%s: %.1f MB", out, out.stat().st_size / 1e6)
    print(json.dumps({"file": str(out), "relative_error": errors}, indent=1))


def _parity(arguments: argparse.Namespace) -> None:
    from geng_export.models.bundle import Bundle
    from geng_export.parity import report

    print(json.dumps(report(Bundle.load(arguments.run)), indent=1))


def _parity_of_exports(arguments: argparse.Namespace) -> None:
    from geng_export.parity_of_exports import report, to_markdown

    found = report(arguments.exports, arguments.model or _bundled(), log.info)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(to_markdown(found))


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser(
        "export", help="write a model as GGUF, and its networks as ONNX and LiteRT"
    )
    source = export.add_mutually_exclusive_group()
    source.add_argument("--run", type=Path, help="training folder")
    source.add_argument("--model", type=Path, help="model file (default: the bundled model)")
    export.add_argument("--to", default="gguf", help="of gguf, onnx, litert (default gguf)")
    export.add_argument(
        "--out", type=Path, required=True, help="the .gguf file, or a folder for all of them"
    )
    export.add_argument(
        "--words", type=int, default=128,
        help="litert: word pieces of the longest condition (default 128); shorter ones are padded",
    )  # fmt: skip
    export.add_argument(
        "--precision", choices=("int8", "fp32"), default="int8", help="of the .gguf file"
    )
    export.add_argument(
        "--precisions", help="onnx and litert: of fp32, int8, int8-static, int8-full (default all)"
    )
    export.add_argument(
        "--networks", help="onnx and litert: of student, bridge, text, encoder (default all)"
    )
    export.add_argument("--card", type=Path, help="evaluation card (JSON) to put into the file")
    export.set_defaults(run_command=_export)
    parity = commands.add_parser("parity", help="torch against the C++ core on the same inputs")
    parity.add_argument("--run", type=Path, required=True, help="training folder")
    parity.set_defaults(run_command=_parity)
    others = commands.add_parser(
        "parity-of-exports", help="exports in other runtimes against torch, by call and trajectory"
    )
    others.add_argument("--exports", type=Path, required=True, help="the folder that export wrote")
    others.add_argument("--model", type=Path, help="the model (default: the bundled one)")
    others.add_argument("--out", type=Path, help="also write JSON")
    others.set_defaults(run_command=_parity_of_exports)
    arguments = parser.parse_args(argv)
    for name in ("onnx_ir", "onnxscript", "torch.onnx"):  # every pass of every converter
        logging.getLogger(name).setLevel(logging.ERROR)
    return console.run(lambda: arguments.run_command(arguments), log)


if __name__ == "__main__":
    sys.exit(main())
