"""What several writings of one task agree on."""

from __future__ import annotations

from dataclasses import replace

from geng_cog.agreement import agreed
from geng_cog.backends.embedded import EmbeddedBackend
from geng_cog.stated import read_stated
from geng_cog.statement import Statement, parse

TASK = "temperature sensor in a family home, one week, every 10 minutes"


def statement(low: float, high: float, period: str = "1 day", wave: str = "sine") -> Statement:
    return parse(
        "People warm it.\nspan 1 week, every 10 min\n# air temperature [degC]\n"
        f"values {low} .. {high}\nperiod {period}\nwave {wave}\ntrend none\nnoise low\nanomaly none"
    )


def test_limits_are_medians_and_words_the_majority() -> None:
    written = [
        statement(10, 30, "12 h", "square"), statement(18, 22), statement(19, 23),
        statement(18.5, 22.5), statement(17, 21.5),
    ]  # fmt: skip
    number, found = agreed(written)
    (claims,) = found.channels
    assert number == 1
    assert (claims.low, claims.high) == (18, 22.5)
    assert (claims.periods, claims.wave) == ((86400.0,), "sine")


def test_the_channels_of_the_majority_are_taken() -> None:
    odd = statement(18, 22)
    (claims,) = odd.channels
    odd = replace(odd, channels=(replace(claims, quantity="relative humidity", unit="%"),))
    number, found = agreed([odd, statement(18, 22), statement(19, 23)])
    assert number == 1
    assert found.channels[0].quantity == "air temperature"


def test_times_are_of_the_writing_that_most_others_back() -> None:
    brief = replace(statement(18, 22, "1 h"), span=43200.0)
    number, found = agreed([brief, statement(18, 22), replace(statement(18, 22), interval=60.0)])
    assert number == 1
    assert (found.span, found.interval) == (604800.0, 600.0)
    assert found.channels[0].periods == (86400.0,)


def test_what_would_be_doubtful_stays_as_it_was_written() -> None:
    _, found = agreed([statement(10, 20.1), statement(20, 30), statement(20, 20.1)])
    assert (found.channels[0].low, found.channels[0].high) == (10, 20.1)


def test_an_answer_does_not_depend_on_the_tasks_beside_it() -> None:
    backend = EmbeddedBackend(votes=2)
    alone = backend.write([TASK], [read_stated(TASK)], 0, 0.0)[0].text
    other = "CO2 in an office for two days"
    beside = backend.write([other, TASK], [read_stated(other), read_stated(TASK)], 0, 0.0)[1].text
    assert beside == alone
