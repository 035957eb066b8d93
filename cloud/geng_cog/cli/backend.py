"""Options that choose a backend, shared by the commands that answer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geng_edge.errors import ArgumentError
from geng_edge.request import check_whole

if TYPE_CHECKING:
    from geng_cog.cog import Cog


MOST_VOTES = 64


def add_backend(parser: argparse.ArgumentParser) -> None:
    """The options of every command that answers."""
    group = parser.add_argument_group("backend")
    group.add_argument(
        "--backend", default="embedded", metavar="NAME",
        help="embedded (default), transformers, or openai",
    )  # fmt: skip
    group.add_argument(
        "--model",
        metavar="NAME",
        help="embedded: folder of another model; transformers: folder or hub name; openai: name there",
    )
    group.add_argument(
        "--votes", type=int, metavar="N",
        help="embedded: writings whose agreement is the answer (default 8; 0 takes a third of the time)",
    )  # fmt: skip
    group.add_argument("--adapter", metavar="FOLDER", help="transformers: a LoRA adapter")
    group.add_argument("--four-bit", action="store_true", help="transformers: weights in 4 bits")
    group.add_argument(
        "--url", metavar="URL", help="openai: base address, such as http://localhost:8000/v1"
    )
    group.add_argument(
        "--json-schema", action="store_true", help="openai: ask for JSON by a schema"
    )


def load_backend(arguments: argparse.Namespace) -> Cog:
    """The Cog that the options ask for.

    Raises:
        ArgumentError: An option does not belong to the backend.
    """
    from geng_cog.cog import Cog

    settings: dict[str, Any] = {}
    if arguments.votes is not None:
        if arguments.backend != "embedded":
            raise ArgumentError("votes is for backend embedded; it must not be given here")
        settings["votes"] = check_whole("votes", arguments.votes, 0, MOST_VOTES)
    wanted = {
        "transformers": {"adapter": arguments.adapter, "four_bit": arguments.four_bit},
        "openai": {"url": arguments.url, "schema": arguments.json_schema},
    }
    for backend, options in wanted.items():
        for name, value in options.items():
            if value and backend != arguments.backend:
                raise ArgumentError(f"{name} is for backend {backend}; it must not be given here")
            if value:
                settings[name] = value
    if arguments.model is not None:
        if arguments.backend == "embedded":
            settings["folder"] = Path(arguments.model)
        else:
            settings["model"] = arguments.model
    return Cog.load(arguments.backend, **settings)
