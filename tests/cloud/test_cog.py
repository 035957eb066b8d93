"""The embedded default answers; what it describes is what it claims."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="the cloud package needs torch")
pytest.importorskip("transformers", reason="the cloud package needs transformers")

from geng_cog.backends.embedded import FOLDER
from geng_cog.backends.protocol import Written
from geng_cog.cli.main import main
from geng_cog.cog import Cog, settled
from geng_cog.describe import describe
from geng_cog.evaluate.measure import measure
from geng_cog.evaluate.sets import draw_seeds, tasks
from geng_cog.selftrain.score import wanted
from geng_edge import Condition, Generator
from geng_edge.claims_reader import read_claims
from geng_edge.errors import ArgumentError, ModelFileError
from geng_edge.wire.answer import Answer

HOME = "temperature sensor in a family home, one week, every 10 minutes"


@pytest.fixture(scope="module")
def cog() -> Cog:
    return Cog.load()


def test_the_paper_s_example_has_a_daily_period_and_1008_steps(cog: Cog) -> None:
    answer = cog.answer([HOME])[0]
    assert (answer.span, answer.interval, answer.steps) == (604800.0, 600.0, 1008)
    claims = answer.channels[0].claims
    assert claims.quantity == "air temperature"
    assert claims.periods == (86400.0,)
    assert 5.0 < claims.low < claims.high < 35.0
    assert claims.anomalies == ()
    assert "family home" in answer.reasoning
    assert Answer.from_dict(answer.to_dict()) == answer


def test_a_batch_answers_in_order_and_alone_the_same(cog: Cog) -> None:
    asked = ["wind speed on a hilltop", HOME, "heart rate of a cyclist for one hour"]
    together = cog.answer(asked, seed=3)
    assert [a.task for a in together] == asked
    assert cog.answer([HOME], seed=3)[0].channels == together[1].channels


def test_two_quantities_are_two_channels(cog: Cog) -> None:
    answer = cog.answer(["temperature and humidity sensor in a greenhouse, 3 days"])[0]
    quantities = [c.claims.quantity for c in answer.channels]
    assert len(quantities) == 2
    assert quantities[1] == "relative humidity"


def test_trend_and_anomaly_are_as_asked(cog: Cog) -> None:
    answer = cog.answer(["CO2 in an office for 2 days, slowly rising, with a dip near the end"])[0]
    claims = answer.channels[0].claims
    assert claims.trend == "up"
    assert [(a.kind, a.position) for a in claims.anomalies] == [("dip", 0.9)]


def test_a_device_unlike_any_other_is_answered_by_analogy_and_said_to_be_unsure(cog: Cog) -> None:
    answer = cog.answer(["flux capacitor of a delorean"])[0]
    assert not answer.sure
    assert "analogy" in answer.reasoning
    assert cog.answer([HOME])[0].sure


def test_words_that_name_nothing_known_are_never_sure(cog: Cog) -> None:
    asked = ["xyzzy frobnicator in the void", "tempreture sensr in a grenhouse"]
    assert [a.sure for a in cog.answer(asked)] == [False, False]


def test_limits_that_a_task_states_are_followed(cog: Cog) -> None:
    celsius, fahrenheit, both, many = cog.answer(
        [
            "temperature between 15 and 25 degC in an office for a week",
            "temperature from 59 to 77 degF in an office for a week",
            "temperature (15-25 degC) and humidity (40-60 %) in an office",
            "temperature, humidity, CO2, light and noise in a classroom",
        ]
    )
    for answer in (celsius, fahrenheit):
        claims = answer.channels[0].claims
        assert (claims.low, claims.high, claims.unit) == (15.0, 25.0, "degC")
        assert answer.sure
        assert "15 to 25 degC" in answer.channels[0].description
    assert [(c.claims.low, c.claims.high) for c in both.channels] == [(15.0, 25.0), (40.0, 60.0)]
    assert [c.claims.quantity for c in many.channels][3:] == ["illuminance", "sound level"]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("humidity between 40 and 140 % in an office",
         "Not followed: between 40 and 140 %; relative humidity is given in %, 0 to 100."),
        ("temperature sensor in a family home in \N{DEGREE SIGN}F",
         "Not followed: values in \N{DEGREE SIGN}F; air temperature is given in degC, -60 to 70."),
        ("heart rate and frobnication of a cyclist", "Not given: frobnication."),
    ],
)  # fmt: skip
def test_what_is_not_followed_is_said_and_not_sure(cog: Cog, task: str, said: str) -> None:
    answer = cog.answer([task])[0]
    assert not answer.sure
    assert answer.reasoning.endswith(said)


def test_every_answer_of_the_tuning_set_parses_and_is_possible(cog: Cog) -> None:
    found = measure(cog.backend, tasks("tuning")[::4])
    assert found["parsed"] == 1.0
    assert found["possible"] == 1.0
    assert found["right"]["all"] > 0.7


def test_the_device_reads_in_the_descriptions_what_is_claimed() -> None:
    generator = Generator.load(threads=1)
    held = total = 0
    for pair in draw_seeds()[::40]:
        statement = pair.statement
        claims = statement.channels[0]
        condition = Condition.from_text(describe(claims), statement.interval, generator)
        read = read_claims(generator, condition, 512, statement.interval)
        asked = wanted(claims, statement.interval)
        held += read.trend == asked.trend
        held += (read.low, read.high) == pytest.approx((asked.low, asked.high), rel=0.01, abs=1e-6)
        held += (read.events == ()) == (asked.events == ())
        total += 3
        if asked.periods:
            held += bool(read.periods) and read.periods[0] == pytest.approx(
                asked.periods[0], rel=0.01
            )
            total += 1
    assert held / total > 0.97


@pytest.mark.parametrize(
    ("task", "begins", "told"),
    [
        ("pH of a pool", "PH value of a pool.", "pH value of a pool."),
        ("pH of a pool", "Dough temperature of a pool.", "pH value of a pool."),
        ("dough temperature", "Dough temperature. It", "Dough temperature. It"),
        ("pH of a pool", "Sunny weather of a pool.", "Sunny weather of a pool."),
    ],
)
def test_reasoning_names_what_the_task_or_the_claims_know(
    task: str, begins: str, told: str
) -> None:
    text = (
        f"{begins} It drifts.\nspan 1 day, every 10 min\n# pH value [pH]\nvalues 7 .. 7.5\n"
        "period none\nwave none\ntrend none\nnoise low\nanomaly none\nend"
    )
    assert settled(task, Written(text)).reasoning.startswith(told)


def test_an_impossible_statement_of_any_backend_is_refused() -> None:
    text = (
        "Hot.\nspan 1 day, every 10 min\n# relative humidity [%]\nvalues 40 .. 140\nperiod none\n"
        "wave none\ntrend none\nnoise low\nanomaly none\nend"
    )
    with pytest.raises(ArgumentError, match="it must stay within 0 to 100"):
        settled("humidity", Written(text))


def test_the_model_file_is_small_and_a_broken_one_is_refused(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    assert (FOLDER / "cog.safetensors").stat().st_size <= 2_900_000
    (folder / "tokenizer.json").write_bytes((FOLDER / "tokenizer.json").read_bytes())
    with pytest.raises(ModelFileError, match="it must be a model of geng-cog"):
        Cog.load(folder=folder)
    (folder / "cog.safetensors").write_bytes((FOLDER / "cog.safetensors").read_bytes()[:5000])
    with pytest.raises(ModelFileError, match="it must be a model of geng-cog"):
        Cog.load(folder=folder)


def test_unknown_backends_and_settings_are_refused() -> None:
    with pytest.raises(ArgumentError, match="backend is 'abacus'; it must be one of embedded"):
        Cog.load("abacus")


def test_ask_prints_json_and_refuses_in_one_sentence(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main(["ask", HOME, "--json"]) == 0
    entry = json.loads(capfdbinary.readouterr().out)
    assert Answer.from_dict(entry).steps == 1008
    assert main(["ask", "temperature for one hour, every 30 minutes"]) == 2
    assert b"it must be 8 to" in capfdbinary.readouterr().err
    assert main(["ask", HOME, "--url", "http://localhost"]) == 2
