"""fetch and generate: a task becomes a latent and series, with the cloud there and with the cloud gone."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.cli.main import main
from geng_edge.cog.client import Asker, fetch
from geng_edge.cog.kept import Answers
from geng_edge.errors import ArgumentError, BrokerError, MessageError
from geng_edge.mqtt.link import Broker, Link, Outgoing
from geng_edge.wire import codes, topics
from geng_edge.wire.answer import Answer
from geng_edge.wire.condition import Accepted, Ask, Rejected, Reply
from geng_edge.wire.fingerprint import fingerprint
from support.broker import Mosquitto, missing, mosquitto
from support.ports import free_port
from support.road import DAY, FINGERPRINT, accepted, answer, weather

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("fetch")) as running:
        yield running


class Cloud:
    """Answers every question of a broker by a function: what a hostile or a good worker would."""

    def __init__(self, url: str, reply: Callable[[Ask], Reply | bytes | None]) -> None:
        self.reply, self.asked = reply, 0
        self.stop = threading.Event()
        self.link = Link(Broker.parse(url), client_id="cloud", subscriptions=[topics.all_asks()])
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> Cloud:  # noqa: PYI034  typing.Self needs Python 3.11
        self.link.__enter__()
        self.link.ready(5.0)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(10)
        self.link.close()

    def run(self) -> None:
        while not self.stop.is_set():
            incoming = self.link.receive(0.1)
            if incoming is None:
                continue
            self.asked += 1
            reply = self.reply(Ask.from_bytes(incoming.payload))
            gateway = topics.asker(incoming.topic)
            assert gateway is not None
            if reply is not None:
                payload = reply if isinstance(reply, bytes) else reply.to_bytes()
                message = Outgoing(
                    topics.answer(gateway), payload, correlation=incoming.correlation
                )
                self.link.publish(message, 5.0)
            self.link.acknowledge(incoming)


def worker_for(
    generator: Generator, make: Callable[[str], Answer] = answer
) -> Callable[[Ask], Reply]:
    def reply(ask: Ask) -> Reply:
        said = make(ask.task)
        made = tuple(Condition.from_text(c.description, said.interval, generator)
                     for c in said.channels)  # fmt: skip
        return Accepted(ask.transaction, said, made, fingerprint(generator), "w")

    return reply


def home(url: str, **settings: object) -> object:
    settings = {"fingerprint": FINGERPRINT, "gateway": "pi-7", "deadline": 5.0, **settings}
    return fetch("a home", broker=Broker.parse(url), **settings)  # type: ignore[arg-type]


def gone() -> str:
    return f"mqtt://127.0.0.1:{free_port()}"


def run(*arguments: str) -> int:
    return main([str(a) for a in arguments])


def test_a_task_is_fetched_kept_and_served_when_the_cloud_is_gone(
    broker: Mosquitto, tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, again = tmp_path / "latent.npy", tmp_path / "again.npy"
    common = ["fetch", "a home", "--model", str(tiny), "--gateway", "pi-7"]
    with Cloud(broker.url, worker_for(Generator.load(tiny, threads=1))):
        assert run(*common, "--broker", broker.url, "--out", str(out),
                   "--answer", str(tmp_path / "answer.json")) == 0  # fmt: skip
    said = capfd.readouterr().err
    assert "because: People heat by day" in said
    assert "sample it with --interval 600 --length 1008" in said
    kept = Answer.from_dict(json.loads((tmp_path / "answer.json").read_text()))
    assert kept.channels[0].claims.periods == (DAY,)
    began = time.monotonic()
    assert run(*common, "--broker", gone(), "--out", str(again)) == 0
    assert time.monotonic() - began < 10
    said = capfd.readouterr().err
    assert "the cloud is gone (broker 127.0.0.1" in said
    assert "taking the answer of" in said
    assert out.read_bytes() == again.read_bytes()
    assert run(*common, "--offline", "--out", str(again)) == 0
    assert "no broker is asked; taking the answer of" in capfd.readouterr().err
    # The latent is what sample takes.
    assert run("sample", "--cond", str(out), "--model", str(tiny), "-n", "1", "--interval", "600",
               "--length", "1008", "--out", str(tmp_path / "s.npy")) == 0  # fmt: skip
    assert run(*common[:1], "a barn", *common[2:], "--broker", gone(), "--deadline", "1",
               "--out", str(again)) == 5  # fmt: skip
    assert "cannot be reached" in capfd.readouterr().err


def test_several_channels_are_a_latent_each(broker: Mosquitto, tiny: Path, tmp_path: Path) -> None:
    with Cloud(broker.url, worker_for(Generator.load(tiny, threads=1), weather)):
        assert run("fetch", "a garden", "--model", str(tiny), "--gateway", "pi-7",
                   "--broker", broker.url, "--out", str(tmp_path / "l.npy")) == 0  # fmt: skip
    assert sorted(p.name for p in tmp_path.glob("*.npy")) == ["l-humidity.npy", "l-temperature.npy"]


def test_generate_draws_the_span_of_the_answer_in_its_units_on_its_time_axis(
    broker: Mosquitto, tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "week.csv"
    generator = Generator.load(tiny, threads=1)
    common = ["--model", str(tiny), "--gateway", "pi-7", "--broker", broker.url, "-n", "2"]
    with Cloud(broker.url, worker_for(generator)):
        assert run("generate", "a home", *common, "--start", "2026-01-05T00:00:00",
                   "--out", str(out)) == 0  # fmt: skip
    assert "drawing 2 series of 1008 steps, one every 600 s" in capfd.readouterr().err
    rows = list(csv.reader(out.read_text().splitlines()))
    assert rows[0] == ["time", "temperature_0 [degC]", "temperature_1 [degC]"]
    assert len(rows) == 1009
    times = [dt.datetime.fromisoformat(row[0]) for row in rows[1:]]
    assert (times[0], times[-1]) == (
        dt.datetime(2026, 1, 5), dt.datetime(2026, 1, 11, 23, 50))  # fmt: skip
    short = lambda task: answer(task, span=30 * 600.0)  # noqa: E731
    with Cloud(broker.url, worker_for(generator, short)):
        assert run("generate", "an hour", *common, "--out", str(out)) == 0
    assert len(out.read_text().splitlines()) == 31
    long = lambda task: answer(task, span=5000 * 600.0)  # noqa: E731
    with Cloud(broker.url, worker_for(generator, long)):
        assert run("generate", "five weeks", *common, "--out", str(out)) == 0
    assert len(out.read_text().splitlines()) == 5001


def test_generate_draws_several_channels_together_and_long_ones_apart(
    broker: Mosquitto, tiny: Path, tmp_path: Path
) -> None:
    generator = Generator.load(tiny, threads=1)
    common = ["--model", str(tiny), "--gateway", "pi-7", "--broker", broker.url, "-n", "1"]
    for steps in (64, 4160):
        out = tmp_path / f"{steps}.csv"

        def make(task: str, steps: int = steps) -> Answer:
            return answer(task, span=steps * 600.0, channels=weather().channels)

        with Cloud(broker.url, worker_for(generator, make)):
            assert run("generate", f"{steps}", *common, "--out", str(out)) == 0
        rows = out.read_text().splitlines()
        assert rows[0] == "time,temperature_0 [degC],humidity_0 [%]"
        assert len(rows) == steps + 1


def test_generate_without_any_cloud_reads_the_description_here(
    tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.csv"
    text = "A daily cycle between 18 and 23 degC"
    assert run("generate", "a home", "--describe-locally", text, "--interval", "1800", "--length",
               "96", "--unit", "degC", "-n", "1", "--model", str(tiny), "--out", str(out)) == 0  # fmt: skip
    assert out.read_text().startswith("time,series_0 [degC]\n")
    assert len(out.read_text().splitlines()) == 97
    for wrong, sentence in (
        (["--interval", "60"], "interval is given; it comes from the answer"),
        (["--describe-locally", ""], "text is empty"),
        (["--deadline", "0"], "deadline is 0.0"),
        (["--answer-seed", "-1"], "seed is -1"),
        (["--count", "0"], "count is 0"),
        (["--start", "noon"], "start is 'noon'"),
        (["--gateway", "Pi"], "gateway is 'Pi'"),
    ):
        assert run("generate", "a home", *wrong, "--model", str(tiny)) == 2
        assert sentence in capfd.readouterr().err
    assert run("generate", "a home", "--offline", "--model", str(tiny)) == 5
    assert "no answer to this task is kept" in capfd.readouterr().err


def test_an_answer_for_another_model_is_refused_and_not_kept(broker: Mosquitto) -> None:
    """C-7: by the gateway."""
    with Cloud(broker.url, lambda ask: accepted(answer(ask.task), ask.transaction)):
        with pytest.raises(MessageError, match="which the model at hand was trained on") as error:
            home(broker.url, fingerprint="0" * 64)
        assert error.value.code == codes.FOREIGN_MODEL
    with pytest.raises(BrokerError):
        fetch("a home", fingerprint="0" * 64, gateway="pi-7", broker=None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (lambda _: b"\x80\x04\x95.", codes.NOT_JSON),
        (lambda _: b"{}", codes.SCHEMA),
        (lambda _: b"x" * (8 * 2**20 + 1), codes.TOO_LARGE),
        (lambda ask: accepted(answer("another task"), ask.transaction), codes.SCHEMA),
        (lambda ask: Rejected(ask.transaction, codes.UNANSWERABLE, "no"), codes.UNANSWERABLE),
    ],
)
def test_an_answer_that_breaks_a_rule_is_refused_with_its_code(
    broker: Mosquitto, payload: Callable[[Ask], Reply | bytes], code: str
) -> None:
    """W-5, W-8, W-9: before any of it is used."""
    with Cloud(broker.url, payload), pytest.raises(MessageError) as error:
        home(broker.url)
    assert error.value.code == code


def test_a_busy_cloud_is_asked_again_and_answers_that_come_twice_count_once(
    broker: Mosquitto,
) -> None:
    """W-5, C-10: one answer to a transaction."""
    asked = 0

    def reply(ask: Ask) -> Reply:
        nonlocal asked
        asked += 1
        if asked == 1:
            return Rejected(ask.transaction, codes.BUSY, "later")
        return accepted(answer(ask.task), ask.transaction)

    with Cloud(broker.url, reply) as cloud, Asker(Broker.parse(broker.url), "pi-7") as asker:
        first = asker.ask(Ask("a"), 10.0)
        twice = Outgoing(topics.answer("pi-7"), first.to_bytes())
        cloud.link.publish_all([twice, twice], 5.0)
        assert asker.ask(Ask("b"), 10.0).answer.task == "b"
        assert asker.dropped >= 2
        assert asked == 3


def test_a_broker_that_dies_while_we_wait_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """C-10: the question is asked again over the next connection."""
    with mosquitto(tmp_path) as dying, Asker(Broker.parse(dying.url), "pi-7") as asker:
        asker.link._longest_delay = 0.2
        found: list[Accepted] = []
        thread = threading.Thread(target=lambda: found.append(asker.ask(Ask("a"), 30.0)))
        thread.start()
        time.sleep(0.5)
        dying.kill()
        dying.start()
        with Cloud(dying.url, lambda ask: accepted(answer(ask.task), ask.transaction)):
            thread.join(30)
        assert len(found) == 1


def test_kept_answers_are_bounded_whole_and_checked(tmp_path: Path) -> None:
    size = len(accepted().to_bytes())
    answers = Answers(tmp_path / "answers", most=4 * size + 500)
    for i in range(6):
        answers.keep(accepted(answer(f"task {i}")), seed=0)
        if i >= 2:
            assert answers.recall("task 0", FINGERPRINT, 0) is not None  # what is used stays
        time.sleep(0.02)
    files = list((tmp_path / "answers").iterdir())
    assert sum(f.stat().st_size for f in files) <= 4 * size + 500
    assert answers.recall("task 0", FINGERPRINT, 0) is not None
    assert answers.recall("task 1", FINGERPRINT, 0) is None
    for task, print_, seed in (("task 9", FINGERPRINT, 0), ("task 0", "0" * 64, 0),
                               ("task 0", FINGERPRINT, 1)):  # fmt: skip
        assert answers.recall(task, print_, seed) is None
    for content in (b"", b"{", b"\x80\x04.", accepted(answer("another")).to_bytes()):
        for file in files:
            if file.exists():
                file.write_bytes(content)
        assert answers.recall("task 0", FINGERPRINT, 0) is None
    nowhere = Answers(None)
    nowhere.keep(accepted(), 0)
    assert nowhere.recall(answer().task, FINGERPRINT, 0) is None
    (tmp_path / "file").write_text("")
    Answers(tmp_path / "file").keep(accepted(), 0)


def test_fetch_refuses_what_cannot_be_asked() -> None:
    for wrong in ({"task": ""}, {"task": "x" * 2001}, {"gateway": "a/b"}, {"deadline": 0.0}):
        settings = {"task": "a", "gateway": "pi-7", "deadline": 1.0, **wrong}
        with pytest.raises(ArgumentError):
            fetch(fingerprint=FINGERPRINT, broker=None, **settings)  # type: ignore[arg-type]


def test_fetch_without_paho_says_what_to_install(tiny: Path, tmp_path: Path) -> None:
    code = "import sys\nsys.modules['paho'] = None\nfrom geng_edge.cli.main import main\n"
    command = ["fetch", "a home", "--model", str(tiny), "--broker", "mqtt://127.0.0.1:1",
               "--gateway", "pi-7", "--out", str(tmp_path / "l.npy")]  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code + f"sys.exit(main({command!r}))"],
                          capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'geng-edge[mqtt]'" in done.stderr


def test_the_bundled_model_keeps_a_daily_period_over_a_week_of_ten_minutes(
    broker: Mosquitto, tmp_path: Path
) -> None:
    try:
        generator = Generator.load(threads=1)
    except Exception as error:  # noqa: BLE001  a build without a model
        pytest.skip(str(error))
    out = tmp_path / "week.npy"
    with Cloud(broker.url, worker_for(generator)):
        assert run("generate", "a home", "--gateway", "pi-7", "--broker", broker.url, "-n", "8",
                   "--out", str(out)) == 0  # fmt: skip
    values = np.load(out, allow_pickle=False)
    assert values.shape == (8, 1008)
    for row in values:
        spectrum = np.abs(np.fft.rfft(row - row.mean()))
        assert spectrum[1:].argmax() + 1 == 7, "seven days, seven cycles"
        assert 17.5 <= row.min() < 19.0
        assert 22.0 < row.max() <= 23.5
