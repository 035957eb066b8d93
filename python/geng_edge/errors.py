"""Errors: one tree, each class with a stable code and the exit code of the command line.

Every message says what something is and what it must be: ``steps is 0; it must be 1 to 500``.
"""

from __future__ import annotations


class GengError(Exception):
    """The root of every error that geng-edge raises on purpose.

    Attributes:
        code: Stable name, for messages between machines.
        exit_code: What the command line ends with.
        facts: What the sentence speaks of, by name, where the raiser knew it: ``name`` and
            ``value`` of a setting, ``path`` of a file, ``extra`` that is missing.
    """

    code = "error"
    exit_code = 70

    def __init__(self, sentence: str = "", **facts: object) -> None:
        super().__init__(sentence)
        self.facts = facts


class ArgumentError(GengError, ValueError):
    """A setting, a text or a latent does not fit. Nothing was computed."""

    code = "argument"
    exit_code = 2


class MissingExtraError(GengError):
    """An optional package is not installed. Nothing was computed."""

    code = "missing_extra"
    exit_code = 2


class ModelFileError(GengError):
    """A model file is missing, not whole, or not ours. No weight was used."""

    code = "model_file"
    exit_code = 3


class ProfileError(GengError):
    """This device cannot run what was asked."""

    code = "profile"
    exit_code = 4


class OutputError(GengError):
    """The result cannot be written. Nothing is left half-written."""

    code = "output"
    exit_code = 4


class BrokerError(GengError):
    """The broker or the cloud cannot be reached or answers what it must not."""

    code = "broker"
    exit_code = 5


class MessageError(GengError):
    """A message of the wire breaks a rule, or the other side rejects ours. Nothing was done.

    Attributes:
        code: Which rule, a name of :mod:`geng_edge.wire.codes`.
    """

    exit_code = 5

    def __init__(self, sentence: str = "", code: str = "message", **facts: object) -> None:
        super().__init__(sentence, **facts)
        self.code = code


class NotFiniteError(GengError):
    """The model produced NaN or infinity. Nothing was written."""

    code = "not_finite"
    exit_code = 70


class BackendError(GengError):
    """Another runtime failed, or gave what is no v. Nothing was written."""

    code = "backend"
    exit_code = 70


class CancelledError(GengError):
    """The progress callback asked to stop. Nothing was written."""

    code = "cancelled"
    exit_code = 130
