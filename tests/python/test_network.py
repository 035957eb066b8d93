"""A Python function in the network's place: the core samples, and asks it for v."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator, _core
from geng_edge.errors import ArgumentError, BackendError, GengError, NotFiniteError

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
DISTILLED = GOLDEN / "tiny_distilled.gguf"
SETTINGS: dict[str, Any] = {"solver": "dpmpp_2m", "steps": 4, "guidance": 1.5, "seed": 3}


class Relay:
    """Asks the model itself for every v, and keeps what it was told."""

    def __init__(self, model: _core.Model) -> None:
        self.model = model
        self.told: list[tuple[bool, Any, Any, Any]] = []
        self.asked: list[tuple[tuple[int, ...], int, bool]] = []

    def __call__(
        self, distilled: bool, condition: Any, frame: Any, answers: Any
    ) -> Callable[[Any, int, bool], Any]:
        self.told.append((distilled, condition, frame, answers))

        def step(x: Any, t: int, conditional: bool) -> Any:
            self.asked.append((x.shape, t, conditional))
            return self.model.bridge(x, t, condition if conditional else None)

        return step


def model_with(network: Any) -> _core.Model:
    return _core.Model(str(DISTILLED), "fp32", 1, "", "", network)


@pytest.fixture(scope="module")
def own() -> _core.Model:
    return _core.Model(str(DISTILLED), "fp32", 1)


@pytest.fixture(scope="module")
def condition() -> Any:
    generator = Generator.load(DISTILLED, threads=1)
    return Condition.from_text("values from -5 to 5", generator=generator).array


def test_function_that_asks_the_model_gives_its_bytes(own: _core.Model, condition: Any) -> None:
    relay = Relay(own)
    got = model_with(relay).sample(condition, 3, **SETTINGS)
    np.testing.assert_array_equal(got, own.sample(condition, 3, **SETTINGS))
    frame, answers = own.network_facts(condition)
    [(distilled, told, told_frame, told_answers)] = relay.told
    assert not distilled
    np.testing.assert_array_equal(told, condition)
    np.testing.assert_array_equal(told_frame, frame)
    np.testing.assert_array_equal(told_answers, answers)
    assert answers.size > 0
    assert np.isfinite(frame).all()
    shape = (3, *own.latent_shape)
    assert relay.asked[:2] == [(shape, 499, True), (shape, 499, False)]
    assert len(relay.asked) == 8


def test_every_way_to_sample_asks_it(own: _core.Model, condition: Any) -> None:
    relay = Relay(own)
    model = model_with(relay)
    model.sample(condition, 1, steps=2, solver="consistency")
    assert relay.told[-1][0]  # the student
    asked = len(relay.asked)
    model.sample_latent(condition, 1, steps=2)
    next(iter(model.chain(condition, 1, 2048, steps=2)))
    assert len(relay.asked) >= asked + 4
    x = np.zeros((2, *model.latent_shape), np.float32)
    np.testing.assert_array_equal(model.bridge(x, 7, None), own.bridge(x, 7, None))


def answering(value: Any) -> Callable[..., Any]:
    return lambda *_told: lambda *_asked: value


@pytest.mark.parametrize(
    ("network", "kind", "sentence"),
    [
        (answering(None), BackendError, "v of the backend is NoneType; it must be C-contiguous"),
        (answering(np.zeros((1, 2), np.float32)), BackendError, r"float32 \(1, 2\); it must be"),
        (answering(np.zeros((1, 10, 32))), BackendError, "float64"),
        (lambda *_: None, BackendError, "raised TypeError: 'NoneType' object is not callable"),
        (lambda: None, BackendError, "raised TypeError"),
        (3, ArgumentError, "network is int; it must be a function, or None"),
    ],
)
def test_function_that_gives_no_v_is_refused(
    network: Any, kind: type[GengError], sentence: str, condition: Any
) -> None:
    with pytest.raises(kind, match=sentence):
        model_with(network).sample(condition, 1, **SETTINGS)


def test_nan_is_refused(own: _core.Model, condition: Any) -> None:
    v = np.full((1, *own.latent_shape), np.nan, np.float32)
    with pytest.raises(NotFiniteError, match=r"network returned NaN at step 0 of 4 .*nothing was"):
        model_with(answering(v)).sample(condition, 1, **SETTINGS)


def test_what_it_raises_is_named_and_chained(condition: Any) -> None:
    def broken(*_told: Any) -> Callable[..., Any]:
        def step(*_asked: Any) -> Any:
            raise OSError("no such accelerator")

        return step

    with pytest.raises(
        BackendError, match="the backend raised OSError: no such accelerator; it must give v"
    ) as caught:
        model_with(broken).sample(condition, 1, **SETTINGS)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.exit_code == 70


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ArgumentError])
def test_interrupts_and_our_errors_pass_as_they_are(
    raised: type[BaseException], condition: Any
) -> None:
    def network(*_told: Any) -> Any:
        raise raised("stop")

    with pytest.raises(raised, match="stop"):
        model_with(network).sample(condition, 1, **SETTINGS)


def test_a_chain_that_is_being_read_gives_nobody_else_a_block(condition: Any) -> None:
    settings = {**SETTINGS, "steps": 1, "guidance": 0.0}
    length = 10240  # beyond the windows that are drawn when the chain is made
    chains: list[_core.LongSeries] = []
    refused = 0

    def network(*_: Any) -> Callable[[Any, int, bool], Any]:
        def step(x: Any, *_: Any) -> Any:
            nonlocal refused
            for chain in chains:
                with pytest.raises(ArgumentError, match="it must be read by one at a time"):
                    next(chain)
                refused += 1
            return np.zeros_like(x)

        return step

    model = model_with(network)
    undisturbed = list(model.chain(condition, 2, length, **settings))
    chains.append(model.chain(condition, 2, length, **settings))
    blocks = list(chains[0])
    assert refused > 0
    assert sum(block.shape[1] for block in blocks) == length
    np.testing.assert_array_equal(np.hstack(blocks), np.hstack(undisturbed))
