"""The command lines as pages, made from their parsers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

_NOT_SHOWN = (argparse._HelpAction, argparse._SubParsersAction)


def page(parser: argparse.ArgumentParser, intro: str) -> str:
    """Markdown of a parser with commands: usage and every option with its help."""
    os.environ["COLUMNS"] = "80"  # argparse breaks its usage there
    parts = [f"# {parser.prog}", str(parser.description), intro, _prose(str(parser.epilog))]
    for name, command in _commands(parser, ""):
        text = str(command.description).rstrip(".")
        parts += [f"## {name}", _prose(f"{text[:1].upper()}{text[1:]}.")]
        usage = command.format_usage().removeprefix("usage: ").rstrip()
        parts.append(f"```text\n{_dedented(usage, len('usage: '))}\n```")
        parts += _table(command)
    return "\n\n".join(parts) + "\n"


def _commands(
    parser: argparse.ArgumentParser, before: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command, and the commands of those that have some."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for name, command in action.choices.items():
                command.description = command.description or helps[name]
                yield f"{before}{name}", command
                yield from _commands(command, f"{before}{name} ")


def _dedented(usage: str, spaces: int) -> str:
    first, *rest = usage.split("\n")
    return "\n".join([first, *(line[spaces:] for line in rest)])


def _table(command: argparse.ArgumentParser) -> list[str]:
    """Options and arguments, or nothing where there are none."""
    formatter = command._get_formatter()
    rows = []
    for action in command._actions:
        if isinstance(action, _NOT_SHOWN) or action.help is argparse.SUPPRESS:
            continue
        names = formatter._format_action_invocation(action).replace("|", "\\|")
        help_text = formatter._expand_help(action) if action.help else ""
        rows.append(f"| `{names}` | {_prose(help_text)} |")
    return ["\n".join(["| option | meaning |", "| --- | --- |", *rows])] if rows else []


def _prose(text: str) -> str:
    """Text of a parser as Markdown that shows it as it is."""
    for sign in "\\|*_`$":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;").strip()
