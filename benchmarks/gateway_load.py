"""How fast a gateway answers, and whether its memory stays flat.

    python benchmarks/gateway_load.py --soak 10000 --flood 2000 --out docs/results/gateway_load.json

``geng-edge serve`` as a process of its own, a real mosquitto on loopback, one thread of the model, series
of 512 steps at 4 evaluations, a new seed each time. *One at a time* is the wait of a caller from sending its
request to holding the series; *in flight* is how many requests are open at once. Memory is the gateway's
resident set, read every hundredth of the soak. Every request goes through the ledger, whose commits wait
for the disk: the disk is timed too, and ``--folder`` puts the ledger elsewhere.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from geng_edge.mqtt.link import Broker, Link, Outgoing
from geng_edge.service.caller import Caller
from geng_edge.service.topics import Topics
from support.broker import Mosquitto, Worker
from support.ports import free_port

ASK = {
    "text": "a daily cycle between 18 and 23 degC, low noise",
    "length": 512,
    "interval": 600.0,
    "steps": 4,
}


def spread(seconds: list[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "worst_ms": at(1.0)}


def disk(folder: Path) -> float:
    """Median milliseconds of writing 4 KB and waiting for the disk."""
    took = []
    with (folder / "probe").open("wb") as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return round(1000 * statistics.median(took), 3)


def over_http(port: int, requests: int) -> dict[str, float]:
    """One at a time, a connection each."""
    took = []
    for seed in range(requests):
        body = json.dumps({**ASK, "seed": seed}).encode()
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/v1/sample", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        took.append(time.perf_counter() - began)
        connection.close()
        if response.status != 200:
            raise SystemExit(f"the gateway answers {response.status}: {data[:200]!r}")
    return spread(took)


def over_mqtt(caller: Caller, requests: int, in_flight: int) -> dict[str, float]:
    """``in_flight`` requests open at a time."""
    sent: dict[str, float] = {}
    took: list[float] = []
    began = time.perf_counter()
    while len(took) < requests:
        while len(sent) - len(took) < in_flight and len(sent) < requests:
            at = time.perf_counter()
            sent[caller.ask(**ASK, seed=len(sent))] = at
        result = caller.answer(30.0)
        if result is None or result.code:
            raise SystemExit(f"no series came: {result}")
        took.append(time.perf_counter() - sent[result.transaction])
    seconds = time.perf_counter() - began
    return {**spread(took), "a_second": round(requests / seconds, 1)}


def resident_mb(process: int) -> float:
    """Resident set of a process."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return round(float(line.split()[1]) / 1024, 1)
    raise SystemExit(f"process {process} is gone")


def soak(caller: Caller, gateway: Worker, requests: int) -> dict[str, Any]:
    """Many requests, eight in flight, and the memory meanwhile."""
    assert gateway.process is not None
    done, memory, part = 0, [], max(1, requests // 100)
    began = time.perf_counter()
    while done < requests:
        over_mqtt(caller, min(part, requests - done), 8)
        done += part
        memory.append(resident_mb(gateway.process.pid))
    seconds = time.perf_counter() - began
    tenth = max(1, len(memory) // 10)
    return {
        "requests": requests,
        "a_second": round(requests / seconds, 1),
        "memory_first_mb": memory[0],
        "memory_second_tenth_mb": round(statistics.mean(memory[tenth : 2 * tenth]), 1),
        "memory_last_tenth_mb": round(statistics.mean(memory[-tenth:]), 1),
        "memory_most_mb": max(memory),
        "memory_mb": memory,
    }


def flood(caller: Caller, gateway: Worker, broker: Broker, messages: int) -> dict[str, Any]:
    """Garbage of the largest size that is read, as fast as the broker passes it on."""
    assert gateway.process is not None
    garbage = Outgoing(Topics("load").ask, b"{" * (512 * 1024), 0)
    memory = [resident_mb(gateway.process.pid)]
    with Link(broker, client_id="flood") as link:
        link.ready(10.0)
        for _ in range(messages // 20):
            link.publish_all([garbage] * 20, 60.0)
            memory.append(resident_mb(gateway.process.pid))
    began = time.perf_counter()
    over_mqtt(caller, 1, 1)
    return {
        "messages": messages,
        "sent_mb": round(messages * len(garbage.payload) / 2**20),
        "memory_before_mb": memory[0],
        "memory_most_mb": max(memory),
        "next_answer_ms": round(1000 * (time.perf_counter() - began), 1),
    }


def run(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Start everything, measure, stop."""
    port = free_port()
    broker = Mosquitto(folder / "broker", ("allow_anonymous true", "max_queued_messages 10000",
                                            "set_tcp_nodelay true"))  # fmt: skip
    command = ["-m", "geng_edge", "serve", "--gateway", "load", "--broker", broker.url,
               "--http", f"127.0.0.1:{port}", "--outbox", str(folder / "outbox.db")]  # fmt: skip
    if arguments.model:
        command += ["--model", arguments.model]
    gateway = Worker(command, folder / "gateway.log", {"GENG_THREADS": "1"})
    found: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "load_before": os.getloadavg()[0],
        "disk_sync_ms": disk(folder),
    }
    with broker, gateway, Caller(Broker.parse(broker.url), "load") as caller:
        over_mqtt(caller, 20, 1)  # loaded, connected, warm
        found["http_one_at_a_time"] = over_http(port, arguments.requests)
        found["mqtt_one_at_a_time"] = over_mqtt(caller, arguments.requests, 1)
        found["mqtt_16_in_flight"] = over_mqtt(caller, arguments.requests, 16)
        if arguments.soak:
            found["soak"] = soak(caller, gateway, arguments.soak)
            size = sum(file.stat().st_size for file in folder.glob("outbox.db*"))
            found["soak"]["outbox_mb"] = round(size / 2**20, 1)
        if arguments.flood:
            found["flood"] = flood(caller, gateway, Broker.parse(broker.url), arguments.flood)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000, help="for each of the three loads")
    parser.add_argument("--soak", type=int, default=0, help="further requests, with memory")
    parser.add_argument(
        "--flood", type=int, default=0, help="garbage messages of 512 KiB, with memory"
    )
    parser.add_argument("--folder", help="where the ledger lies (default: the system's for such)")
    parser.add_argument("--model", help="model file (default: the bundled model)")
    parser.add_argument("--out", type=Path, help="also write JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = run(arguments, Path(folder))
    for name, value in found.items():
        shown = value
        if isinstance(value, dict):
            shown = "  ".join(f"{k} {v}" for k, v in value.items() if not isinstance(v, list))
        print(f"{name:22} {shown}")
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
