"""What a guard remembers of the bot's own masks: so they are found again where the database is an older copy."""

from dataclasses import dataclass

from bot.core.hosts.inventory import Host
from bot.core.systemd.systemctl import rules_argv
from bot.core.text.sanitize import clean
from bot.errors import HostError
from bot.ports import Hosts

_WORDS = 5  # of one mask: the unit, its user, the layer, the request, and whether the unit ran


@dataclass(frozen=True, slots=True)
class RememberedMask:
    """A mask that the guard made for the bot and that nobody removed through it."""

    host: str
    unit: str
    user: str  # whose own manager it is in; empty for the system's
    layer: str
    request: str
    ran: bool  # before it was masked


def remembered_masks(hosts: Hosts, host: Host, *, deadline: float) -> list[RememberedMask]:
    """All of a host. Raises `MaskbotError` if its guard does not answer."""
    answer = hosts.run(host, rules_argv(), deadline=deadline)
    if answer.exit_code != 0:
        why = clean(answer.stderr.removeprefix("maskbot-guard: "), lines=1, width=120)
        raise HostError(f"{host.name}: its guard does not say what it remembers: {why}", code="host_not_ready")
    lines = answer.stdout.splitlines()
    said = [line.split(" ")[1:] for line in lines if line.startswith("mask ")]
    if f"masks {len(said)}" not in lines or any(len(words) != _WORDS for words in said):
        why = next((line for line in lines if line.startswith("unread ")), "it is older than this bot")
        fix = "run the script of `maskbot host install-script` there"
        raise HostError(f"{host.name}: its guard does not say what it remembers ({why}); {fix}", code="host_not_ready")
    return [_mask(host.name, words) for words in said]


def _mask(host: str, words: list[str]) -> RememberedMask:
    unit, user, layer, request, ran = (clean(word, lines=1, width=300) for word in words)
    return RememberedMask(host, unit, user.strip("-"), layer, request.strip("-"), ran == "ran")
