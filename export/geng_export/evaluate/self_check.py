"""What ``--verify K`` gains: the conformity columns with and without it, on the same descriptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from geng_export.evaluate.conformity import ConformityReport, judge_all, report
from geng_export.evaluate.drawing import Description, Way, draw, unheard

if TYPE_CHECKING:
    from geng_edge.generator import Generator


def measure(
    generator: Generator,
    asked: Sequence[Description],
    samples: int,
    candidates: int,
    *,
    seed: int = 0,
    facts: dict[str, object] | None = None,
    say: Callable[[str], object] = unheard,
) -> tuple[ConformityReport, ConformityReport]:
    """Conformity without and with verification.

    Verification holds series against what the model itself reads in the description, as on the
    device; the columns hold them against what the description really states.

    Args:
        generator: A model with a claims reader.
        asked: Descriptions.
        samples: Series kept for each.
        candidates: Most series drawn for each one kept.
        seed: Of the noise; description i has seed + 1000 i, in both runs.
        facts: What names the run, for the reports.
        say: Told of progress.
    """
    from geng_edge.claims_reader import read_claims
    from geng_edge.condition import Condition
    from geng_edge.verify import verified

    claims, tasks = [one.claims for one in asked], [one.task for one in asked]
    plain = judge_all(draw(generator, asked, samples, Way(), seed, say), claims, tasks)
    kept = []
    for i, one in enumerate(asked):
        condition = Condition.from_text(one.text, one.interval, generator, one.claims.length)
        read = read_claims(generator, condition, interval=one.interval)
        series, _ = verified(
            generator, condition, read, samples, candidates=candidates, seed=seed + 1000 * i
        )
        kept.append(series.values)
        if (i + 1) % 50 == 0:
            say(f"verified {i + 1} of {len(asked)} descriptions")
    checked = judge_all(kept, claims, tasks)
    named = dict(facts or {})
    return report(plain, named), report(checked, {**named, "verify": candidates})
