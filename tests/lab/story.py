"""Play the main story: request, approval, mask with proof, undo; judged by looks at the host itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.lab.hosts import LabHost

if TYPE_CHECKING:
    from tests.lab.demo import Demo

UNIT = "cron.service"
SECONDS = 60.0
Card = dict[str, Any]


def play(demo: "Demo") -> int:
    """Print before and after; return 0 only if the host was really masked and then really restored."""
    host, slack = demo.hosts["web-01"], demo.slack
    before = _look(host)
    _say("before", before)
    print("alice  /mask web-01 cron INC-2041: runaway job", flush=True)
    slack.slash("alice", "incident", "/mask web-01 cron INC-2041: runaway job")
    card = wait_for_card(demo, lambda head: head.startswith("MASK cron.service"))
    print(f"bot    {head_of(card)}\nbob    [Approve]", flush=True)
    slack.click("bob", card, "Approve")
    card = wait_for_card(demo, lambda head: head.startswith("MASKED AND PROVEN"))
    print(f"bot    {head_of(card)}", flush=True)
    after = _look(host)
    _say("after", after)
    print("alice  [Unmask]", flush=True)
    slack.click("alice", card, "Unmask")
    print(f"bot    {head_of(wait_for_card(demo, lambda head: head.startswith('UNMASKED')))}", flush=True)
    restored = _look(host)
    _say("restored", restored)
    masked = after["LoadState"] == "masked" and after["ActiveState"] == "inactive" and after["a start"] == "refused"
    good = masked and restored == before
    print("the host was masked, and is restored" if good else "THE HOST IS NOT AS THE CARD SAID", flush=True)
    return 0 if good else 1


def wait_for_card(demo: "Demo", is_it: Callable[[str], bool]) -> Card:
    """The newest message in #incident with this head line."""

    def found() -> Card | None:
        said = demo.slack.messages("incident")
        return next((message for message in reversed(said) if is_it(head_of(message))), None)

    return demo.slack.wait_for(found, SECONDS)


def head_of(message: Card) -> str:
    """The head line of a card."""
    heads = [block["text"]["text"] for block in message.get("blocks") or [] if block["type"] == "header"]
    return str(heads[0]) if heads else ""


def _look(host: LabHost) -> dict[str, str]:
    """Look at the host without the bot: what systemd says, and whether it would start the unit."""
    seen = host.show(UNIT, "LoadState", "ActiveState", "UnitFileState")
    started = host.run("systemctl", "start", "--", UNIT)
    return {**seen, "a start": "refused" if "is masked" in started.stderr else "accepted"}


def _say(when: str, seen: dict[str, str]) -> None:
    print(f"       {when:<9}", "  ".join(f"{name}={state}" for name, state in seen.items()), flush=True)
