"""The openai backend: any endpoint that speaks OpenAI's chat completions (vLLM, llama.cpp, Ollama).

The endpoint samples as it likes, so the grammar is held against what it says: a reply that strays is
asked for again with the fault named, and refused when it strays once more. Endpoints that know
``response_format`` with a JSON schema wrap the statement in JSON; that is unpacked.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from geng_cog import instructions
from geng_cog.backends.protocol import Written
from geng_cog.grammar.nodes import advance
from geng_cog.grammar.statements import begin
from geng_cog.stated import Stated
from geng_cog.statement import END
from geng_edge.errors import ArgumentError, BrokerError

MOST_REPLY = 1 << 20
TRIES = 3
_FENCE = re.compile(r"^\s*```\w*\n(.*?)\n?```\s*$", re.S)


class OpenAIBackend:
    """Writes by asking an endpoint.

    Args:
        url: Base, such as ``http://localhost:8000/v1``.
        model: Name of the model there.
        key: Sent as a bearer token; ``$GENG_COG_KEY`` by default. Never logged.
        timeout: Seconds to wait for one reply.
        schema: Ask for JSON by a schema; for endpoints that constrain so.

    Raises:
        ArgumentError: The address is none, or a setting is out of range.
    """

    name = "openai"

    def __init__(
        self, url: str = "", model: str = "", key: str | None = None, timeout: float = 60.0,
        schema: bool = False,
    ) -> None:  # fmt: skip
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ArgumentError(
                f"url is {url!r}; it must be http://host/v1 or https://host/v1", name="url"
            )
        if not model:
            raise ArgumentError(
                "model is empty; it must be the name of a model there", name="model"
            )
        if not 0.0 < timeout <= 3600.0:
            raise ArgumentError(
                f"timeout is {timeout}; it must be over 0 to 3600 seconds", name="timeout"
            )
        self.url = url.rstrip("/") + "/chat/completions"
        self.model, self.timeout, self.schema = model, timeout, schema
        self._key = key if key is not None else os.environ.get("GENG_COG_KEY", "")

    def write(
        self, tasks: Sequence[str], stated: Sequence[Stated], seed: int, temperature: float
    ) -> list[Written]:
        """One statement for each task, one after the other.

        Raises:
            BrokerError: The endpoint cannot be reached, or strays from the form three times.
        """
        return [
            Written(self._write(task, s, seed, temperature))
            for task, s in zip(tasks, stated, strict=True)
        ]

    def _write(self, task: str, stated: Stated, seed: int, temperature: float) -> str:
        messages = instructions.as_messages(task)
        fault = ""
        for attempt in range(TRIES):
            reply = self._reply(messages, instructions.seeded(seed) + attempt, temperature)
            text = repaired(reply)
            fault = stray(text, stated)
            if not fault:
                return text
            messages = [
                *instructions.as_messages(task),
                {"role": "assistant", "content": reply[:2000]},
                {"role": "user", "content": f"That strays from the form: {fault}. Write it again."},
            ]
        raise BrokerError(
            f"{self.url}: the reply strays from the form {TRIES} times ({fault}); "
            "it must be a statement"
        )

    def _reply(self, messages: list[dict[str, str]], seed: int, temperature: float) -> str:
        body: dict[str, Any] = {
            "model": self.model, "messages": messages, "temperature": temperature, "seed": seed,
            "max_tokens": 600,
        }  # fmt: skip
        if self.schema:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "statement", "schema": instructions.answer_schema()},
            }
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                raw = answer.read(MOST_REPLY + 1)
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise BrokerError(
                f"{self.url}: {reason}; it must answer within {self.timeout:g} s"
            ) from error
        if len(raw) > MOST_REPLY:
            raise BrokerError(f"{self.url}: the reply is over {MOST_REPLY} bytes; it must be less")
        try:
            content = json.loads(raw)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as error:
            raise BrokerError(
                f"{self.url}: the reply is no chat completion; it must have choices with a message"
            ) from error
        return str(content)


def repaired(reply: str) -> str:
    """A reply without what models put around an answer: fences, JSON, blank lines, line-end blanks."""
    text = reply.strip()
    fenced = _FENCE.match(text)
    if fenced:
        text = fenced[1].strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text)["statement"]).strip()
        except (ValueError, LookupError, TypeError):
            return text
    text = "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
    text = text.removeprefix("answer: ").replace("\u2026", "..")
    return text if text.endswith(END) else text + END


def stray(text: str, stated: Stated) -> str:
    """Where a text leaves the grammar, in words; empty where it keeps to it."""
    state = begin(stated)
    for at, char in enumerate(text):
        after = advance(state, char)
        if not after:
            line = text[:at].count("\n") + 1
            before, here = text[max(0, at - 30) : at], text[at : at + 20]
            return f"line {line} cannot go on with {here!r} after {before!r}"
        state = after
    return "" if any(node.final for node in state) else "it ends too early"
