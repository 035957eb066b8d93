"""The link against a real mosquitto: messages, sessions, and a broker that dies."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import final

import pytest

from geng_edge.errors import ArgumentError, BrokerError
from geng_edge.mqtt.link import Broker, Link, Outgoing
from support.broker import (
    Mosquitto,
    missing,
    mosquitto,
)
from support.links import link_to, until
from support.ports import free_port

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")

# paho leaves the socket of a failed handshake to the garbage collector.
leaves_sockets = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
ACL = Path(__file__).parents[2] / "examples" / "mosquitto" / "acl"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("plain")) as broker:
        yield broker


@pytest.mark.parametrize("version", [5, 3])
def test_a_message_goes_there_and_comes_back(plain: Mosquitto, version: int) -> None:
    broker = replace(Broker.parse(plain.url), version=version)
    message = Outgoing("test/there/a", b"\x00payload", response_topic="test/there/b",
        correlation=b"\x01\x02", expiry=30, content_type="application/json",
        user=(("code", "argument"),))  # fmt: skip
    with link_to("", f"there{version}", broker=broker, subscriptions=["test/there/#"]) as link:
        link.publish(message, 5.0)
        got = link.receive(5.0)
        assert got is not None
        assert (got.topic, got.payload, got.size) == (message.topic, message.payload, 8)
        if version == 5:
            assert (got.response_topic, got.correlation) == ("test/there/b", b"\x01\x02")
            assert (got.content_type, got.user) == ("application/json", message.user)
            assert got.expiry is not None
            assert 0 < got.expiry <= 30
        link.acknowledge(got)
        assert link.receive(0.1) is None
        assert link.alive()
        assert link.connected


def test_what_is_not_acknowledged_comes_again_and_a_late_acknowledgement_harms_nothing(
    plain: Mosquitto,
) -> None:
    settings = {"session_expiry": 60, "subscriptions": ["test/again"]}
    with link_to(plain.url, "again", **settings) as link:
        for i in range(3):
            link.publish(Outgoing("test/again", b"%d" % i), 5.0)
        first = [link.receive(5.0) for _ in range(3)]
        assert first[0] is not None
        link.acknowledge(first[0])
        time.sleep(0.3)
        break_off(link)
        until(lambda: link.connected and link.connections == 2)
        # The numbers of these mean other messages by now.
        for old in first:
            assert old is not None
            link.acknowledge(old)
        again = [link.receive(5.0) for _ in range(2)]
        assert [m.payload for m in again if m is not None] == [b"1", b"2"]
        assert all(m is not None and m.duplicate for m in again)
        for message in again:
            assert message is not None
            link.acknowledge(message)
        time.sleep(0.3)
        break_off(link)
        until(lambda: link.connected and link.connections == 3)
        assert link.receive(0.3) is None


def break_off(link: Link) -> None:
    """Cut the connection under the link."""
    connection = link._connection
    assert connection is not None
    connection._client.socket().shutdown(socket.SHUT_RDWR)
    until(lambda: not connection.stands)


def test_a_link_comes_back_when_the_broker_was_killed(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, link_to(broker.url) as link:
        link.ready(5.0)
        for turn in range(3):
            broker.kill()
            until(lambda: not link.connected)
            with pytest.raises(BrokerError):
                link.publish(Outgoing("test/pi-7/x", b""), 0.3)
            assert link.alive()
            broker.start()
            link.publish(Outgoing("test/pi-7/x", b"%d" % turn), 10.0)
            got = link.receive(5.0)
            assert got is not None
            assert got.payload == b"%d" % turn
            link.acknowledge(got)


def test_will_and_birth_are_published_and_closing_says_goodbye(plain: Mosquitto) -> None:
    status = "test/mortal/status"
    settings = {
        "subscriptions": [],
        "will": Outgoing(status, b"offline", retain=True),
        "birth": Outgoing(status, b"online", retain=True),
    }
    with link_to(plain.url, "watcher", subscriptions=[status]) as watcher:
        watcher.ready(5.0)

        def heard() -> bytes | None:
            got = watcher.receive(5.0)
            if got is not None:
                watcher.acknowledge(got)
            return got.payload if got else None

        with link_to(plain.url, "mortal", **settings) as link:
            assert heard() == b"online"
            break_off(link)
            assert heard() == b"offline"
            assert heard() == b"online"
        assert heard() == b"offline"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_network_thread_is_noticed_and_replaced(plain: Mosquitto) -> None:
    with link_to(plain.url) as link:
        link.ready(5.0)
        assert link._connection is not None
        thread = link._connection._thread
        assert thread is not None
        assert thread.ident is not None
        set_error = ctypes.pythonapi.PyThreadState_SetAsyncExc
        set_error(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        until(lambda: not thread.is_alive())
        until(lambda: link.connected and link.connections == 2)
        link.publish(Outgoing("test/pi-7/x", b""), 5.0)
        assert link.receive(5.0) is not None


def test_a_link_that_another_of_its_name_threw_out_says_so_and_stays_away(
    plain: Mosquitto,
) -> None:
    with Proxy(plain.port) as proxy, link_to(f"mqtt://127.0.0.1:{proxy.port}", "twin") as link:
        link.ready(5.0)
        proxy.open[0].sendall(bytes([0xE0, 2, 0x8E, 0]))  # DISCONNECT, session taken over
        until(lambda: not link.alive())
        with pytest.raises(BrokerError, match="each must have a name of its own"):
            link.publish(Outgoing("test/twin/x", b""), 5.0)
        assert link.connections == 1


def test_a_broker_without_mqtt_5_is_spoken_to_in_3_1_1(plain: Mosquitto) -> None:
    with Proxy(plain.port, old=True) as old, link_to(f"mqtt://127.0.0.1:{old.port}", "old") as link:
        link.publish(Outgoing("test/old/x", b"1", expiry=5, response_topic="a"), 10.0)
        got = link.receive(5.0)
        assert got is not None
        assert (got.payload, got.response_topic) == (b"1", None)
        assert old.refused == 1


@final
class Proxy:
    """Stands before a broker; an old one refuses MQTT 5 in the words of 3.1.1."""

    def __init__(self, behind: int, *, old: bool = False) -> None:
        self.behind, self.old, self.refused = behind, old, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.open: list[socket.socket] = []

    def __enter__(self) -> Proxy:
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.open:
            each.close()
        self.thread.join(5)

    def serve(self) -> None:
        while True:
            try:
                inner, _ = self.listener.accept()
            except OSError:
                return
            first = inner.recv(65536)
            if self.old and b"\x00\x04MQTT\x05" in first:
                self.refused += 1
                inner.sendall(bytes([0x20, 2, 0, 1]))
                inner.close()
                continue
            outer = socket.create_connection(("127.0.0.1", self.behind))
            outer.sendall(first)
            self.open += [inner, outer]
            for source, target in ((inner, outer), (outer, inner)):
                threading.Thread(target=pump, args=(source, target), daemon=True).start()


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_nothing_waits_past_its_deadline_where_the_broker_hangs(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, link_to(broker.url, timeout=0.5) as link:
        link.ready(5.0)
        assert broker.process is not None
        os.kill(broker.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(BrokerError, match="did not take a message on test/pi-7/x in time"):
                link.publish(Outgoing("test/pi-7/x", b""), 0.5)
            assert link.receive(0.2) is None
            link.close()
            assert time.monotonic() - began < 6
        finally:
            os.kill(broker.process.pid, signal.SIGCONT)


def test_a_broker_that_is_not_there_costs_the_deadline_and_says_why() -> None:
    with link_to(f"mqtt://127.0.0.1:{free_port()}") as link:
        began = time.monotonic()
        with pytest.raises(BrokerError, match="Connection refused; it must accept a connection"):
            link.publish(Outgoing("test/pi-7/x", b""), 0.5)
        assert time.monotonic() - began < 2
        assert not link.connected
        assert link.problem is not None


def test_a_payload_over_the_limit_arrives_as_its_size_alone(plain: Mosquitto) -> None:
    broker = replace(Broker.parse(plain.url), version=3)
    settings = {"most_payload": 1000, "subscriptions": ["test/big"]}
    with link_to("", "big", broker=broker, **settings) as link:
        link.ready(5.0)
        link.publish(Outgoing("test/big", b"x" * 10_000_000), 10.0)
        got = link.receive(10.0)
        assert got is not None
        assert (got.payload, got.size) == (b"", 10_000_000)


def test_a_full_inbox_loses_nothing_of_qos_1(plain: Mosquitto) -> None:
    for version in (5, 3):
        broker = replace(Broker.parse(plain.url), version=version)
        settings = {"inbox": 4, "session_expiry": 60, "subscriptions": [f"test/full{version}"]}
        with (
            link_to("", f"full{version}", broker=broker, **settings) as link,
            link_to(plain.url, "sender", subscriptions=[]) as sender,
        ):
            link.ready(5.0)
            sender.publish_all(
                [Outgoing(f"test/full{version}", b"%d" % i) for i in range(30)], 10.0
            )
            seen: set[bytes] = set()
            end = time.monotonic() + 20
            while len(seen) < 30 and time.monotonic() < end:
                got = link.receive(1.0)
                if got is not None:
                    seen.add(got.payload)
                    link.acknowledge(got)
            assert len(seen) == 30


def test_a_closed_link_frees_its_sockets_without_the_garbage_collector(plain: Mosquitto) -> None:
    gc.disable()
    try:
        with link_to(plain.url, "freed") as link:
            link.ready(5.0)
            assert link._connection is not None
            client = weakref.ref(link._connection._client)
        until(lambda: client() is None, 5.0)
    finally:
        gc.enable()


def test_a_message_over_the_brokers_limit_is_refused_and_the_connection_stays(
    tmp_path: Path,
) -> None:
    with (
        mosquitto(tmp_path, "allow_anonymous true", "max_packet_size 5000") as broker,
        link_to(broker.url) as link,
    ):
        small, large = Outgoing("test/pi-7/x", b"small"), Outgoing("test/pi-7/x", bytes(5000))
        with pytest.raises(
            BrokerError, match=r"is 50\d\d bytes; broker .* takes at most 5000"
        ) as no:
            link.publish_all([small, large], 5.0)
        assert (no.value.facts["most"], no.value.facts["final"]) == (5000, True)
        assert link.receive(0.3) is None, "nothing is sent"
        link.publish_all([small, replace(large, payload=bytes(4970))], 5.0)
        assert link.connections == 1


@pytest.mark.parametrize(("version", "why"), [(5, "the broker says Protocol error"), (3, "")])
def test_a_message_that_breaks_the_connection_is_told_from_one_that_waits(
    plain: Mosquitto, version: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = replace(Broker.parse(plain.url), version=version)
    poison = Outgoing("test/poison" + "/" * 210)
    with link_to("", f"poison{version}", broker=broker, subscriptions=[]) as link:
        with pytest.raises(BrokerError, match=f"is lost.*{why}; it must take") as lost:
            link.publish(poison, 5.0, again=False)
        assert lost.value.facts["lost"]
        with pytest.raises(BrokerError):
            link.publish(poison, 1.0)
        assert link.connections > 2
        link.publish(Outgoing("test/poison"), 5.0)
    assert ("another client" in caplog.text) == (not why)


def test_wildcards_and_unknown_qualities_of_service_are_refused(plain: Mosquitto) -> None:
    link = link_to(plain.url)
    for message in (Outgoing("a/+"), Outgoing("a/#"), Outgoing(""), Outgoing("a", qos=2)):
        with pytest.raises(ArgumentError):
            link.publish(message, 1.0)
    with pytest.raises(ArgumentError, match="inbox is 0"):
        link_to(plain.url, inbox=0)
