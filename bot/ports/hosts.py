"""Hosts over SSH: run one command, and get its answer."""

from dataclasses import dataclass
from typing import Protocol

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import Note

NOT_STRICT = "key exchange not strict"
"""In what was agreed on with a host whose OpenSSH is older than CVE-2023-48795 (Terrapin)."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The answer of a command on a host. `exit_code` is a hint, never a proof.

    `guard` is the protocol and the version of the guard that answered; empty if something else did.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    millis: int
    address: str = ""  # which it was given at: the host's name resolved to it
    ssh: str = ""  # the algorithms that were agreed on
    guard: str = ""
    look: str = ""


class Hosts(Protocol):
    """Hosts over SSH."""

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        """Have the guard do one of our commands within `deadline` seconds; `note` is for the host's journal.

        `then` is the command of a look to be taken right after it, whose answer is `CommandResult.look`.

        Raises `HostError` if it was certainly not sent, `OutcomeUnknown` if it was and no answer came back.
        """
