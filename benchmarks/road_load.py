"""Load on the road to the cloud: requests a second and latency, by workers on one shared subscription.

    python benchmarks/road_load.py --workers 1,2 --requests 600 --gateways 16
    python benchmarks/road_load.py --model python/geng_edge/models/edge.gguf --answering support.road:Double

Gateways ask one question after the other, each another task, so that nothing is answered from memory. The
broker, the workers and the gateways share this machine; the answering half is said on the first line.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.broker import mosquitto  # noqa: E402
from support.chaos import TINY, Ledger, ask_all, cloud_worker  # noqa: E402


def measure(workers: int, arguments: argparse.Namespace) -> Ledger:
    """One run with so many workers."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(mosquitto(folder))
        for i in range(workers):
            stack.enter_context(cloud_worker(broker.url, folder, f"w{i}", arguments.answering,
                                             arguments.model))  # fmt: skip
        ask_all(broker.url, Ledger(), 8 * workers, 4 * workers, 60.0)  # until all of them are up
        time.sleep(3.0)
        ledger = Ledger()
        began = time.monotonic()
        ask_all(broker.url, ledger, arguments.requests, arguments.gateways, 60.0)
        rate = arguments.requests / (time.monotonic() - began)
    print(f"{workers:7} {rate:12.1f} {1e3 * ledger.quantile(0.5):9.0f} {1e3 * ledger.quantile(0.99):9.0f} "
          f"{len(ledger.failures):7}")  # fmt: skip
    return ledger


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="1,2", help="numbers of workers, by commas")
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--gateways", type=int, default=16)
    parser.add_argument("--answering", default="support.road:brisk", metavar="MODULE:CALLABLE")
    parser.add_argument("--model", type=Path, default=TINY)
    arguments = parser.parse_args()
    print(f"{arguments.requests} requests of {arguments.gateways} gateways, answered by "
          f"{arguments.answering}, conditions by {arguments.model.name}, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print("workers  requests/s    p50 ms    p99 ms  failed")
    failed = sum(len(measure(int(n), arguments).failures) for n in arguments.workers.split(","))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
