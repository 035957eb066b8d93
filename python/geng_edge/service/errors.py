"""What the service refuses beyond what the command line does, each with its code."""

from __future__ import annotations

from geng_edge.errors import GengError


class ServiceError(GengError):
    """The service does not do this now. Its ledger is as it was."""

    code = "service"
    exit_code = 4


class BusyError(ServiceError):
    """The queue or the outbox is full; the same request may be sent again later."""

    code = "busy"


class TooLargeError(ServiceError):
    """A request, or what it asks for, is larger than this gateway takes."""

    code = "too_large"


class IdTakenError(ServiceError):
    """The id belongs to another request."""

    code = "id_taken"


class GoneError(ServiceError):
    """The request was answered, and room was needed since: the answer is no longer kept."""

    code = "gone"


class UnknownError(ServiceError):
    """No such request, sensor or page."""

    code = "unknown"


class DeadlineError(ServiceError):
    """The deadline of a request passed before its series was done."""

    code = "deadline"
