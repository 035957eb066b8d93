"""``python -m geng_export.evaluate all``: run every measure, and write docs/evaluation.md from what it found.

The text of the page is page.md beside this module; ``{{name}}`` in it stands for a table. Results lie in
``results/`` as JSON. One that is there is kept if it is of the model that is measured, by the sha256 of the
weights that it records, or of no model at all; what is of another model, or records none, is measured again.
What page.md itself says of a table's weights is for a person to keep true.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geng_edge import Generator
from geng_export.errors import ExportError
from geng_export.evaluate.chains import Chains
from geng_export.evaluate.completed import Completed
from geng_export.evaluate.conformity import ConformityReport
from geng_export.evaluate.devices import Devices
from geng_export.evaluate.edits import Edits
from geng_export.evaluate.few_steps import FewSteps
from geng_export.evaluate.fidelity import Fidelity
from geng_export.evaluate.metrics.copies import CopyCheck
from geng_export.evaluate.two_stage import TwoStage

_PLACE = re.compile(r"\{\{(\w+)\}\}")
#: Commands that train a model of their own, or need none.
_OF_NO_MODEL = ("unconditional", "completion")

log = logging.getLogger(__name__)


def _reconstruction(found: dict[str, Any]) -> str:
    from geng_export.evaluate.reconstruction import Reconstruction

    figures = {name: row for name, row in found.items() if name != "sha256"}
    return Reconstruction(figures).to_markdown()


def _conformity(found: dict[str, Any]) -> str:
    return ConformityReport.from_dict(found).to_markdown()


def _alone(found: dict[str, Any]) -> str:
    from geng_export.evaluate.unconditional import Unconditional

    return Unconditional.from_dict(found).to_markdown()


def _verified(found: dict[str, Any]) -> str:
    return ConformityReport.from_dict(found["verified"]).to_markdown()


#: Result file -> its command, and how it becomes a table. ``{data}`` is the folder of real
#: series, ``{exact}`` the model in float32.
MEASURES: dict[str, tuple[list[str], Callable[[dict[str, Any]], str]]] = {
    "conformity": (["conformity"], _conformity),
    "conformity_wordings": (["conformity", "--split", "wordings"], _conformity),
    "conformity_paraphrases": (["conformity", "--split", "paraphrases"], _conformity),
    "conformity_two_kinds": (["conformity", "--split", "two-kinds"], _conformity),
    **{
        f"conformity_{n}": (
            ["conformity", "--length", str(n), "--descriptions", "1000", "--samples", "4"],
            _conformity,
        )
        for n in (64, 128, 256, 512, 1024)
    },
    "conformity_fp32": (["conformity", "--precision", "fp32", "--model", "{exact}"], _conformity),
    "conformity_no_numbers": (["conformity", "--no-numbers", "--samples", "10"], _conformity),
    "verify": (["verify", "--samples", "10"], _verified),
    "verify_wordings": (["verify", "--split", "wordings", "--samples", "10"], _verified),
    "few_steps": (
        ["few-steps", "--paired", "1000", "--samples", "5"],
        lambda found: FewSteps.from_dict(found).to_markdown(),
    ),
    "fidelity": (
        ["fidelity", "--data", "{data}", "--windows", "400", "--baseline-seconds", "420"],
        lambda found: Fidelity.from_dict(found).to_markdown(),
    ),
    "etth1_24": (["unconditional", "--data", "{data}", "--length", "24"], _alone),
    "etth1_256": (
        ["unconditional", "--data", "{data}", "--length", "256", "--train-seconds", "3000"],
        _alone,
    ),
    "chains": (["chains"], lambda found: Chains.from_dict(found).to_markdown()),
    "two_stage": (
        ["two-stage", "--data", "{data}", "--windows", "300"],
        lambda f: TwoStage.from_dict(f).to_markdown(),
    ),
    "completion": (
        ["completion", "--data", "{data}"],
        lambda found: Completed.from_dict(found).to_markdown(),
    ),
    "edits": (
        ["edits", "--data", "{data}", "--windows", "60"],
        lambda found: Edits.from_dict(found).to_markdown(),
    ),
    "devices": (["devices"], lambda found: Devices.from_dict(found).to_markdown()),
    "copies": (["copies", "--data", "{data}"], lambda f: CopyCheck.from_dict(f).to_markdown()),
    "reconstruction": (["reconstruction", "--data", "{data}", "--per-file", "8"], _reconstruction),
}


def measure_all(
    run: Callable[[list[str]], int],
    data: Path,
    docs: Path,
    model: Path | None,
    exact: Path | None,
    again: bool,
) -> None:
    """Run what has no result of this model yet.

    Args:
        run: The command line of :mod:`geng_export.evaluate`.
        data: Folder of real series with a manifest.
        docs: Results go to ``docs/results``.
        model: A model file; the bundled one by default.
        exact: The same model in float32; its measure is left as it is where there is none.
        again: Run everything anew.

    Cost: about an hour on two cores when nothing has been run; another model takes nearly all of it again.

    Raises:
        ExportError: A measure failed.
    """
    results = docs / "results"
    results.mkdir(parents=True, exist_ok=True)
    weights = Generator.load(model).model.fingerprint
    of_exact_weights = Generator.load(exact, "fp32").model.fingerprint if exact else ""
    for name, (command, _) in MEASURES.items():
        out = results / f"{name}.json"
        of_exact = "{exact}" in command
        if of_exact and exact is None:
            log.info("%s: left as it is; --exact measures it", name)
            continue
        of_model = command[0] not in _OF_NO_MODEL
        wanted = of_exact_weights if of_exact else weights
        if out.exists() and not again:
            kept = _recorded(out)
            if not of_model or (kept and wanted.startswith(kept)):
                continue
            log.info("%s: its result is of %s; measured again", name, kept[:16] or "no named model")
        words = [word.format(data=data, exact=exact) for word in command]
        takes_model = of_model and not of_exact
        words += ["--out", str(out), *(["--model", str(model)] if model and takes_model else [])]
        if run(words):
            raise ExportError(f"{' '.join(words)} failed; it must succeed for the page")


def _recorded(path: Path) -> str:
    """Sha256 of the weights, or its first digits, that a result says it is of; empty if it says none."""
    found = json.loads(path.read_text(encoding="utf-8"))
    facts = found.get("facts", {}) | found.get("plain", {}).get("facts", {})
    return str(found.get("sha256", facts.get("sha256", "")))


def write(docs: Path) -> None:
    """Write ``docs/evaluation.md`` from the results, whole or not at all.

    A measure without a result says so in its place.

    Raises:
        ExportError: page.md asks for a table that there is not.
    """
    text = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        if name not in MEASURES:
            raise ExportError(f"page.md asks for {name}; it must be one of {', '.join(MEASURES)}")
        path = docs / "results" / f"{name}.json"
        if not path.exists():
            words = " ".join(MEASURES[name][0]).replace("{data}", "FOLDER")
            return f"No result yet: `python -m geng_export.evaluate {words}`."
        return MEASURES[name][1](json.loads(path.read_text(encoding="utf-8")))

    page = _PLACE.sub(filled, text)
    beside = docs / "evaluation.tmp"
    beside.write_text(page, encoding="utf-8")
    beside.replace(docs / "evaluation.md")
