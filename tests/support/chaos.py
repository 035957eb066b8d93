"""The road under fire: a broker and workers that are killed while gateways ask."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from geng_edge.cog.client import Asker
from geng_edge.errors import GengError
from geng_edge.mqtt.link import Broker
from geng_edge.wire.condition import Ask
from support.broker import Mosquitto, Worker

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "golden" / "tiny.gguf"


@dataclass
class Ledger:
    """What became of every request.

    Attributes:
        answers: How often each task was answered to its asker.
        failures: What was raised instead.
        seconds: How long each took.
        order: Tasks by gateway, as their answers came.
        dropped: Answers that came twice and were let go.
        broker_kills, worker_kills: How often what was killed.
    """

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    order: dict[str, list[int]] = field(default_factory=dict)
    dropped: int = 0
    broker_kills: int = 0
    worker_kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> int:
        return len(self.seconds) + len(self.failures)

    def exactly_once(self, requests: int) -> bool:
        """Whether every request was answered once, and each gateway's in their order."""
        return (
            not self.failures
            and len(self.answers) == requests
            and set(self.answers.values()) == {1}
            and all(order == sorted(order) for order in self.order.values())
        )

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cloud_worker(url: str, folder: Path, name: str, answering: str, model: Path = TINY) -> Worker:
    """A worker process that answers as ``answering`` does."""
    arguments = ["-m", "geng_cog", "serve", "--broker", url, "--worker", name, "--edge-model", str(model),
                 "--answering", answering]  # fmt: skip
    return Worker(arguments, folder / f"{name}.log", {"OMP_NUM_THREADS": "1"})


def ask_all(url: str, ledger: Ledger, requests: int, gateways: int, deadline: float) -> None:
    """Ask from several gateways at once, each one question after the other."""

    def gateway(number: int) -> None:
        name = f"pi-{number}"
        order = ledger.order.setdefault(name, [])
        with Asker(Broker.parse(url), name) as asker:
            for i in range(number, requests, gateways):
                began = time.monotonic()
                try:
                    reply = asker.ask(Ask(f"task {i}", lifetime=deadline), deadline, patience=1.0)
                except GengError as error:
                    with ledger.lock:
                        ledger.failures.append(f"task {i}: {error}")
                    continue
                with ledger.lock:
                    ledger.answers[reply.answer.task] += 1
                    ledger.seconds.append(time.monotonic() - began)
                    order.append(i)
            with ledger.lock:
                ledger.dropped += asker.dropped

    threads = [threading.Thread(target=gateway, args=(n,)) for n in range(gateways)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(
    folder: Path,
    requests: int = 1000,
    broker_kills: int = 20,
    worker_kills: int = 10,
    workers: int = 2,
    gateways: int = 4,
    seed: int = 0,
    deadline: float = 120.0,
) -> Ledger:
    """Ask while a broker and workers are killed by SIGKILL and started again.

    Kills are spread over the requests: the n-th of k falls when n / (k + 1) of them are answered.

    Returns:
        The ledger.
    """
    rng = random.Random(seed)
    ledger = Ledger()
    plan = [(n / (broker_kills + 1), "broker") for n in range(1, broker_kills + 1)]
    plan += [((n - 0.5) / (worker_kills + 1), "worker") for n in range(1, worker_kills + 1)]
    with ExitStack() as stack:
        # Nothing is saved: what a killed broker held is gone.
        broker = stack.enter_context(
            Mosquitto(folder, ("allow_anonymous true", "persistence false"))
        )
        crew = [
            stack.enter_context(cloud_worker(broker.url, folder, f"w{i}", "support.road:brisk"))
            for i in range(workers)
        ]
        asking = threading.Thread(
            target=ask_all, args=(broker.url, ledger, requests, gateways, deadline)
        )
        asking.start()
        for share, what in sorted(plan):
            while asking.is_alive() and ledger.done < share * requests:
                time.sleep(0.005)
                ended = [worker.log for worker in crew if worker.ended]
                assert not ended, ended[0].read_text(errors="replace")[-2000:]
            if not asking.is_alive():
                break
            if what == "broker":
                broker.kill()
                ledger.broker_kills += 1
                time.sleep(rng.uniform(0.05, 0.5))
                broker.start()
            else:
                worker = rng.choice(crew)
                worker.kill()
                ledger.worker_kills += 1
                time.sleep(rng.uniform(0.05, 0.5))
                worker.start()
        asking.join()
    return ledger
