"""Every block of code on a page of the documentation, run in the order of the page."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from geng_edge.errors import ArgumentError
from support.pages import DRAWN, OUTPUT, ROOT, RUN, SAVED, Block, Desk, missing, read_page

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SAID = sorted(
    [
        *PAGES,
        *(ROOT / "examples").rglob("*.md"),
        *(
            ROOT / name
            for name in ("CHANGELOG.md", "CONTRIBUTING.md", "firmware_profiles/README.md")
        ),
    ]
)
#: Pages whose blocks need what another test makes, and run there.
ELSEWHERE = {"docs/how-to/another-runtime.md": "tests/export/test_another_runtime.py"}
WITH_BLOCKS = [page for page in PAGES if read_page(page).blocks]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packed weights, made once for all pages."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def desk(tmp_path: Path, cache: Path) -> Iterator[Desk]:
    """A folder for one page."""
    desk = Desk(tmp_path, cache)
    yield desk
    desk.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    for block in read_page(page).blocks:
        assert block.language in RUN | SAVED | OUTPUT | DRAWN, f"{block.place}: {block.language!r}"
        if block.language in SAVED and not block.not_run:
            assert block.title, f"{block.place}: it must have a title, the file that it is"


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_of_a_page_do_what_it_says(page: Path, desk: Desk) -> None:
    text = read_page(page)
    if other := ELSEWHERE.get(page.relative_to(ROOT).as_posix()):
        assert page.name in (ROOT / other).read_text(encoding="utf-8")
        return
    if lacking := missing(text.needs):
        pytest.skip(f"needs {lacking}")
    following = [*text.blocks[1:], None]
    for block, after in zip(text.blocks, following, strict=True):
        if block.not_run:
            continue
        if block.title:
            desk.save(block)
        elif block.language in RUN:
            shown = after is not None and after.language in OUTPUT and not after.not_run
            desk.run(block, after.text if shown and after is not None else None)


@pytest.mark.parametrize(
    ("language", "text", "shown", "sentence"),
    [
        ("sh", "false | cat", None, "ended with 1"),
        ("sh", "geng-edge sample --text '' -n 1", None, "ended with 2"),
        ("python", "import warnings; warnings.warn('old')", None, "UserWarning: old"),
        ("sh", "echo two", "one", "is to print"),
    ],
)
def test_a_block_that_does_not_do_what_it_says_is_found(
    language: str, text: str, shown: str | None, sentence: str, desk: Desk
) -> None:
    with pytest.raises(AssertionError, match=sentence):
        desk.run(Block("page.md", 1, language, text), shown)


def test_what_a_page_left_running_is_ended(desk: Desk) -> None:
    desk.run(Block("page.md", 1, "sh", "sleep 600 & echo $! > pid"), None)
    sleeper = Path("/proc") / (desk.folder / "pid").read_text().strip() / "stat"
    assert sleeper.exists()
    desk.close()
    time.sleep(0.2)
    # Where nobody asks how it ended, it stays in the table as a zombie.
    assert not sleeper.exists() or " Z " in sleeper.read_text()


def spoken(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Commands of the two programs in indented blocks, which are not run: line and words."""
    lines = enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
    for number, line in lines:
        if not re.match(r" {4,}(?:\$ )?(?:\.venv/bin/)?geng-(?:edge|cog) ", line):
            continue
        command = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
        while command.endswith("\\") or command.count('"') % 2:
            command = command.removesuffix("\\") + "\n" + next(lines)[1].strip()
        words = shlex.split(command, comments=True)
        stops = [i for i, word in enumerate(words) if word in {"|", ">", "&"}]
        yield number, words[: stops[0]] if stops else words


@pytest.mark.parametrize("page", SAID, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_only_names_are_commands(page: Path) -> None:
    from geng_cog.cli.main import build_parser as cog
    from geng_edge.cli.main import build_parser as edge

    parsers = {"geng-edge": edge, "geng-cog": cog}
    for number, words in spoken(page):
        if "--help" in words:
            continue
        try:
            parsers[words[0]]().parse_args(words[1:])
        except ArgumentError as error:
            pytest.fail(f"{page.relative_to(ROOT)}:{number}: {' '.join(words)}: {error}")


@pytest.mark.parametrize("page", SAID, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_outside_the_site_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        made = (ROOT / "docs").joinpath("reference"), (ROOT / "docs").joinpath("cli")
        file = (page.parent / target).resolve()
        if not any(file.is_relative_to(folder) for folder in made) and file.name != "examples.md":
            assert file.exists(), f"{page.relative_to(ROOT)}: {target} is not there"


@pytest.mark.parametrize("page", SAID, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # it names what was
        return
    folders = (
        "benchmarks|cloud|cmake|cpp|examples|export|firmware_profiles|packaging|python|tests|tools"
    )
    text = page.read_text(encoding="utf-8")
    for named in re.findall(rf"`((?:{folders})/[\w./*-]+)`", text):
        there = [*ROOT.glob(named.rstrip("/")), *ROOT.glob(f"{named}.*")]  # or a stem
        assert there, f"{page.relative_to(ROOT)}: {named} is not there"


def test_phrases_that_the_guide_offers_are_read_as_claims() -> None:
    from geng_edge import Condition, Generator
    from geng_edge.claims_reader import read_claims

    generator = Generator.load(threads=1)
    guide = (ROOT / "docs" / "how-to" / "sample.md").read_text(encoding="utf-8")
    rows = [line for line in guide.split("\n") if re.match(r"\| (limits|trend|one|events)", line)]
    assert len(rows) == 4
    for row in rows:
        for phrase in re.findall(r"`([^`]+)`", row):
            text = phrase if row.startswith("| limits") else f"values from 1 to 9, {phrase}"
            condition = Condition.from_text(text, 1800 if "da" in phrase else 1, generator)
            claims = read_claims(generator, condition, 512, 1.0)
            said = {key for key, value in vars(claims).items() if value not in (None, (), "")}
            said -= {"interval", "length"} | ({"low", "high"} if text != phrase else set())
            assert said or "no anomaly" in phrase, f"{phrase}: no claim is read from it"


def test_the_first_page_leads_to_a_series_within_three_commands() -> None:
    commands = []
    for block in read_page(ROOT / "docs" / "index.md").blocks:
        if block.language == "sh":
            commands += [line for line in block.text.split("\n") if line and line[0] not in " #"]
    first = next(i for i, line in enumerate(commands, 1) if "geng-edge sample" in line)
    assert first <= 3
