"""Who gets in: TLS, mutual TLS, passwords and access rules of a real mosquitto, and what names a broker."""

from __future__ import annotations

import gc
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from geng_edge.errors import ArgumentError, BrokerError
from geng_edge.mqtt.link import Broker, Outgoing
from support.broker import (
    SEARCHED,
    Certificates,
    make_certificates,
    missing,
    mosquitto,
)
from support.links import link_to

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")

# paho leaves the socket of a failed handshake to the garbage collector.
leaves_sockets = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
EXAMPLE = Path(__file__).parents[2] / "examples" / "mosquitto"
ACL = EXAMPLE / "acl"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def passwords(folder: Path, **users: str) -> Path:
    """A password file of mosquitto's own making."""
    program = shutil.which("mosquitto_passwd", path=SEARCHED)
    if program is None:
        pytest.skip("mosquitto_passwd is not installed")
    path = folder / "passwords"
    path.write_text("".join(f"{name}:{word}\n" for name, word in users.items()))
    subprocess.run([program, "-U", str(path)], check=True, capture_output=True)
    return path


@leaves_sockets
def test_tls_trusts_the_authority_it_is_given_and_no_other(
    tmp_path: Path, certificates: Certificates
) -> None:
    c = certificates
    lines = ("allow_anonymous true", f"certfile {c.server_cert}", f"keyfile {c.server_key}")
    with mosquitto(tmp_path, *lines) as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        with link_to("", broker=Broker.parse(url, cafile=c.ca)) as link:
            link.publish(Outgoing("test/pi-7/x", b"1"), 5.0)
            got = link.receive(5.0)
            assert got is not None
            assert got.payload == b"1"
        for cafile in (c.stranger_ca, None):
            with link_to("", broker=Broker.parse(url, cafile=cafile)) as link:
                began = time.monotonic()
                with pytest.raises(BrokerError, match="cannot be reached: .*certificate"):
                    link.publish(Outgoing("test/pi-7/x", b"1"), 20.0)
                assert time.monotonic() - began < 5, "an unknown certificate is final"
    gc.collect()


@leaves_sockets
def test_mutual_tls_names_the_gateway_by_its_certificate(
    tmp_path: Path, certificates: Certificates
) -> None:
    c = certificates
    lines = (
        "allow_anonymous false",
        "require_certificate true",
        "use_identity_as_username true",
        f"cafile {c.ca}",
        f"certfile {c.server_cert}",
        f"keyfile {c.server_key}",
        f"acl_file {ACL}",
    )
    with mosquitto(tmp_path, *lines) as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        own = Broker.parse(url, cafile=c.ca, cert=c.client_cert, key=c.client_key)
        with link_to("", broker=own, subscriptions=["geng/v1/edge/pi-7/#"]) as link:
            link.publish(Outgoing("geng/v1/edge/pi-7/hello", b"mine"), 5.0)
            got = link.receive(5.0)
            assert got is not None
            assert got.payload == b"mine"
            with pytest.raises(BrokerError, match="pi-8/hello: Not authorized"):
                link.publish(Outgoing("geng/v1/edge/pi-8/hello", b"not mine"), 5.0)
        with (
            link_to("", broker=Broker.parse(url, cafile=c.ca)) as link,
            pytest.raises(BrokerError),
        ):
            link.ready(2.0)
    gc.collect()


def test_a_wrong_password_is_said_at_once_and_not_tried_for_ever(tmp_path: Path) -> None:
    file = passwords(tmp_path, **{"pi-7": "right"})
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {file}") as broker:
        for word, right in (("wrong", False), ("right", True)):
            kept = tmp_path / "password"
            kept.write_text(word + "\n")
            known = Broker.parse(broker.url, username="pi-7", password_file=kept)
            assert word not in repr(known)
            with link_to("", broker=known) as link:
                if right:
                    link.publish(Outgoing("test/pi-7/x", b""), 5.0)
                    continue
                began = time.monotonic()
                with pytest.raises(BrokerError, match="refuses the connection: Not authorized"):
                    link.publish(Outgoing("test/pi-7/x", b""), 20.0)
                assert time.monotonic() - began < 5


def test_the_acl_example_lets_a_gateway_touch_only_its_own_topics(tmp_path: Path) -> None:
    file = passwords(tmp_path, **{"pi-7": "a", "pi-8": "b", "cog": "c"})
    lines = ("allow_anonymous false", f"password_file {file}", f"acl_file {ACL}")

    def known(name: str, word: str) -> Broker:
        return replace(Broker.parse(broker.url), username=name, password=word)

    ask, answer = "geng/v1/edge/{}/condition/ask", "geng/v1/edge/{}/condition/answer"
    with (
        mosquitto(tmp_path, *lines) as broker,
        link_to("", "l7", broker=known("pi-7", "a"), subscriptions=["geng/v1/edge/+/#"]) as pi,
        link_to("", "lc", broker=known("cog", "c"),
                subscriptions=[f"$share/geng-cog/{ask.format('+')}"]) as cog,
    ):  # fmt: skip
        cog.ready(5.0)
        pi.publish(Outgoing(ask.format("pi-7"), b"q"), 5.0)
        heard = cog.receive(5.0)
        assert heard is not None
        assert heard.payload == b"q"
        own = pi.receive(5.0)
        assert own is not None
        assert own.topic == ask.format("pi-7")
        with pytest.raises(BrokerError, match="pi-8/condition/ask: Not authorized") as refused:
            pi.publish(Outgoing(ask.format("pi-8"), b"q"), 5.0)
        assert refused.value.facts["topic"] == ask.format("pi-8")
        with pytest.raises(BrokerError, match="Not authorized"):
            cog.publish(Outgoing(ask.format("pi-7"), b"q"), 5.0)
        cog.publish(Outgoing(answer.format("pi-8"), b"for the neighbour"), 5.0)
        cog.publish(Outgoing(answer.format("pi-7"), b"for us"), 5.0)
        got = pi.receive(5.0)
        assert got is not None
        assert got.payload == b"for us"


