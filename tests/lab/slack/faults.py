"""Inject faults into the next calls of a Web API method."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a call fails. Any other value is an error code of Slack's, such as `is_archived`."""

    RATE_LIMITED = "429"
    ERROR_500 = "500"
    ERROR_502 = "502"
    ERROR_503 = "503"
    ERROR_503_AFTER = "503-after"  # it was done, but the answer is lost
    RESET = "reset"  # the connection is reset before anything was done
    RESET_AFTER = "reset-after"
    DELAY = "delay"  # done after so many seconds
    HANG = "hang"  # never answered, nothing done


@dataclass(slots=True)
class Fault:
    """One fault for a method, `*` for all; `times` None lasts until it is cleared."""

    method: str
    kind: str
    times: int | None = 1
    retry_after: int = 1  # seconds, for RATE_LIMITED
    seconds: float = 0.0  # for DELAY

    def concerns(self, method: str) -> bool:
        """Whether the fault applies to this method."""
        return self.method in {method, "*"} and self.times != 0


@dataclass(slots=True)
class Switchboard:
    """Faults in the order they were requested; the first that applies to a call is used up by it."""

    faults: list[Fault] = field(default_factory=list)

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if any."""
        for fault in self.faults:
            if fault.concerns(method):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
