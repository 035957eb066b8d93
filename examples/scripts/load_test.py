"""Load-test an ingest pipeline with a thousand virtual sensors.

Draws a series of its own for each sensor, temperatures, humidities, pressures, powers and vibrations from
sentences, and then sends every sensor's value at each tick, as a fleet of gateways would: one request to a
gateway of fifty sensors, all gateways at once, at a pace that does not wait for the pipeline. What comes
back is counted: accepted, refused, and how long a request took; `late` is how far the sender itself fell
behind, which must be small or the load was not the one asked for.

`--url` is the pipeline's: it takes `{"gateway", "time", "readings": [{"sensor", "value", "unit"}]}` by POST
and answers 2xx. Without it the program starts a small one of its own in a process beside it, which parses
each request and adds its readings up; at the end both sums must be equal.
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import multiprocessing
import queue
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import ClassVar

import numpy as np

from geng_edge import Condition, Generator

KINDS = (
    ("temperature", "degC", "daily cycle between 18 and 23 degC, low noise"),
    ("humidity", "%", "daily cycle between 35 and 70 %, moderate noise"),
    ("pressure", "hPa", "values range from 990 to 1030, no periodicity, low noise"),
    ("power", "W", "two peaks a day, 200 to 900 W, high noise"),
    ("vibration", "mm/s", "values range from 0 to 4, high noise, one spike"),
)
A_GATEWAY = 50  # sensors
INTERVAL = 600  # seconds of a series' step; a tick of the test is one step


class Sink(http.server.BaseHTTPRequestHandler):
    """A pipeline in little: parses what comes and adds it up."""

    protocol_version = "HTTP/1.1"
    taken: ClassVar = [0, 0.0]  # readings and their sum
    lock: ClassVar = threading.Lock()

    def do_POST(self) -> None:
        """Take one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        values = [reading["value"] for reading in body["readings"]]
        with self.lock:
            self.taken[0] += len(values)
            self.taken[1] += sum(values)
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of single requests."""


def serve(pipe: Connection) -> None:
    """The process of the sink: says its port, and what it took when it is asked."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    pipe.recv()
    pipe.send(tuple(Sink.taken))


def draw(sensors: int, ticks: int) -> list[tuple[str, str, list[float]]]:
    """Name, unit and values of every sensor; no two alike."""
    generator = Generator.load()
    length = max(64, -(-ticks // 8) * 8)
    fleet = []
    for kind, (name, unit, text) in enumerate(KINDS):
        count = len(range(kind, sensors, len(KINDS)))
        condition = Condition.from_text(text, interval=INTERVAL, generator=generator)
        rows = generator.generate(condition, max(count, 1), length=length, seed=1000 * kind).values
        fleet += [
            (f"{name}-{i:04}", unit, [round(float(v), 3) for v in row[:ticks]])
            for i, row in enumerate(rows[:count])
        ]
    return fleet


@dataclass
class Outcome:
    """What the senders saw; lists grow in one thread each."""

    seconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    refused: int = 0


def send(
    url: urllib.parse.SplitResult,
    work: queue.SimpleQueue[tuple[float, bytes] | None],
    seen: Outcome,
) -> None:
    """Send what is in the queue, each when its moment has come, over one connection that stays."""
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=10)
    while (item := work.get()) is not None:
        due, body = item
        time.sleep(max(0.0, due - time.monotonic()))
        begun = time.monotonic()
        seen.late.append(begun - due)
        try:
            connection.request("POST", url.path or "/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            seen.refused += not 200 <= answer.status < 300
        except (OSError, http.client.HTTPException):
            seen.refused += 1
            connection.close()
        seen.seconds.append(time.monotonic() - begun)
    connection.close()


def main() -> None:
    """Draw, send, say how it went."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="http://host:port/path of the pipeline")
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=20, help="values of each sensor")
    parser.add_argument("--pace", type=float, default=1.0, help="ticks a second")
    parser.add_argument("--senders", type=int, default=8, help="connections")
    arguments = parser.parse_args()
    begun = time.monotonic()
    fleet = draw(arguments.sensors, arguments.ticks)
    print(f"drew {len(fleet)} series of {arguments.ticks} in {time.monotonic() - begun:.1f} s")

    own, theirs = multiprocessing.get_context("spawn").Pipe()
    sink = None
    if arguments.url is None:
        sink = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
        sink.start()
        arguments.url = f"http://127.0.0.1:{own.recv()}/"
    gateways = [fleet[i : i + A_GATEWAY] for i in range(0, len(fleet), A_GATEWAY)]
    work: queue.SimpleQueue[tuple[float, bytes] | None] = queue.SimpleQueue()
    start = time.monotonic() + 0.5
    for tick in range(arguments.ticks):
        for number, gateway in enumerate(gateways):
            readings = [
                {"sensor": name, "value": values[tick], "unit": unit}
                for name, unit, values in gateway
            ]
            body = {"gateway": number, "time": tick * INTERVAL, "readings": readings}
            work.put((start + tick / arguments.pace, json.dumps(body).encode()))
    seen = [Outcome() for _ in range(arguments.senders)]
    url = urllib.parse.urlsplit(arguments.url)
    threads = [threading.Thread(target=send, args=(url, work, outcome)) for outcome in seen]
    for thread in threads:
        work.put(None)
        thread.start()
    for thread in threads:
        thread.join()

    took = time.monotonic() - start
    times = np.concatenate([outcome.seconds for outcome in seen])
    late = max(max(outcome.late, default=0.0) for outcome in seen)
    refused = sum(outcome.refused for outcome in seen)
    sent = sum(len(values) for _, _, values in fleet)
    print(
        f"sent {sent} readings in {len(times)} requests, {sent / took:.0f} a second, {refused} refused"
    )
    half, most = np.quantile(times, (0.5, 0.99)) * 1000
    print(f"a request took {half:.1f} ms (p50), {most:.1f} ms (p99); at most {late:.2f} s late")
    if sink is not None:
        own.send("sum")
        count, total = own.recv()
        sink.join()
        exact = np.isclose(total, sum(sum(values) for _, _, values in fleet))
        print(f"the sink took {count} of {sent}, their sum is {'the same' if exact else 'another'}")


if __name__ == "__main__":
    main()
