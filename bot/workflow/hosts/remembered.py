"""What a guard remembers of the bot's own masks: so they are found again where the database is an older backup."""

from bot.core.hosts.inventory import Host
from bot.core.systemd.remembered import RememberedMask, read_remembered
from bot.core.systemd.systemctl import rules_argv
from bot.core.text.sanitize import clean
from bot.errors import HostError, OutcomeUnknown
from bot.ports import Hosts

NOT_SAID = "guard_does_not_say"


def remembered_masks(hosts: Hosts, host: Host, *, deadline: float) -> tuple[RememberedMask, ...]:
    """All of a host. Raises `MaskbotError` if its guard does not answer; with this code if it never will."""
    try:
        answer = hosts.run(host, rules_argv(), deadline=deadline)
    except OutcomeUnknown as error:  # a question changes nothing
        raise HostError(str(error), code="no_answer", passing=True) from error
    if answer.exit_code != 0:
        why = clean(answer.stderr.removeprefix("maskbot-guard: "), lines=1, width=120)
        raise HostError(f"{host.name}: its guard does not say what it remembers: {why}", code=NOT_SAID)
    lines = answer.stdout.splitlines()
    found = read_remembered(lines)
    if found is None or f"masks {len(found)}" not in lines:
        why = next((line for line in lines if line.startswith("unread ")), "it is older than this bot")
        fix = "run the script of `maskbot host install-script` there"
        raise HostError(f"{host.name}: its guard does not say what it remembers ({why}); {fix}", code=NOT_SAID)
    return found
