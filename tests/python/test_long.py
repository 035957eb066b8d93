"""Series longer than a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.cli.main import main
from geng_edge.errors import ArgumentError, CancelledError
from geng_edge.request import Request

LENGTH = 8192


@pytest.fixture(scope="module")
def bundled() -> Generator:
    return Generator.load(threads=1)


def about(text: str, interval: float, generator: Generator) -> Condition:
    return Condition.from_text(text, interval, generator)


def test_a_chain_keeps_range_mean_and_period_over_its_whole_length(bundled: Generator) -> None:
    text = "a cycle of 48 steps, values from 18 to 23, mean 20, low noise, no trend, no anomaly"
    x = bundled.generate(about(text, 1.0, bundled), 3, length=LENGTH, seed=3).values
    assert x.shape == (3, LENGTH)
    assert x.min() >= 18.0
    assert x.max() <= 23.0
    assert x.min(axis=1) == pytest.approx([18.0] * 3, abs=0.1)
    assert x.max(axis=1) == pytest.approx([23.0] * 3, abs=0.1)
    assert x.mean(axis=1) == pytest.approx([20.0] * 3, abs=0.1)
    for row in x:
        power = np.abs(np.fft.rfft(row - row.mean())) ** 2
        assert LENGTH / int(power.argmax()) == pytest.approx(48.0, rel=0.01)
        # The phase runs on: the last cycles lie on the first ones.
        cycles = row[: LENGTH // 48 * 48].reshape(-1, 48)
        first, last = cycles[:20].mean(axis=0), cycles[-20:].mean(axis=0)
        assert np.corrcoef(first, last)[0, 1] > 0.95


def test_a_chain_that_is_rehearsed_whole_has_the_limits_that_are_stated(bundled: Generator) -> None:
    for text in ("humidity between 0 and 100 %, a spike in the middle", "0 to 100 %, two dropouts"):
        x = bundled.generate(about(text, 60.0, bundled), 3, length=2048, interval=60.0).values
        assert set(x.min(axis=1)) == {0.0}
        assert set(x.max(axis=1)) == {100.0}


def test_an_event_of_a_chain_lies_at_its_share_of_the_whole(bundled: Generator) -> None:
    text = "no cycle, no trend, low noise, values from 0 to 10, a spike at 75% of the window"
    x = bundled.generate(about(text, 1.0, bundled), 2, length=LENGTH, seed=1).values
    assert x.argmax(axis=1) / LENGTH == pytest.approx([0.75, 0.75], abs=0.01)


def test_a_trend_of_a_chain_leads_over_the_whole(bundled: Generator) -> None:
    text = "rising steadily from 0 to 100, no cycle, no anomaly, low noise"
    x = bundled.generate(about(text, 1.0, bundled), 1, length=LENGTH).values[0]
    tenth = LENGTH // 10
    assert x[-tenth:].mean() - x[:tenth].mean() > 60.0


def test_blocks_are_the_chain(tiny: Path, latent: Path) -> None:
    generator, condition = Generator.load(tiny, threads=1), Condition.load(latent)
    request = Request(2, 4104, seed=5)
    blocks = list(generator.chain(condition, request, interval=60.0))
    assert [b.first for b in blocks] == [256 * i for i in range(17)]
    assert blocks[1].times()[0] == "2000-01-01T04:16:00"
    whole = generator.generate(condition, 2, length=4104, seed=5).values
    np.testing.assert_array_equal(np.concatenate([b.values for b in blocks], axis=1), whole)
    alone = generator.generate(condition, 1, length=4104, seed=6).values
    np.testing.assert_array_equal(alone[0], whole[1])


def test_a_chain_can_be_stopped(tiny: Path, latent: Path) -> None:
    generator, condition = Generator.load(tiny, threads=1), Condition.load(latent)
    seen: list[tuple[int, int]] = []

    def stop(done: int, steps: int) -> bool:
        seen.append((done, steps))
        return done < 512

    with pytest.raises(CancelledError, match="after step 512 of 4104"):
        generator.generate(condition, 1, length=4104, progress=stop)
    assert seen == [(256, 4104), (512, 4104)]


def test_too_many_chains_are_refused() -> None:
    with pytest.raises(ArgumentError, match="count is 1025; it must be at most 1024"):
        Request(1025, 4104)


def test_csv_of_a_chain_grows_and_equals_the_whole(
    tiny: Path, latent: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = ["sample", "--model", str(tiny), "--cond", str(latent), "-n", "2", "--length", "5000"]
    words += ["--interval", "0.5", "--threads", "1"]
    assert main(words) == 0
    piped = capsysbinary.readouterr().out
    file = tmp_path / "long.csv"
    assert main([*words, "--out", str(file)]) == 0
    assert file.read_bytes() == piped
    lines = piped.decode().splitlines()
    assert lines[0] == "time,series_0,series_1"
    assert len(lines) == 5001
    assert lines[-1].startswith("2000-01-01T00:41:39.500,")
    generator, condition = Generator.load(tiny, threads=1), Condition.load(latent)
    series = generator.generate(condition, 2, length=5000, interval=0.5)
    assert b"".join(series.to_csv()) == piped


def test_verify_and_a_chain_exclude_one_another(
    tiny: Path, latent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sample", "--model", str(tiny), "--cond", str(latent), "--length", "5000", "--verify"]
    assert main(words) == 2
    assert "length is 5000; it must be at most 4096 with --verify" in capsys.readouterr().err
