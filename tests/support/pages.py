"""The blocks of a Markdown page, and what it takes to run them as a reader would."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

from support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
#: Languages whose blocks are run, are an output, are a drawing, or are saved under their title.
RUN, OUTPUT, DRAWN = {"sh", "python"}, {"text"}, {""}
SAVED = {"c", "csv", "ini", "json", "toml", "yaml"}
SECONDS = 180
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})(\w*)(.*)$")
_NOTE = re.compile(r"<!-- (not run|run with|needs): (.+?) -->")
_TITLE = re.compile(r'title="([^"/]+)"')
_SAME = OutputChecker()


@dataclass
class Block:
    """One fenced block.

    Attributes:
        page: Path under the root; ``line`` is the fence's.
        title: Name of the file that it is.
        not_run: Why it is only shown.
        run_with: What stands in the block, and what is run in its place.
    """

    page: str
    line: int
    language: str
    text: str
    title: str = ""
    not_run: str = ""
    run_with: list[tuple[str, str]] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where it stands, as a compiler would say it."""
        return f"{self.page}:{self.line}"

    def as_run(self) -> str:
        """Its text with the small numbers of the test."""
        text = self.text
        for old, new in self.run_with:
            assert old in text, f"{self.place}: has no {old!r} to replace"
            text = text.replace(old, new)
        return text


@dataclass
class PageText:
    """The blocks of a page in order, and the programs and files that it needs."""

    blocks: list[Block]
    needs: list[str]


def read_page(path: Path) -> PageText:
    """Every fenced block of a page.

    A note on a line of its own speaks of the next block: ``<!-- not run: reason -->``,
    ``<!-- run with: old = new -->``. ``<!-- needs: program or path -->`` speaks of the page.
    """
    name = path.relative_to(ROOT).as_posix()
    blocks, needs, notes = [], [], []
    lines = iter(enumerate(path.read_text(encoding="utf-8").split("\n"), 1))
    for number, line in lines:
        if note := _NOTE.fullmatch(line.strip()):
            needs += [note[2]] if note[1] == "needs" else []
            notes += [(note[1], note[2])] if note[1] != "needs" else []
        elif fence := _FENCE.match(line):
            indent, mark, language, rest = fence.groups()
            inside = []
            for _, inner in lines:
                if inner.strip() == mark:
                    break
                inside.append(inner.removeprefix(indent))
            title = _TITLE.search(rest)
            block = Block(name, number, language, "\n".join(inside), title[1] if title else "")
            for kind, value in notes:
                if kind == "not run":
                    block.not_run = value
                else:
                    old, _, new = value.partition(" = ")
                    block.run_with.append((old, new))
            notes = []
            blocks.append(block)
        elif line.strip():
            assert not notes, f"{name}:{number}: a note stands before no block"
    return PageText(blocks, needs)


def missing(needs: list[str]) -> str:
    """The first thing that a page needs and this machine has not, or nothing."""
    for need in needs:
        word = need.split()[0].rstrip(",")
        there = (ROOT / word).exists() if "/" in word else shutil.which(word) is not None
        if not there:
            return need
    return ""


class Desk:
    """A folder in which the blocks of one page are run, in order, as in a checkout with its .venv."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self._groups: list[int] = []
        self._ports = {port: str(free_port()) for port in ("1883", "8080")}
        commands = folder / ".venv" / "bin"
        commands.mkdir(parents=True)
        for name, arguments in (
            ("python", "-W error"),
            ("geng-edge", "-W error -m geng_edge"),
            ("geng-cog", "-m geng_cog"),  # torch and transformers warn of themselves
        ):
            script = commands / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        (commands / "activate").write_text(f'PATH="{commands}:$PATH"\n')
        for name in ("examples", "firmware_profiles"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "build").mkdir()
        (folder / "build" / "install").symlink_to(ROOT / "build" / "install")
        paths = [str(ROOT / path) for path in os.environ.get("PYTHONPATH", "").split(":") if path]
        self._surroundings = {
            "PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": ":".join(paths),
            "HOME": str(folder),
            "GENG_CACHE": str(cache),
            "MPLCONFIGDIR": str(cache / "matplotlib"),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, block: Block, expected: str | None) -> None:
        """Run one block; ``expected`` is what the page shows as its output, ``...`` for anything.

        Raises:
            AssertionError: It ended with a code other than 0, or said something else.
        """
        text = block.as_run()
        for usual, free in self._ports.items():
            text = text.replace(usual, free)
        if block.language == "sh":
            command = ["bash", "-eu", "-o", "pipefail", "-c", text]
        else:
            command = [str(self.folder / ".venv" / "bin" / "python"), "-c", text]
        output = self.folder / ".output"  # a pipe would stay open as long as a server in it runs
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._surroundings,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._groups.append(process.pid)
            code = process.wait(SECONDS)
        said = output.read_text(encoding="utf-8", errors="replace")
        output.unlink()
        assert code == 0, f"{block.place}: ended with {code}\n{text}\n{said}"
        if expected is not None:
            same = _SAME.check_output(f"{expected}\n", f"{said}\n", ELLIPSIS | NORMALIZE_WHITESPACE)
            wanted = textwrap.indent(expected, "    ")
            assert same, f"{block.place}: is to print\n{wanted}\nand prints\n{said}"

    def save(self, block: Block) -> None:
        """Keep a block under its title."""
        (self.folder / block.title).write_text(block.as_run() + "\n", encoding="utf-8")

    def close(self) -> None:
        """End what the page left running."""
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for group in self._groups:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, sent)
