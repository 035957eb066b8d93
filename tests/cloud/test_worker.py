"""The worker behind a real mosquitto: shared questions, acknowledged late, answered again when asked."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from geng_cog.worker.desk import Desk
from geng_cog.worker.service import Service, Settings
from geng_edge import Generator
from geng_edge.cog.client import Asker
from geng_edge.errors import BrokerError, MessageError
from geng_edge.mqtt.link import Broker, Link, Outgoing
from geng_edge.wire import codes, topics
from geng_edge.wire.condition import Accepted, Ask, Rejected, read_reply
from support.broker import Mosquitto, Worker, missing, mosquitto
from support.road import Double

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")
ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "golden" / "tiny.gguf"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("worker")) as running:
        yield running


class Running:
    """A service in a thread."""

    def __init__(self, url: str, generator: Generator, worker: str, double: Double) -> None:
        self.stop, self.double = threading.Event(), double
        self.desk = Desk(double, generator, worker)
        settings = Settings(worker, session_expiry=0, metrics_every=0.2, delivery=3.0)
        self.service = Service(Broker.parse(url), self.desk, settings)
        self.thread = threading.Thread(target=self.service.run, args=(self.stop.is_set,))

    def __enter__(self) -> Running:  # noqa: PYI034  typing.Self needs Python 3.11
        self.thread.start()
        self.service.link.ready(10.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(20)


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def process(url: str, folder: Path, worker: str, **environment: str) -> Worker:
    """A worker that can be killed."""
    arguments = ["-m", "geng_cog", "serve", "--broker", url, "--worker", worker, "--edge-model", str(TINY),
                 "--answering", "support.road:Double"]  # fmt: skip
    return Worker(arguments, folder / f"{worker}.log", environment)


def test_a_question_over_the_broker_is_answered(broker: Mosquitto, generator: Generator) -> None:
    """W-4, C-1, C-3, C-4: from ask to accepted, over MQTT 5."""
    with (
        Running(broker.url, generator, "w1", Double()) as worker,
        Asker(Broker.parse(broker.url), "pi-7") as asker,
    ):
        got = asker.ask(Ask("a garden", fingerprint=worker.desk.fingerprint), 10.0)
        assert got.worker == "w1"
        assert [c.name for c in got.answer.channels] == ["temperature", "humidity"]
        with pytest.raises(MessageError, match="the cloud rejects the task") as error:
            asker.ask(Ask("a garden", fingerprint="0" * 64), 10.0)
        assert error.value.code == codes.FOREIGN_MODEL


def test_mqtt_3_1_1_carries_the_same_messages(broker: Mosquitto, generator: Generator) -> None:
    """W-3, W-4: the payload says all that is needed."""
    old = replace(Broker.parse(broker.url), version=3)
    with Running(broker.url, generator, "w1", Double()), Asker(old, "pi-3") as asker:
        assert asker.ask(Ask("a home"), 10.0).answer.task == "a home"


def test_two_workers_share_the_questions(broker: Mosquitto, generator: Generator) -> None:
    """C-2: each question reaches one of them."""
    with (
        Running(broker.url, generator, "w1", Double()) as one,
        Running(broker.url, generator, "w2", Double()) as two,
        Asker(Broker.parse(broker.url), "pi-7") as asker,
    ):
        for i in range(20):
            asker.ask(Ask(f"task {i}"), 10.0)
        counts = [each.desk.counts["accepted"] for each in (one, two)]
        assert sum(counts) == 20
        assert min(counts) >= 5


def test_questions_that_arrive_together_share_a_batch(
    broker: Mosquitto, generator: Generator
) -> None:
    """C-2, W-5: one answer to each, however many are asked at once."""
    double = Double(seconds=0.1)
    with Running(broker.url, generator, "w1", double):
        replies: dict[str, set[str]] = {}
        with Link(Broker.parse(broker.url), client_id="many",
                  subscriptions=[topics.answer("pi-7")]) as link:  # fmt: skip
            link.ready(5.0)
            asks = [Ask(f"task {i}") for i in range(40)]
            link.publish_all([Outgoing(topics.ask("pi-7"), a.to_bytes()) for a in asks], 10.0)
            end = time.monotonic() + 20
            while len(replies) < 40 and time.monotonic() < end:
                got = link.receive(1.0)
                if got is not None:
                    reply = read_reply(got.payload)
                    assert got.correlation == reply.transaction.encode()
                    replies.setdefault(reply.transaction, set()).add(type(reply).__name__)
                    link.acknowledge(got)
        assert set(replies) == {ask.transaction for ask in asks}
        assert max(map(len, double.batches)) >= 8


def test_a_question_that_is_refused_is_told_why_where_its_asker_is_known(
    broker: Mosquitto, generator: Generator
) -> None:
    """W-7, W-8, C-3, C-8: by transaction or by correlation data, else it is counted."""
    good = Ask("a home")
    life = Ask("a home", lifetime=1.0)
    with (
        Running(broker.url, generator, "w1", Double(seconds=1.3)) as worker,
        Link(Broker.parse(broker.url), client_id="bad",
             subscriptions=[topics.answer("pi-7")]) as link,
    ):  # fmt: skip
        link.ready(5.0)
        ask, cor = topics.ask("pi-7"), b"transaction-7"
        for message, code in (
            (Outgoing(ask, b"{", correlation=cor), codes.NOT_JSON),
            (Outgoing(ask, b'{"transaction": "transaction-7"}'), codes.SCHEMA),
            (Outgoing(ask, good.to_bytes() + b" " * 40_000, correlation=cor), codes.TOO_LARGE),
            (Outgoing(ask, good.to_bytes(), response_topic="geng/v1/edge/pi-8/condition/answer"),
             codes.RESPONSE_TOPIC),
        ):  # fmt: skip
            link.publish(message, 5.0)
            got = link.receive(5.0)
            assert got is not None
            reply = read_reply(got.payload)
            assert isinstance(reply, Rejected)
            assert reply.code == code
            link.acknowledge(got)
        before = worker.service.counts["dropped"]
        link.publish(Outgoing(ask, b"{"), 5.0)
        until(lambda: worker.service.counts["dropped"] == before + 1)
        # The first takes 1.3 s; the second is of no use to its asker by then.
        link.publish(Outgoing(ask, good.to_bytes()), 5.0)
        time.sleep(0.2)
        link.publish(Outgoing(ask, life.to_bytes()), 5.0)
        told = {}
        for _ in range(2):
            got = link.receive(10.0)
            assert got is not None
            reply = read_reply(got.payload)
            told[reply.transaction] = reply
        assert isinstance(told[good.transaction], Accepted)
        late = told[life.transaction]
        assert isinstance(late, Rejected)
        assert late.code == codes.EXPIRED


def test_an_answer_that_the_broker_does_not_take_is_told_to_its_asker(
    tmp_path: Path, generator: Generator
) -> None:
    """C-4: the connection holds, and what comes after is answered."""
    with (
        mosquitto(tmp_path, "allow_anonymous true", "max_packet_size 2000") as small,
        Running(small.url, generator, "w1", Double()) as worker,
        Asker(Broker.parse(small.url), "pi-7") as asker,
    ):
        for task in ("a garden", "a home"):
            with pytest.raises(
                MessageError, match="the cloud's broker takes at most 2000"
            ) as error:
                asker.ask(Ask(task, fingerprint=worker.desk.fingerprint), 10.0)
            assert error.value.code == codes.TOO_LARGE
        assert worker.service.link.connections == 1


def test_a_worker_says_that_it_is_there_what_it_did_and_that_it_is_gone(
    broker: Mosquitto, generator: Generator
) -> None:
    """C-12: status retained, counters every few seconds."""
    with Link(Broker.parse(broker.url), client_id="watch",
              subscriptions=["geng/v1/cloud/w9/+"]) as link:  # fmt: skip
        link.ready(5.0)
        with Running(broker.url, generator, "w9", Double()) as worker:
            seen = {}
            while set(seen) != {"status", "metrics"}:
                got = link.receive(5.0)
                assert got is not None
                seen[got.topic.rpartition("/")[2]] = json.loads(got.payload)
                link.acknowledge(got)
            assert seen["status"]["state"] == "online"
            assert seen["status"]["fingerprint"] == worker.desk.fingerprint
            assert seen["metrics"]["worker"] == "w9"
        state = "online"
        while state != "offline":
            got = link.receive(5.0)
            assert got is not None
            state = json.loads(got.payload).get("state", state)


def test_what_a_killed_worker_held_is_answered_by_the_next_of_its_name(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """C-9: acknowledged when the broker has the answer, not before."""
    slow = process(broker.url, tmp_path, "w5")
    slow.arguments[-1] = "support.road:slow_double"
    with (
        slow,
        Link(Broker.parse(broker.url), client_id="patient",
             subscriptions=[topics.answer("pi-5"), topics.cloud_status("w5")]) as link,
    ):  # fmt: skip
        link.ready(5.0)

        def state() -> str | None:
            got = link.receive(0.1)
            if got is not None:
                link.acknowledge(got)
            return json.loads(got.payload).get("state") if got else None

        until(lambda: state() == "online", 30)
        ask = Ask("a home")
        link.publish(Outgoing(topics.ask("pi-5"), ask.to_bytes(), expiry=60), 5.0)
        time.sleep(1.0)  # it is at work on it now
        slow.kill()
        slow.arguments[-1] = "support.road:Double"
        slow.start()
        replies = []
        end = time.monotonic() + 30
        while not replies and time.monotonic() < end:
            got = link.receive(1.0)
            if got is not None and got.topic == topics.answer("pi-5"):
                replies.append(read_reply(got.payload))
        assert [r.transaction for r in replies] == [ask.transaction]
        assert isinstance(replies[0], Accepted)


def test_an_asker_asks_again_until_a_worker_comes(broker: Mosquitto, generator: Generator) -> None:
    """C-10: with the same transaction, and takes one answer."""
    with Asker(Broker.parse(broker.url), "pi-6") as asker:
        found: list[Accepted] = []
        ask = Ask("a home")
        thread = threading.Thread(target=lambda: found.append(asker.ask(ask, 30.0, patience=0.3)))
        thread.start()
        time.sleep(1.0)
        with Running(broker.url, generator, "w6", Double()):
            thread.join(30)
            assert [f.transaction for f in found] == [ask.transaction]
        with pytest.raises(BrokerError, match="brought no answer in time"):
            asker.ask(Ask("another"), 0.5)


def test_a_worker_that_the_broker_will_never_let_in_says_so_and_stops(
    tmp_path: Path, generator: Generator
) -> None:
    with mosquitto(tmp_path, "allow_anonymous false") as closed:
        service = Service(Broker.parse(closed.url), Desk(Double(), generator, "w"), Settings("w"))
        with pytest.raises(BrokerError, match="refuses the connection"):
            service.run(lambda: False)


def test_serve_refuses_what_it_cannot_serve(tmp_path: Path) -> None:
    for arguments, sentence in (
        ([], "neither broker nor http is named"),
        (["--broker", "http://x"], "it must be mqtt://host:1883"),
        (["--http", "nowhere"], "it must be HOST:PORT"),
        (["--http", "127.0.0.1:0", "--worker", "W"], "worker is 'W'"),
        (["--http", "127.0.0.1:0", "--batch", "0"], "batch is 0"),
        (["--http", "127.0.0.1:0", "--answering", "nothing"], "it must be MODULE:CALLABLE"),
        (["--http", "127.0.0.1:0", "--url", "http://x"], "url is for backend openai"),
    ):
        command = [sys.executable, "-m", "geng_cog", "serve", "--edge-model", str(TINY), *arguments]
        if not {"--answering", "--url"} & set(arguments):
            command += ["--answering", "support.road:Double"]
        environment = process("mqtt://127.0.0.1:1", tmp_path, "w").environment
        done = subprocess.run(command, capture_output=True, text=True, env=environment,
                              timeout=60, check=False)  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
