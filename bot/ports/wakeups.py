"""Wake-ups: how workers learn that something is due."""

from enum import StrEnum
from typing import Protocol


class Work(StrEnum):
    """What a thread may wait for."""

    REQUESTS = "requests"
    MESSAGES = "messages"
    TASKS = "tasks"  # periodic ones


class Wakeups(Protocol):
    """Wait for work, and end such waits."""

    def is_anything_due(self) -> bool:
        """Whether there is a request, a message or a task that could be claimed now."""

    def wake(self) -> None:
        """Wake all threads of this process that wait for work."""

    def wait_for_work(self, seconds: float, kind: Work | None = None) -> None:
        """Return when work of this kind, or of any, may have become due; at the latest after so many seconds."""
