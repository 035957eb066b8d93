"""Hostile traffic against the wire's decoders, and against a worker behind a real broker.

    python benchmarks/hostile.py --payloads 100000 --flood 20000

Prints how many payloads of each kind ended in which code, payloads a second, and the most memory that the
process held; with --flood the same payloads go to a worker's question topic, and its memory is read
before and after, and an honest question at the end must be answered.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.hostile import Payloads, question_verdict, verdict  # noqa: E402


def megabytes() -> float:
    """The most memory that this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def decoders(count: int, seed: int) -> dict[str, Any]:
    """Run the decoders; returns the figures."""
    payloads = Payloads(seed)
    seen: Counter[tuple[str, str]] = Counter()
    wrong, spent = 0, 0.0
    for _, payload in islice(payloads, 1000):
        verdict(payload)
    before = megabytes()
    for kind, payload in islice(payloads, count):
        began = time.perf_counter()
        found = verdict(payload)
        question_verdict(payload)
        spent += time.perf_counter() - began
        seen[kind, found] += 1
        wrong += found not in payloads.expected[kind]
    print(f"{'kind':20} {'ended in':16} payloads")
    for (kind, code), number in sorted(seen.items()):
        print(f"{kind:20} {code:16} {number:8}")
    print(f"{count} payloads, {count / spent:.0f} a second in both decoders; {wrong} ended otherwise than "
          f"they may; most memory {before:.0f} MB after 1,000, {megabytes():.0f} MB at the end")  # fmt: skip
    return {
        "payloads": count,
        "otherwise_than_they_may": wrong,
        "per_second": round(count / spent),
        "most_mb_after_1000": round(before, 1),
        "most_mb": round(megabytes(), 1),
        "ended_in": {f"{kind}: {code}": number for (kind, code), number in sorted(seen.items())},
    }


def flood(count: int, seed: int) -> dict[str, Any]:
    """Send the payloads to a worker; returns the figures."""
    from geng_edge.cog.client import Asker
    from geng_edge.mqtt.link import Broker, Outgoing
    from geng_edge.wire import topics
    from geng_edge.wire.condition import Ask
    from support.broker import Worker, mosquitto

    arguments = ["-m", "geng_cog", "serve", "--worker", "w1", "--answering", "support.road:Double",
                 "--edge-model", str(ROOT / "tests/data/golden/tiny.gguf")]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        with (
            mosquitto(Path(folder)) as broker,
            Worker([*arguments, "--broker", broker.url], Path(folder) / "log") as worker,
            Asker(Broker.parse(broker.url), "pi-7") as asker,
        ):
            asker.ask(Ask("a home"), 60.0)
            payloads = iter(Payloads(seed))
            batch: list[Outgoing] = []
            sent, began, marks = 0, time.perf_counter(), []
            while sent < count:
                batch = [Outgoing(topics.ask("pi-7"), next(payloads)[1]) for _ in range(100)]
                asker.link.publish_all(batch, 60.0)
                while (got := asker.link.receive(0)) is not None:
                    asker.link.acknowledge(got)
                sent += len(batch)
                if sent % max(100, count // 10 // 100 * 100) == 0:
                    marks.append(worker.memory())
            answered = asker.ask(Ask("a barn"), 120.0).answer.task == "a barn"
            seconds = time.perf_counter() - began
            print(f"{sent} payloads to a worker in {seconds:.0f} s ({sent / seconds:.0f} a second); it "
                  f"lives and answers: {answered}; its memory, MB: "
                  + " ".join(f"{m:.0f}" for m in marks))  # fmt: skip
        print(f"  {(Path(folder) / 'log').read_text().strip().splitlines()[-1]}")
    return {"flood": sent, "answers_after": answered, "worker_mb": [round(m, 1) for m in marks]}


def main() -> int:
    """Parse and run; returns 1 where something ended otherwise than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--payloads", type=int, default=100_000)
    parser.add_argument("--flood", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="the figures as JSON")
    arguments = parser.parse_args()
    facts = decoders(arguments.payloads, arguments.seed)
    if arguments.flood:
        facts.update(flood(arguments.flood, arguments.seed))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(facts, indent=1) + "\n")
    return 1 if facts["otherwise_than_they_may"] or not facts.get("answers_after", True) else 0


if __name__ == "__main__":
    sys.exit(main())
