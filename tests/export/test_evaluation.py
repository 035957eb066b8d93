"""Descriptions to measure by, and that the measures run from text to table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from geng_edge import Generator
from geng_edge.claims import Claims, Event, check
from geng_edge.numbers import find_numbers
from geng_export.errors import ExportError
from geng_export.evaluate import (
    chains,
    few_steps,
    page,
    pyramid,
    reading,
    self_check,
    unconditional,
)
from geng_export.evaluate.__main__ import main as evaluate
from geng_export.evaluate.drawing import Way, descriptions, draw
from geng_export.evaluate.metrics.extractor import Extractor
from geng_export.evaluate.paraphrases import free_texts, paraphrases


def test_paraphrases_state_what_their_claims_say() -> None:
    asked = paraphrases(112, seed=1)
    for one in asked:
        assert "{" not in one.text
        numbers = [n.value for n in find_numbers(one.text, one.interval)]
        claims = one.claims
        for stated in (claims.low, claims.high, claims.mean):
            assert stated is None or stated in numbers, one.text
        assert claims.low is None or claims.low < claims.high  # type: ignore[operator]
        assert claims.mean is None or claims.low < claims.mean < claims.high  # type: ignore[operator]
        assert all(4 <= p <= 256 for p in claims.periods), one.text
    assert {one.task for one in asked} == {1, 2, 3, 4}
    assert len({one.text for one in asked}) == 112
    assert [a.text for a in paraphrases(5, 1)] == [a.text for a in asked[:5]]


@pytest.mark.parametrize("part", ["a", "b", "c"])
def test_free_texts_state_what_their_claims_say(part: str) -> None:
    asked = free_texts(part)
    assert len(asked) >= 45
    for one in asked:
        check(one.claims)
        low, high = one.claims.low, one.claims.high
        assert low is None or high is None or low < high, one.text
        assert all(4 <= p <= 256 for p in one.claims.periods), one.text
    assert {one.task for one in asked} == {1, 2, 3, 4}
    assert len({one.text for one in asked}) == len(asked)


def test_numbers_of_free_texts_are_found() -> None:
    """Every limit is among the values that the finder makes of a text, or half a swing from one."""
    missing = 0
    for one in (*free_texts("a"), *free_texts("b"), *free_texts("c")):
        numbers = find_numbers(one.text, one.interval)
        values = [n.value for n in numbers]
        around = {
            round(a + s * b / k, 6) for a in values for b in values for s in (-1, 1) for k in (1, 2)
        }
        limits = {round(float(v), 6) for v in (one.claims.low, one.claims.high) if v is not None}
        missing += not limits <= {*around, *(round(v, 6) for v in values), *(-v for v in values)}
        steps = [n.steps for n in numbers if n.steps is not None]
        missing += any(
            min((abs(s / p - 1) for s in steps), default=1) > 0.01 for p in one.claims.periods
        )
    assert missing <= 12


def test_reading_is_compared_field_by_field() -> None:
    event = Event("spike", 0.5, tolerance=0.1)
    asked = Claims(
        "up", periodic=True, periods=(24.0,), low=0.0, high=10.0, mean=4.0, events=(event,)
    )
    assert all(reading.compare(asked, asked).values())
    assert set(reading.compare(asked, asked)) == set(reading.FIELDS)
    worse = Claims("none", periodic=True, periods=(25.0,), low=0.0, high=10.2, events=())
    assert not any(v for k, v in reading.compare(asked, worse).items() if k != "periodic")
    unsaid = reading.compare(Claims(), asked)
    assert unsaid == {"trend": False, "period": False, "events": False, "range": False}
    assert reading.compare(Claims(low=1.0), Claims()) == {}
    assert reading.compare(Claims(), Claims(low=1.0)) == {}
    assert reading.compare(asked, Claims(low=0.0, mean=4.0))["mean"] is False


def test_reading_measures_the_shipped_model() -> None:
    generator = Generator.load(threads=1)
    found = reading.measure(generator, descriptions("development", 12), {"split": "development"})
    assert found.fields["texts"] == (12, 12)
    assert found.misread == ()
    assert found.to_markdown().splitlines()[-1] == "| texts | 12 | 12 | 100.0 |"
    assert found.to_dict()["fields"]["range"][0] > 0
    free = reading.measure(generator, descriptions("free-a", 200), {})
    right, texts = free.fields["texts"]
    assert right / texts > 0.8
    assert len(free.misread) == texts - right


def test_texts_that_are_held_out_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    assert evaluate(["reading", "--split", "paraphrases", "--misread"]) == 2
    assert "it must be another" in caplog.text


def test_where_a_result_goes_is_checked_first_and_it_is_printed_even_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Found:
        def to_dict(self) -> dict[str, int]:
            return {"found": 1}

        def to_markdown(self) -> str:
            return "| found |"

    measured = []

    def measure(*_: object, **__: object) -> Found:
        measured.append(1)
        if len(measured) == 2:
            folder.rmdir()
        return Found()

    monkeypatch.setattr("geng_export.evaluate.devices.measure", measure)
    folder = tmp_path / "kept"
    tiny = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
    command = ["devices", "--model", str(tiny), "--out", str(folder / "d.json")]
    assert evaluate(command) == 2
    assert "it must exist" in caplog.text
    assert not measured
    folder.mkdir()
    assert evaluate(command) == 0
    weights = Generator.load(tiny).model.fingerprint[:16]
    assert json.loads((folder / "d.json").read_text()) == {"sha256": weights, "found": 1}
    (folder / "d.json").unlink()
    capsys.readouterr()
    assert evaluate(command) == 2
    assert "| found |" in capsys.readouterr().out


@pytest.mark.parametrize("split", ["development", "wordings", "paraphrases"])
def test_every_split_can_be_drawn_for(split: str) -> None:
    generator = Generator.load(threads=1)
    asked = descriptions(split, 3)
    drawn = draw(generator, asked, 2, Way())
    assert [x.shape for x in drawn] == [(2, 512)] * 3
    assert Way().settled(generator) == Way("consistency", 4, 0.0)
    assert Way().evaluations(generator) == 4
    assert Way("dpmpp_2m", 4, 1.5).evaluations(generator) == 8


def test_few_steps_compares_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_steps, "composed_extractor", lambda: Extractor(2).eval())
    generator = Generator.load(threads=1)
    ways = (Way("consistency", 2, 0.0), Way("dpmpp_2m", 2, 1.5))
    found = few_steps.measure(generator, ways, count=4, samples=1, paired=20)
    assert [r.evaluations for r in found.rows] == [2, 4]
    assert all(r.frechet > 0.0 and r.columns["range"] < 5.0 for r in found.rows)
    assert found.to_markdown().count("\n") == 4
    assert few_steps.FewSteps.from_dict(found.to_dict()) == found


def test_self_check_reports_both_runs() -> None:
    generator = Generator.load(threads=1)
    before, after = self_check.measure(generator, descriptions("development", 4), 2, 2)
    assert set(before.raw[0]) == set(after.raw[0])
    assert after.facts["verify"] == 2


def test_page_shows_what_was_measured_and_says_what_was_not(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    found = {"sets": {"real": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]}}
    (results / "copies.json").write_text(json.dumps(found), encoding="utf-8")
    page.write(tmp_path)
    text = (tmp_path / "evaluation.md").read_text(encoding="utf-8")
    assert "| real | 0.100 | 0.200 | 0.300 | 0.400 |" in text
    assert text.count("No result yet: `python -m geng_export.evaluate ") == len(page.MEASURES) - 1
    assert "{{" not in text


def test_page_of_the_results_is_the_one_in_docs_and_names_their_older_weights(
    tmp_path: Path,
) -> None:
    docs = Path(__file__).parents[2] / "docs"
    (tmp_path / "results").symlink_to(docs / "results")
    page.write(tmp_path)
    text = (tmp_path / "evaluation.md").read_text(encoding="utf-8")
    assert text == (docs / "evaluation.md").read_text(encoding="utf-8")
    fidelity_of = json.loads((docs / "results" / "fidelity.json").read_text())["sha256"]
    shipped = Generator.load(threads=1).model.fingerprint
    assert (f"(weights {fidelity_of[:8]})" in text) != shipped.startswith(fidelity_of)


def test_page_runs_only_what_has_no_result_of_the_model(tmp_path: Path) -> None:
    tiny = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
    weights = Generator.load(tiny).model.fingerprint
    of_model = {"sha256": weights[:16]}
    kept = {
        "copies": of_model,
        "few_steps": {"sha256": weights},
        "conformity": {"facts": of_model},
        "verify": {"plain": {"facts": of_model}, "verified": {"facts": of_model}},
        "conformity_fp32": {"facts": {"sha256": "0" * 16}},
        "completion": {"windows": 400},
        "etth1_24": {"length": 24},
    }
    others = {
        "fidelity": {"sha256": "0" * 16},
        "verify_wordings": {"plain": {"facts": {"sha256": "0" * 16}}},
        "edits": {"windows": 60},
    }
    (tmp_path / "results").mkdir()
    for name, found in {**kept, **others}.items():
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    asked: dict[str, list[str]] = {}

    def run(words: list[str]) -> int:
        asked[Path(words[words.index("--out") + 1]).stem] = words
        return 0

    page.measure_all(run, Path("series"), tmp_path, tiny, None, again=False)
    assert set(asked) == set(page.MEASURES) - set(kept)
    assert asked["fidelity"][:3] == ["fidelity", "--data", "series"]
    asked.clear()
    page.measure_all(run, Path("series"), tmp_path, tiny, tiny, again=False)
    assert set(asked) == set(page.MEASURES) - set(kept) | {"conformity_fp32"}
    asked.clear()
    page.measure_all(run, Path("series"), tmp_path, tiny, tiny, again=True)
    assert set(asked) == set(page.MEASURES)


def test_results_are_read_again_with_the_weights_that_they_record() -> None:
    results = Path(__file__).parents[2] / "docs" / "results"
    for name in ("chains", "two_stage", "edits", "devices", "copies", "reconstruction"):
        found = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        table = page.MEASURES[name][1]
        assert table({"sha256": "0" * 16, **found}) == table(found)


def test_chains_are_searched_for_drift_and_seams() -> None:
    generator = Generator.load(threads=1)
    found = chains.measure(generator, count=3, length=4352)
    assert len(found.mean) == len(found.spread) == 3
    assert 0.5 <= found.change_point <= 1.0
    assert chains.Chains.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.to_markdown().count("\n") == 9


def test_a_seam_that_is_there_is_found() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 4096))
    for first in range(0, 4096, 512):
        x[:, first : first + 256] += 3.0
    assert chains._change_point_auc(x, 256) > 0.9
    assert chains._classifier_auc(x, 256, 0) > 0.9


def _channels_in(folder: Path, rows: int = 300) -> Path:
    """A folder with a file like ETTh1: seven channels that swing."""
    t = np.arange(rows)[:, None]
    values = np.sin(t / (3.0 + np.arange(7))) * np.arange(1, 8)
    table = pd.DataFrame(values, columns=list("ABCDEFG"))
    table.insert(0, "date", pd.date_range("2020-01-01", periods=rows, freq="h"))
    (folder / "ett").mkdir()
    table.to_csv(folder / "ett" / "ETTh1.csv.gz", index=False)
    return folder


def test_the_unconditional_protocol_trains_draws_and_judges(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(unconditional, "JUDGE", {"discriminative": 3, "ts2vec": 2})
    monkeypatch.setattr(pyramid, "STEPS", 4)
    folder = _channels_in(tmp_path)
    channels = unconditional.read_channels(folder)
    assert channels.shape == (300, 7)
    assert channels.min() == 0.0
    assert channels.max() == 1.0
    windows = unconditional.windows_of(channels, 24)
    np.testing.assert_array_equal(windows[5], channels[5:29])
    kept = tmp_path / "kept"
    found = unconditional.measure(folder, 24, seconds=1.0, windows=30, repeats=2, kept=kept)
    monkeypatch.delattr(unconditional, "Pyramid")
    read = unconditional.measure(folder, 24, seconds=1.0, windows=30, repeats=2, kept=kept)
    assert read == found
    assert [n > 0 for n in found.facts["steps"]] == [True]
    assert all(np.isfinite(v) and v >= 0.0 for v in found.context_fid)
    assert all(0.0 <= v <= 0.5 for v in found.discriminative)
    assert unconditional.Unconditional.from_dict(found.to_dict()) == found
    assert "0.116" in found.to_markdown()


def test_a_pyramid_holds_all_of_a_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    channels = unconditional.read_channels(_channels_in(tmp_path, rows=700))
    made = pyramid.Pyramid(channels, 256, seed=0)
    windows = pyramid.windows_of(channels, 256)[:3]
    x = made.means[0].decode(made.tokens_of(0, windows)[0])
    for level in (1, 2):
        tokens, told = made.tokens_of(level, windows)
        # Means of a level stay when finer ones are added; each is told the level above.
        torch.testing.assert_close(told, made.means[level - 1].encode(x), atol=1e-3, rtol=0.0)
        finer = made.finer(level, x, tokens)
        torch.testing.assert_close(pyramid.means(finer, x.shape[1]), x, atol=1e-4, rtol=0.0)
        x = finer
    again = x * made.std + made.mean
    np.testing.assert_allclose(again.numpy(), windows, atol=1e-4)
    monkeypatch.setattr(pyramid, "STEPS", 2)
    assert all(steps > 0 for steps in made.train(1.0, seed=0))
    assert made.draw(2, seed=1).shape == (2, 256, 7)


def test_the_unconditional_protocol_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="it must be one of \\[24, 256\\]"):
        unconditional.measure(tmp_path, 25, seconds=1.0, windows=10)
    with pytest.raises(ExportError, match="it must be ETTh1 as CSV"):
        unconditional.read_channels(tmp_path)
