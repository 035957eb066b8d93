"""Topics of a gateway: what it is asked on, and what it says. All below its own branch, for one ACL line."""

from __future__ import annotations

from geng_edge.errors import MessageError
from geng_edge.wire import codes
from geng_edge.wire.topics import ROOT, check_id

#: Where Home Assistant listens for devices, and says that it has come.
DISCOVERY = "homeassistant"
_LONGEST = 256
#: Levels of a response topic: a broker throws out who publishes on too many (mosquitto: over 200).
_MOST_LEVELS = 32


class Topics:
    """The topics of one gateway.

    Example:
        >>> from geng_edge.service.topics import Topics
        >>> Topics("pi-7").answer("week-0017", "result")
        'geng/v1/edge/pi-7/series/answer/week-0017/result'
    """

    def __init__(self, gateway: str) -> None:
        """Of ``gateway``, 1 to 63 lower-case letters, digits, hyphens and underscores."""
        self.gateway = check_id(gateway)
        self.base = f"{ROOT}/edge/{gateway}"
        #: Requests for series.
        self.ask = f"{self.base}/series/ask"
        #: Names of requests that nobody waits for any more.
        self.cancel = f"{self.base}/series/cancel"
        #: Retained: online with version, model and limits, or offline.
        self.status = f"{self.base}/status"
        self._answers = f"{self.base}/series/answer/"

    def answer(self, transaction: str, status: str) -> str:
        """Where a request without a response topic is answered."""
        return f"{self._answers}{transaction or 'unreadable'}/{status}"

    def check_response(self, topic: str) -> str:
        """A response topic that this gateway may answer on.

        A gateway that published wherever a stranger names would lend him its own rights.

        Raises:
            MessageError: ``response_topic``.
        """
        short = len(topic) <= _LONGEST and topic.count("/") < _MOST_LEVELS
        if not (short and topic.startswith(self._answers)) or any(c in topic for c in "+#\0"):
            raise MessageError(
                f"response topic is {topic[:80]!r}; it must begin with {self._answers} and have at "
                f"most {_LONGEST} characters and {_MOST_LEVELS} levels, without + or #",
                codes.RESPONSE_TOPIC,
            )
        return topic

    def sensor(self, name: str) -> str:
        """Retained: the present value of a virtual sensor."""
        return f"{self.base}/sensor/{name}"

    def discovery(self, name: str) -> str:
        """Retained: what Home Assistant has to know of a virtual sensor."""
        return f"{DISCOVERY}/sensor/geng_{self.gateway}_{name}/config"
