"""The road to the cloud under fire: the broker and the workers are killed while gateways ask.

    python benchmarks/road_chaos.py --requests 1000 --broker-kills 20 --worker-kills 10

A real mosquitto that saves nothing, worker processes, and gateways that ask one question after the other.
Prints what became of every request; exits with 1 where one was not answered exactly once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support import chaos


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--broker-kills", type=int, default=20)
    parser.add_argument("--worker-kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="the figures as JSON")
    arguments = parser.parse_args()
    settings = {name: value for name, value in vars(arguments).items() if name != "out"}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ledger = chaos.run(Path(folder), **settings)
    right = ledger.exactly_once(arguments.requests)
    lost = arguments.requests - len(ledger.answers)
    twice = sum(n > 1 for n in ledger.answers.values())
    print(f"{arguments.requests} requests of {arguments.gateways} gateways, {arguments.workers} workers: "
          f"{len(ledger.answers)} answered, {lost} lost, {twice} answered twice, "
          f"{ledger.dropped} repeated answers let go")  # fmt: skip
    print(f"broker killed {ledger.broker_kills} times, workers {ledger.worker_kills} times, "
          f"{time.monotonic() - began:.0f} s in all")  # fmt: skip
    print("seconds to an answer: " + ", ".join(
        f"{name} {ledger.quantile(share):.2f}"
        for name, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1.0))))  # fmt: skip
    print(f"order per gateway kept, every request answered exactly once: {right}")
    if arguments.out is not None:
        facts = {**settings, "answered": len(ledger.answers), "lost": lost, "answered_twice": twice,
                 "repeats_let_go": ledger.dropped, "broker_killed": ledger.broker_kills,
                 "workers_killed": ledger.worker_kills, "exactly_once": right,
                 "p50_s": round(ledger.quantile(0.5), 3), "p99_s": round(ledger.quantile(0.99), 3),
                 "longest_s": round(ledger.quantile(1.0), 3)}  # fmt: skip
        arguments.out.write_text(json.dumps(facts, indent=1) + "\n")
    for failure in ledger.failures[:10]:
        print(f"  {failure}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
