"""Backends behind one protocol: an endpoint that strays is asked again, any causal LM keeps to the form."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the cloud package needs torch")
pytest.importorskip("transformers", reason="the cloud package needs transformers")

from geng_cog import instructions
from geng_cog.backends.openai import OpenAIBackend, repaired, stray
from geng_cog.cog import Cog
from geng_cog.stated import Stated, read_stated
from geng_edge.errors import ArgumentError, BrokerError, ModelFileError

TASK = "temperature in a barn for one week, every 10 minutes"
GOOD = (
    "Barns follow the weather.\nspan 1 week, every 10 min\n# air temperature [degC]\nvalues 8 .. 17\n"
    "period 1 day\nwave sine\ntrend none\nnoise low\nanomaly none\nend"
)


class Endpoint:
    """Replies as it is told, in order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.replies: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.raw: bytes | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(json.loads(body) | {"key": self.headers.get("Authorization")})
                message = {
                    "choices": [
                        {"message": {"content": outer.replies.pop(0) if outer.replies else ""}}
                    ]
                }
                raw = outer.raw if outer.raw is not None else json.dumps(message).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join(5.0)


def test_an_endpoint_s_statement_becomes_an_answer(endpoint: Endpoint) -> None:
    endpoint.replies = [GOOD]
    cog = Cog.load("openai", url=endpoint.url, model="any", key="secret")
    answer = cog.answer([TASK])[0]
    assert answer.channels[0].claims.high == 17.0
    assert answer.reasoning.startswith("Barns follow the weather.")
    request = endpoint.asked[0]
    assert request["key"] == "Bearer secret"
    assert request["messages"][-1] == {"role": "user", "content": TASK}
    assert "air temperature [degC]" in request["messages"][0]["content"]


def test_fences_json_and_blank_lines_are_repaired() -> None:
    assert repaired(f"```\n{GOOD}\n```") == GOOD
    assert repaired(json.dumps({"statement": GOOD})) == GOOD
    assert repaired(GOOD.replace("\n", "  \n\n").removesuffix("end").strip()) == GOOD
    assert stray(GOOD, read_stated(TASK)) == ""


def test_a_reply_that_strays_is_asked_for_again_with_the_fault_named(endpoint: Endpoint) -> None:
    endpoint.replies = [GOOD.replace("1 week", "2 week"), GOOD]
    Cog.load("openai", url=endpoint.url, model="any", schema=True).answer([TASK])
    assert len(endpoint.asked) == 2
    assert "strays from the form: line 2" in endpoint.asked[1]["messages"][-1]["content"]
    assert endpoint.asked[0]["response_format"]["type"] == "json_schema"


def test_a_reply_outside_the_physical_range_strays() -> None:
    assert "cannot go on with" in stray(GOOD.replace("8 .. 17", "8 .. 700"), Stated())


def test_an_endpoint_that_keeps_straying_is_refused(endpoint: Endpoint) -> None:
    endpoint.replies = ["I cannot help with that."] * 3
    with pytest.raises(BrokerError, match="strays from the form 3 times"):
        Cog.load("openai", url=endpoint.url, model="any").answer([TASK])


@pytest.mark.parametrize("raw", [b"not json", b"{}", b'{"choices": []}', b"x" * (1 << 20) + b"xx"])
def test_an_endpoint_that_talks_nonsense_is_refused(endpoint: Endpoint, raw: bytes) -> None:
    endpoint.raw = raw
    with pytest.raises(BrokerError, match="the reply is"):
        OpenAIBackend(endpoint.url, "any").write([TASK], [Stated()], 0, 0.0)


def test_an_endpoint_that_is_not_there_is_refused() -> None:
    with pytest.raises(BrokerError, match="it must answer within 2 s"):
        OpenAIBackend("http://127.0.0.1:9/v1", "any", timeout=2.0).write([TASK], [Stated()], 0, 0.0)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ArgumentError, match="it must be http://host/v1"):
        Cog.load("openai", url="ftp://x", model="any")
    with pytest.raises(ArgumentError, match="model is empty"):
        Cog.load("openai", url="http://localhost/v1")
    with pytest.raises(ArgumentError, match="model is empty"):
        Cog.load("transformers")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaMA with random weights and a tokenizer of its own, as a folder of transformers."""
    from geng_cog.lm.model import build
    from geng_cog.lm.tokenizer import train, wrapped

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = train([GOOD, TASK, "the quick brown fox jumps over the lazy dog 0123456789"] * 3)
    tokenizer.save(str(folder / "raw.json"))
    wrapped(folder / "raw.json").save_pretrained(str(folder))
    model = build(
        tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=48, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=8192,
    )  # fmt: skip
    model.save_pretrained(str(folder))
    return folder


@pytest.mark.parametrize("examples", [False, True])
def test_any_causal_model_from_a_folder_writes_answers_that_parse(
    tiny: Path, examples: bool
) -> None:
    cog = Cog.load("transformers", model=str(tiny), examples=examples, device="cpu")
    answers = cog.answer([TASK, "wind speed"] if not examples else [TASK], seed=1, temperature=0.0)
    assert answers[0].steps == 1008
    assert all(a.channels[0].description for a in answers)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="it must be a causal LM"):
        Cog.load("transformers", model=str(tmp_path))


def test_examples_shown_to_a_model_are_the_nearest_seeds_and_in_the_form() -> None:
    shown = instructions.examples("humidity sensor in a museum")
    assert len(shown) == instructions.EXAMPLES
    assert any("humidity" in task.lower() for task, _ in shown)
    assert all(stray(text, Stated()) == "" for _, text in shown)
