"""Load on the road to the cloud: requests a second and latency, by workers on one shared subscription.

    python benchmarks/road_load.py --workers 1,2 --requests 600 --gateways 16
    python benchmarks/road_load.py --model python/geng_edge/models/edge.gguf --answering support.road:Double

Gateways ask one question after the other, each another task, so that nothing is answered from memory. The
broker, the workers and the gateways share this machine; the answering half is said on the first line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.broker import mosquitto  # noqa: E402
from support.chaos import TINY, Ledger, ask_all, cloud_worker  # noqa: E402


def measure(workers: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One run with so many workers: a line, and the same as data."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(mosquitto(folder))
        crew = [
            stack.enter_context(
                cloud_worker(broker.url, folder, f"w{i}", arguments.answering, arguments.model)
            )
            for i in range(workers)
        ]
        ask_all(broker.url, Ledger(), 8 * workers, 4 * workers, 60.0)  # until all of them are up
        time.sleep(3.0)
        ledger = Ledger()
        asked = (broker.url, ledger, arguments.requests, arguments.gateways, 60.0)
        asking = threading.Thread(target=ask_all, args=asked)
        memory = []
        began = time.monotonic()
        asking.start()
        for tenth in range(1, 11):
            while asking.is_alive() and ledger.done < tenth * arguments.requests // 10:
                time.sleep(0.01)
            memory.append(round(max(worker.memory() for worker in crew), 1))
        asking.join()
        rate = arguments.requests / (time.monotonic() - began)
    found = {
        "workers": workers,
        "requests_per_second": round(rate, 1),
        "p50_ms": round(1e3 * ledger.quantile(0.5), 1),
        "p99_ms": round(1e3 * ledger.quantile(0.99), 1),
        "failed": len(ledger.failures),
    }
    print("{:7} {:12} {:9} {:9} {:7}".format(*found.values()), " ", *(f"{m:.0f}" for m in memory))
    return {**found, "worker_mb_by_tenths": memory}


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="1,2", help="numbers of workers, by commas")
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--gateways", type=int, default=16)
    parser.add_argument("--answering", default="support.road:brisk", metavar="MODULE:CALLABLE")
    parser.add_argument("--model", type=Path, default=TINY)
    parser.add_argument("--out", type=Path, help="the same as JSON")
    arguments = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    print(f"{arguments.requests} requests of {arguments.gateways} gateways, answered by "
          f"{arguments.answering}, conditions by {arguments.model.name}, {os.cpu_count()} processors, "
          f"load {load}")  # fmt: skip
    print("workers   requests/s    p50 ms    p99 ms  failed   largest worker, MB, by tenths")
    rows = [measure(int(n), arguments) for n in arguments.workers.split(",")]
    if arguments.out is not None:
        facts = {"requests": arguments.requests, "gateways": arguments.gateways,
                 "answering": arguments.answering, "model": arguments.model.name,
                 "processors": os.cpu_count(), "load_at_start": load, "rows": rows}  # fmt: skip
        arguments.out.write_text(json.dumps(facts, indent=1) + "\n")
    return 1 if any(row["failed"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
