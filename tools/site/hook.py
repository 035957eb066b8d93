"""What mkdocs calls while it builds the site: pages from the code, navigation, equations, links.

A page that would fetch anything from elsewhere, an equation that cannot be set, or a link to elsewhere
that is none stops the build.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
import contents

EQUATION = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
FETCHED = re.compile(
    r'<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)="(?:https?:)?//[^"]*"'
)
LINK = re.compile(r'<a\b[^>]*?\bhref="(\w+:[^"]*)"')
HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")

_elsewhere: dict[str, set[str]] = {}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, then set the navigation over all of them."""
    for name, text in contents.made().items():
        files.append(File.generated(config, name, content=text))
    config.nav = contents.navigation(file.src_uri for file in files.documentation_pages())
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Keep links to files of the project that are no pages from leading nowhere."""
    del config, files
    return contents.linked(page.file.src_uri, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Set the equations and note where the page links to."""
    del config, files
    for address in LINK.findall(html):
        _elsewhere.setdefault(address, set()).add(page.file.src_uri)
    return EQUATION.sub(lambda found: _set(found, page), html)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that fetches something from elsewhere, or shows an equation as it was written."""
    del config
    fetched = FETCHED.search(output)
    if fetched is not None:
        raise PluginError(f"{page.file.src_uri}: fetches {fetched[0][:160]}; pages must not")
    if 'class="arithmatex"' in output:
        raise PluginError(f"{page.file.src_uri}: an equation was not set")
    return output


def on_post_build(config: MkDocsConfig) -> None:
    """List the links to elsewhere beside the site, after a look at each."""
    bad = [address for address in _elsewhere if not _is_address(address)]
    if bad:
        raise PluginError(
            f"{bad[0]} in {sorted(_elsewhere[bad[0]])[0]}: it must be an https address"
        )
    lines = [
        f"{address}  {' '.join(sorted(_elsewhere[address]))}\n" for address in sorted(_elsewhere)
    ]
    Path(config.site_dir).with_name("site-links.txt").write_text("".join(lines), encoding="utf-8")


def _set(found: re.Match[str], page: Page) -> str:
    import html

    display = "block" if found[2] == "[" else "inline"
    try:
        return str(convert(html.unescape(found[3]).strip(), display=display))
    except Exception as error:
        raise PluginError(f"{page.file.src_uri}: cannot set {found[3]!r}: {error}") from error


def _is_address(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and HOST.fullmatch(parts.netloc) is not None
