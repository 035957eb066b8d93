"""What tools/site makes of pages before mkdocs does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[2] / "tools" / "site"


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module, as the hook imports it."""
    monkeypatch.syspath_prepend(str(TOOLS))
    import contents

    yield contents
    for name in ("contents", "command_line"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("page", "link", "kept"),
    [
        (
            "method.md",
            "[how](performance.md#how-it-is-fast)",
            "[how](performance.md#how-it-is-fast)",
        ),
        ("method.md", "[log](../CHANGELOG.md)", "[log](changelog.md)"),
        ("how-to/sample.md", "[it](../../examples/c/README.md)", "[it](../how-to/embed-in-c.md)"),
        ("method.md", "[unit](../examples/mosquitto/acl)", "unit (`examples/mosquitto/acl`)"),
        ("changelog.md", "[page](docs/model-card.md)", "[page](docs/model-card.md)"),
        ("method.md", "[gone](../no/such/file.md)", "[gone](../no/such/file.md)"),
        ("method.md", "[x](https://example.org/a)", "[x](https://example.org/a)"),
    ],
)
def test_links_out_of_the_site_are_kept_where_they_lead(
    contents: ModuleType, page: str, link: str, kept: str
) -> None:
    assert contents.linked(page, link) == kept


def test_a_page_that_appears_is_taken_up_once(contents: ModuleType) -> None:
    pages = ["index.md", "how-to/sample.md", "how-to/new.md", "new.md", "reference/c.md"]
    found = contents.navigation(pages)
    assert [(title, names) for section in found for title, names in section.items()] == [
        ("Start", ["index.md"]),
        ("How to", ["how-to/sample.md", "how-to/new.md"]),
        ("Method", ["new.md"]),
        ("Reference", ["reference/c.md"]),
    ]


def test_the_pages_of_the_command_lines_have_every_command_and_option(contents: ModuleType) -> None:
    pages = contents.made()
    for command in ("sample", "profiles check", "serve", "bench"):
        assert f"\n## {command}\n" in pages["cli/geng-edge.md"]
    assert "| `--length LENGTH` | steps of each (default 512)" in pages["cli/geng-edge.md"]
    assert "\n## selftrain\n" in pages["cli/geng-cog.md"]
    assert "# Changelog" in pages["changelog.md"]
    assert set(contents.MODULES) <= {name[10:-3] for name in pages if name.startswith("reference/")}
