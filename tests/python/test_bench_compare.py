"""The bench beside other runtimes: the same work, and every answer checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from geng_edge import _core
from geng_edge.bench import compare
from geng_edge.bench.case import Case
from geng_edge.bench.measure import Options
from geng_edge.bench.subject import load_subject
from support.benches import ACTIVE, DISTILLED, FAST, case
from support.commands import run

Floats = npt.NDArray[np.float32]


class Echo:
    """A peer that is our own bridge, or nearly."""

    name, variant = "echo", "fp32"

    def __init__(self, shift: float, reason: str | None = None) -> None:
        self.shift = shift
        self.reason = reason

    def why_not(self) -> str | None:
        return self.reason

    def prepare(
        self, model: Path, condition: Floats, threads: int, _folder: Path
    ) -> Callable[[Floats, int], Floats]:
        bridge = _core.Model(str(model), "fp32", threads).bridge

        def step(x: Floats, t: int) -> Floats:
            both = [bridge(x[None], t, condition), bridge(x[None], t, None)]
            return np.concatenate(both) + np.float32(self.shift)

        return step


def test_compare_checks_every_answer_and_leaves_out_who_cannot_run(
    tiny: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    found = list(
        compare.compare(
            load_subject(tiny),
            [case()],
            [Echo(0.0), Echo(9.0), Echo(0.0, "no such library")],
            Options(repetitions=2),
            tmp_path,
            told.append,
        )
    )
    made = compare.records(found, load_subject(tiny))
    assert [(each["runtime"], each["agrees"]) for each in made] == [
        (f"geng-edge {ACTIVE}", True), ("echo", True), ("echo", False),
    ]  # fmt: skip
    assert made[1]["difference"] == 0
    assert 0 < made[0]["difference"] < compare.TOLERANCE
    assert made[0]["times_ours"] == 1
    assert [len(each["seconds"]["step"]) for each in made] == [38, 38, 38]
    assert any("no such library" in line for line in told)
    assert "times ours" in compare.text(made)


def test_one_step_beside_other_runtimes_stays_guided(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Case] = []
    monkeypatch.setattr("geng_edge.bench.peers.find_peers", lambda _names: [])
    monkeypatch.setattr(compare, "compare", lambda _subject, cases, *_: seen.extend(cases) or [])
    monkeypatch.setattr(compare, "text", lambda _made: "")
    assert run("bench", "--model", DISTILLED, "--compare", "torch", *FAST) == 0
    assert {(each.solver, each.guidance) for each in seen} == {("dpmpp_2m", 1.5)}
    capsys.readouterr()


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_the_bridge_without_a_condition_is_the_same_on_two_threads(
    precision: str, tiny: Path
) -> None:
    latents = np.ones((1, 7, 32), np.float32)
    one, two = (
        _core.Model(str(tiny), precision, threads).bridge(latents, 5, None) for threads in (1, 2)
    )
    assert one.tobytes() == two.tobytes()
