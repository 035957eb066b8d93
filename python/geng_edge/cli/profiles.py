"""``geng-edge profiles``: list the boards that are known, show one, or check a profile file."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geng_edge.cli import console
from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_edge.profiles import Fact, Profile


_COLUMNS: dict[str, Callable[[Profile], object]] = {
    "id": lambda p: p.id,
    "board": lambda p: p.name,
    "mode": lambda p: p.mode,
    "cores": lambda p: f"{p.board['n_cores'].value} x {p.board['core'].value}",
    "MHz": lambda p: p.board["mhz_sustained"].value,
    "kernels": lambda p: p.board["kernel_set"].value,
    "MB": lambda p: p.board["ram_mb_visible"].value,
    "precision": lambda p: p.precision,
    "threads": lambda p: p.threads,
    "steps": lambda p: p.steps,
    "limit MB": lambda p: p.memory_mb,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of the command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(
            name, help=summary, description=summary, allow_abbrev=False
        )
        made.add_argument("--json", action="store_true", help="everything as one JSON object")
        return made

    action("list", "the bundled profiles, one line each")
    show = action("show", "every field of one, how it is known and who says so")
    show.add_argument("profile", metavar="ID", help="an id of list, or a .toml file")
    check = action("check", "check files against the schema; the bundled profiles by default")
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a .toml file")


def run(arguments: argparse.Namespace) -> None:
    """Do the action and print.

    Raises:
        ArgumentError: There is no such profile, or a file is none.
    """
    from geng_edge import profiles

    if arguments.action == "list":
        _list([profiles.load(name) for name in profiles.names()], as_json=arguments.json)
    elif arguments.action == "show":
        _show(profiles.load(arguments.profile), as_json=arguments.json)
    else:
        _check(arguments.files, as_json=arguments.json)


def _list(found: list[Profile], *, as_json: bool) -> None:
    if as_json:
        console.emit(json.dumps([dataclasses.asdict(profile) for profile in found]))
        return
    rows = [tuple(_COLUMNS)]
    rows += [tuple(str(show(profile)) for show in _COLUMNS.values()) for profile in found]
    console.emit("\n".join(aligned(rows)))


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines whose columns begin under one another."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _show(profile: Profile, *, as_json: bool) -> None:
    if as_json:
        console.emit(json.dumps(dataclasses.asdict(profile)))
        return
    rows = [
        (prefix + name, _value(fact), fact.how, fact.source)
        for prefix, facts in (("", profile.board), ("sample.", profile.sample))
        for name, fact in facts.items()
    ]
    lines = [f"{profile.id}: {profile.name}, mode {profile.mode}", *aligned(rows)]
    console.emit("\n".join(console.printable(line) for line in lines))


def _value(fact: Fact) -> str:
    if fact.value is None:
        return "-"
    shown = " ".join(map(str, fact.value)) if isinstance(fact.value, list) else str(fact.value)
    if fact.cores is None:
        return shown
    return f"{shown} per core" if fact.cores == 1 else f"{shown} for {fact.cores} cores"


def _check(files: list[Path], *, as_json: bool) -> None:
    from geng_edge.profiles import store
    from geng_edge.profiles.check import offences

    schema = store.schema()
    if files:
        found = {str(file): offences(store.read(file), schema, file.stem) for file in files}
    else:
        found = {name: offences(store.tables(name), schema, name) for name in store.names()}
    if as_json:
        console.emit(json.dumps(found))
    else:
        lines = [line for name, wrong in found.items() for line in _report(name, wrong)]
        console.emit("\n".join(console.printable(line) for line in lines))
    bad = sum(bool(wrong) for wrong in found.values())
    if bad:
        facts: dict[str, Any] = {"offences": found}
        raise ArgumentError(
            f"{bad} of {len(found)} profiles break the rules; they must keep them", **facts
        )


def _report(name: str, wrong: list[str]) -> list[str]:
    return [f"{name}: {sentence}" for sentence in wrong] or [f"{name}: whole"]