@leaves_sockets
def test_the_example_configuration_runs_and_keeps_strangers_and_neighbours_out(
    tmp_path: Path, certificates: Certificates
) -> None:
    """W-6: TLS, a password each, and one's own topics."""
    c = certificates
    file = passwords(tmp_path, **{"pi-7": "a", "home": "b"})
    text = (EXAMPLE / "mosquitto.conf").read_text()
    for theirs, ours in (
        ("/etc/mosquitto/certs/ca.crt", c.ca),
        ("/etc/mosquitto/certs/server.crt", c.server_cert),
        ("/etc/mosquitto/certs/server.key", c.server_key),
        ("/etc/mosquitto/passwords", file),
        ("/etc/mosquitto/acl", ACL),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        assert theirs in text
        text = text.replace(theirs, str(ours))
    lines = [line for line in text.splitlines() if not line.startswith(("listener", "#"))]
    with mosquitto(tmp_path / "broker", *lines) as broker:
        tls = Broker.parse(f"mqtts://127.0.0.1:{broker.port}", cafile=c.ca)
        status, ask = "geng/v1/edge/pi-7/status", "geng/v1/edge/pi-7/series/ask"
        pi = replace(tls, username="pi-7", password="a")
        user = replace(tls, username="home", password="b")
        with (
            link_to("", "pi-7", broker=pi, subscriptions=[ask]) as gateway,
            link_to("", "home", broker=user, subscriptions=[status]) as home,
        ):
            home.ready(5.0)
            gateway.publish(Outgoing(status, b"online", retain=True), 5.0)
            heard = home.receive(5.0)
            assert heard is not None
            assert heard.payload == b"online"
            home.publish(Outgoing(ask, b"a week"), 5.0)
            asked = gateway.receive(5.0)
            assert asked is not None
            assert asked.payload == b"a week"
            for topic in (status, "geng/v1/edge/pi-8/series/ask", "geng/v1/cloud/w1/status"):
                with pytest.raises(BrokerError, match="Not authorized"):
                    home.publish(Outgoing(topic, b""), 5.0)
        with link_to("", broker=tls) as link, pytest.raises(BrokerError, match="refuses"):
            link.ready(5.0)
    gc.collect()


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://host", "it must be mqtt://host:1883"),
        ("mqtt://", "it must be mqtt://host:1883"),
        ("mqtt://host:99999", "it must be mqtt://host:1883"),
        ("mqtt://host/path", "it must be mqtt://host:1883"),
        ("mqtt://a:secret@host", "it must be in a file or in GENG_MQTT_PASSWORD"),
        (None, "no broker is named"),
    ],
)
def test_a_broker_url_is_refused_in_a_sentence(
    url: str | None, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENG_BROKER", raising=False)
    with pytest.raises(ArgumentError, match=rule) as refused:
        Broker.parse(url)
    assert "secret" not in str(refused.value)


def test_user_and_password_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENG_BROKER", "mqtt://[::1]:1884")
    monkeypatch.setenv("GENG_MQTT_USERNAME", "pi-7")
    monkeypatch.setenv("GENG_MQTT_PASSWORD", "word")
    broker = Broker.parse(None)
    assert (broker.username, broker.password, str(broker)) == ("pi-7", "word", "[::1]:1884")


def test_broker_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="it must be mqtts://"):
        Broker.parse("mqtt://host", cafile=tmp_path / "ca.crt")
    with pytest.raises(ArgumentError, match="--cert and --key must come together"):
        Broker.parse("mqtts://host", cert=tmp_path / "c.crt")
    (tmp_path / "ca.crt").write_text("no certificate")
    with pytest.raises(ArgumentError, match="they must be PEM"):
        Broker.parse("mqtts://host", cafile=tmp_path / "ca.crt")
    (tmp_path / "empty").write_text("")
    with pytest.raises(ArgumentError, match="its first line must be the password"):
        Broker.parse("mqtt://host", username="a", password_file=tmp_path / "empty")
    (tmp_path / "word").write_text("w")
    with pytest.raises(ArgumentError, match="without a user"):
        Broker.parse("mqtt://host", password_file=tmp_path / "word")
