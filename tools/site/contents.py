"""What the site holds: its pages in order, and those that are made from other files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from command_line import page

ROOT = Path(__file__).resolve().parents[2]

#: Public modules, each with a page.
MODULES = (
    "geng_edge.generator",
    "geng_edge.condition",
    "geng_edge.request",
    "geng_edge.series",
    "geng_edge.recorded",
    "geng_edge.reference",
    "geng_edge.completion",
    "geng_edge.edit",
    "geng_edge.channels",
    "geng_edge.recording",
    "geng_edge.verify",
    "geng_edge.claims",
    "geng_edge.analysis.analyser",
    "geng_edge.profiles",
    "geng_edge.errors",
    "geng_cog.cog",
    "geng_cog.backends.protocol",
)

#: Section -> its pages in order. A folder takes what is under it and not named, by name.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": (
        "index.md",
        "quickstart/raspberry-pi.md",
        "quickstart/jetson.md",
        "quickstart/x86.md",
        "quickstart/",
    ),
    "How to": (
        "how-to/sample.md",
        "how-to/two-stages.md",
        "how-to/long-series.md",
        "how-to/your-data.md",
        "how-to/benchmark-a-board.md",
        "how-to/connect-a-broker.md",
        "how-to/another-runtime.md",
        "how-to/embed-in-c.md",
        "firmware.md",
        "how-to/",
        "examples.md",
    ),
    "Method": (
        "method.md",
        "evaluation.md",
        "performance.md",
        "performance_arm.md",
        "model-card.md",
        "compatibility.md",
        "",
    ),
    "Reference": (
        "reference/index.md",
        "cli/geng-edge.md",
        "cli/geng-cog.md",
        "cli/",
        *(f"reference/{module}.md" for module in MODULES),
        "reference/c.md",
        "reference/wire.md",
        "reference/boards.md",
        "reference/",
        "changelog.md",
    ),
}

#: Page -> the file that it is.
COPIED = {
    "reference/wire.md": "python/geng_edge/wire/rules.md",
    "reference/boards.md": "firmware_profiles/README.md",
    "changelog.md": "CHANGELOG.md",
}

#: File that a page may link to -> the page that stands for it in the site.
STANDS_FOR = {
    **{path: name for name, path in COPIED.items()},
    "README.md": "index.md",
    "examples/c/README.md": "how-to/embed-in-c.md",
    "examples/mosquitto/README.md": "how-to/connect-a-broker.md",
    "examples/scripts/fill_gaps.py": "examples.md",
    "cpp/include/geng/geng.h": "reference/c.md",
    **{
        f"python/{module.replace('.', '/')}.py": f"reference/{module}.md"
        for module in MODULES
        if module.startswith("geng_edge.")
    },
}
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:\s]+)(#[^)]*)?\)")


def linked(page: str, text: str) -> str:
    """A page's Markdown with its links to files outside ``docs/`` as the site can keep them.

    A link to a file that has a page leads there; of any other file of the project its path is named.
    """
    home = ROOT / COPIED[page] if page in COPIED else ROOT / "docs" / page

    def kept(found: re.Match[str]) -> str:
        target = (home.parent / found[2]).resolve()
        if target.is_relative_to(ROOT / "docs") or not target.exists():
            return found[0]
        path = target.relative_to(ROOT).as_posix()
        if path not in STANDS_FOR:
            return f"{found[1]} (`{path}`)"
        up = "../" * page.count("/")
        return f"[{found[1]}]({up}{STANDS_FOR[path]}{found[3] or ''})"

    return _LINK.sub(kept, text)


def navigation(pages: Iterable[str]) -> list[dict[str, list[str]]]:
    """The sections, each with those of ``pages`` that belong to it."""
    left = sorted(pages)
    named = {name for names in SECTIONS.values() for name in names}
    sections = []
    for title, names in SECTIONS.items():
        taken: list[str] = []
        for name in names:
            if name in left:
                taken.append(name)
            elif name == "" or name.endswith("/"):
                depth = name.count("/")
                taken += [
                    page
                    for page in left
                    if page.startswith(name) and page.count("/") == depth and page not in named
                ]
        sections.append({title: taken})
    return sections


def made() -> dict[str, str]:
    """Every page that is made from the code, by its path in the site."""
    from geng_cog.cli.main import build_parser as cog
    from geng_edge.cli.main import build_parser as edge

    pages = {name: (ROOT / path).read_text(encoding="utf-8") for name, path in COPIED.items()}
    pages["cli/geng-edge.md"] = page(edge(), "`geng-edge COMMAND --help` prints what is here.")
    pages["cli/geng-cog.md"] = page(cog(), "`geng-cog COMMAND --help` prints what is here.")
    header = (ROOT / "cpp/include/geng/geng.h").read_text(encoding="utf-8")
    pages["reference/c.md"] = (
        "# C\n\nThe whole interface, `geng/geng.h`. [Embed in C](../how-to/embed-in-c.md) uses it.\n\n"
        f"```c\n{header}```\n"
    )
    for module in MODULES:
        pages[f"reference/{module}.md"] = f"# {module}\n\n::: {module}\n"
    pages["reference/index.md"] = _index()
    pages["examples.md"] = _examples()
    return pages


def _summary(module: str) -> str:
    """First sentence of a module's docstring, read without importing it."""
    package = module.split(".")[0]
    base = ROOT / {"geng_edge": "python", "geng_cog": "cloud"}[package] / module.replace(".", "/")
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def _index() -> str:
    lines = [
        "# Reference",
        "",
        "The names of `geng_edge` itself are `Generator`, `Condition`, `Request`, `Series`, `Reference`,",
        "`Recording`, `Recorder` and the errors; each leads to the module where it is at home. Nothing is",
        "imported before it is used.",
        "",
        "| module | what it holds |",
        "| --- | --- |",
    ]
    lines += [f"| [`{module}`]({module}.md) | {_summary(module)} |" for module in MODULES]
    lines += [
        "",
        "Beside Python: the command lines [geng-edge](../cli/geng-edge.md) and",
        "[geng-cog](../cli/geng-cog.md), the [C interface](c.md), the [rules of the wire](wire.md), and",
        "the [profiles of boards](boards.md).",
    ]
    return "\n".join(lines) + "\n"


def _examples() -> str:
    parts = [
        "# Examples",
        "Programs under `examples/scripts/`. Each runs in every build of the project.",
    ]
    for file in sorted((ROOT / "examples" / "scripts").glob("*.py")):
        source = file.read_text(encoding="utf-8")
        tree = ast.parse(source)
        title, _, text = (ast.get_docstring(tree) or file.stem).partition("\n")
        parts += [f"## {title.rstrip('.')}", f"`examples/scripts/{file.name}`", text.strip()]
        body = source.split('"""', 2)[2].strip()
        parts.append('??? abstract "The program"\n\n' + _indented(f"```python\n{body}\n```"))
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
