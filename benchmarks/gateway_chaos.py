"""A gateway and its broker, killed again and again while requests are asked.

    python benchmarks/gateway_chaos.py --out docs/results/gateway_chaos.json

A real mosquitto on loopback and ``geng-edge serve`` as a process of its own are killed with SIGKILL and
started again, spread over the run; a caller keeps asking. Afterwards the ledger is read: every request
must be in it once, answered with the bytes that the model gives in this process too, delivered, and in
the order in which it was admitted. Ends with 1 where one of these does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from geng_edge import Condition, Generator
from geng_edge.mqtt.link import Broker
from geng_edge.service.caller import Caller, Result
from support.broker import Mosquitto, Worker

TEXT = "a daily cycle between 18 and 23 degC, low noise"
LENGTH, INTERVAL = 512, 600.0
#: Survives a restart of the broker as far as MQTT goes: sessions and queued messages are on disk.
KEEPING = ("allow_anonymous true", "persistence true", "autosave_on_changes true",
           "autosave_interval 1", "max_queued_messages 10000")  # fmt: skip
_DEADLINE = 300.0


def marks(events: int, requests: int) -> list[int]:
    """After how many answers each of ``events`` falls: spread evenly, none at the end."""
    return [round(requests * (i + 1) / (events + 1)) for i in range(events)]


def expected(model: str | None, seeds: range) -> list[bytes]:
    """The CSV of each seed, made in this process."""
    generator = Generator.load(model, threads=1)
    condition = Condition.from_text(TEXT, INTERVAL, generator)
    made = []
    for seed in seeds:
        series = generator.generate(
            condition, length=LENGTH, seed=seed, interval=INTERVAL, unit="degC"
        )
        made.append(b"".join(series.to_csv()))
    return made


def run(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Ask, kill, read the ledger."""
    broker = Mosquitto(folder / "broker", (*KEEPING, f"persistence_location {folder / 'broker'}/"))
    command = ["-m", "geng_edge", "serve", "--gateway", "chaos", "--broker", broker.url,
               "--http", "off", "--outbox", str(folder / "outbox.db")]  # fmt: skip
    if arguments.model:
        command += ["--model", arguments.model]
    gateway = Worker(command, folder / "gateway.log", {"GENG_THREADS": "1"})
    had: list[Result] = []
    began = time.monotonic()
    with broker, gateway, Caller(Broker.parse(broker.url), "chaos", "asker") as caller:
        kills = {
            "broker": marks(arguments.broker_kills, arguments.requests),
            "gateway": marks(arguments.gateway_kills, arguments.requests),
        }
        asked = 0
        while len(had) < arguments.requests:
            while asked < arguments.requests and caller.waiting < arguments.in_flight:
                caller.ask(transaction=f"chaos-{asked:06}", text=TEXT, length=LENGTH, seed=asked,
                           interval=INTERVAL, unit="degC", lifetime=_DEADLINE)  # fmt: skip
                asked += 1
            result = caller.answer(5.0)
            if result is not None:
                had.append(result)
            if time.monotonic() - began > _DEADLINE:
                break
            for part, process in (("broker", broker), ("gateway", gateway)):
                if kills[part] and len(had) >= kills[part][0]:
                    kills[part].pop(0)
                    process.kill()
                    process.start()
        while caller.answer(1.0) is not None:
            had.append(Result("twice", "twice", b""))
        seconds = time.monotonic() - began
        facts = {"duplicates_dropped": caller.duplicates, "sent": caller.sent}
    return {**facts, "seconds": round(seconds, 1), **examine(arguments, folder, had)}


def examine(arguments: argparse.Namespace, folder: Path, had: list[Result]) -> dict[str, Any]:
    """What ledger and caller hold, against what they must hold."""
    ledger = sqlite3.connect(folder / "outbox.db")
    rows = ledger.execute(
        "SELECT id, state, code, answer, tries FROM ledger LEFT JOIN papers USING (position) "
        "ORDER BY position"
    ).fetchall()
    order = [p for (p,) in ledger.execute(
        "SELECT position FROM ledger WHERE delivery IS NOT NULL ORDER BY delivery")]  # fmt: skip
    ledger.close()
    right = expected(arguments.model, range(arguments.requests))
    wanted = {f"chaos-{i:06}": data for i, data in enumerate(right)}
    received = {one.transaction: one.payload for one in had}
    positions = [one.position for one in had]
    return {
        "requests": arguments.requests,
        "broker_kills": arguments.broker_kills,
        "gateway_kills": arguments.gateway_kills,
        "in_ledger": len(rows),
        "answered_with_the_right_bytes": sum(r[3] == wanted.get(r[0]) and r[2] == "" for r in rows),
        "delivered": sum(r[1] == "delivered" for r in rows),
        "sampled_again_after_a_kill": sum(r[4] > 1 for r in rows),
        "delivered_in_order": order == sorted(order) and len(order) == len(rows),
        "received": len(had),
        "received_right": sum(received.get(k) == v for k, v in wanted.items()),
        "lost": len(set(wanted) - set(received)),
        "first_arrivals_out_of_order": sum(b < a for a, b in itertools.pairwise(positions)),
    }


def holds(found: dict[str, Any]) -> bool:
    """Whether everything that must hold does."""
    counts = (
        "in_ledger",
        "answered_with_the_right_bytes",
        "delivered",
        "received",
        "received_right",
    )
    return found["delivered_in_order"] and all(found[c] == found["requests"] for c in counts)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--broker-kills", type=int, default=20)
    parser.add_argument("--gateway-kills", type=int, default=10)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--model", help="model file (default: the bundled model)")
    parser.add_argument("--out", type=Path, help="also write JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(arguments, Path(folder))
        log = Path(folder, "gateway.log").read_text(encoding="utf-8")
    for name, value in found.items():
        print(f"{name:32} {value}")
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not holds(found):
        print(log[-4000:], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
