"""What is fuzzed: each parser of foreign words takes any bytes at all, and either understands them or says no.

A target raises for whatever else happens. `seeds` are what it understands, from which a fuzzer goes on.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import category

from bot.core.cards.sealed import is_sealed_for, posted_plan, read_note
from bot.core.hosts.revocation import read_revocations
from bot.core.input.draft import draft_from_message, read_draft
from bot.core.input.grammar import ChangeCommand, parse, parse_mention
from bot.core.requests import Verb
from bot.core.systemd.guard import frame_size, read_frame, request_line
from bot.core.systemd.look import parse_look
from bot.core.systemd.scan import parse_scan
from bot.core.systemd.status import parse_status, read_status
from bot.core.systemd.unit_list import parse_unit_list
from bot.core.systemd.units import UnitName
from bot.core.time.human_time import Now
from bot.edges.guard import frame, memory
from bot.edges.guard.bus import Values
from bot.edges.guard.process import Ended, Refused
from bot.edges.guard.requests import Request, identity_of
from bot.edges.guard.requests import parse as parse_request
from bot.edges.guard.settings import Settings
from bot.errors import HostError, UsageError
from handlers import payload
from tests.core.record import RECORDED
from tests.handlers import payloads
from tests.lab.keys import KEYS

HOSTS = ("db-01", "web-01", "web-02")
NOW = Now(datetime(2026, 3, 14, 15, tzinfo=UTC))
OURS = payload.OwnApp("T1", "", "A1")
_CHANNEL = re.compile(r"(?:[CDG][A-Z0-9]{1,30})?", re.ASCII)
_READERS: tuple[Callable[[payload.Payload], Any], ...] = (
    lambda body: payload.of_command(body, OURS),
    lambda body: payload.of_mention(body, OURS),
    lambda body: payload.of_click(body, OURS).caller,
    lambda body: payload.of_shortcut(body, OURS).caller,
    lambda body: payload.of_opening(body, OURS),
    lambda body: payload.of_submission(body, OURS, {}).caller,
    lambda body: payload.of_typing(body, OURS, {}).caller,
)
_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
)  # which are acknowledged, and nothing is done


@dataclass(frozen=True, slots=True)
class Target:
    """One parser."""

    run: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]


def typed(data: bytes) -> None:
    """A command or a usage error; and what was accepted is the same when its canonical form is typed."""
    text = data.decode("utf-8", "replace")
    for verb in Verb:
        with contextlib.suppress(UsageError):
            found = parse(verb, text, HOSTS, NOW)
            if isinstance(found, ChangeCommand):
                assert found.change.host in HOSTS
                assert UnitName(str(found.change.unit)) == found.change.unit
    with contextlib.suppress(UsageError):
        parse_mention(text, HOSTS, NOW)
    read_draft(text, HOSTS, NOW)
    draft_from_message(text, "", HOSTS)


def look(data: bytes) -> None:
    """A snapshot of the unit that was asked for, or a `HostError`."""
    text = data.decode("utf-8", "replace")
    asked = UnitName("cron.service")
    with contextlib.suppress(HostError):
        seen = parse_look(text, asked)
        assert asked == seen.id or str(asked) in {str(name) for name in seen.names}
    for shown in (parse_status(text), read_status(text)):
        assert not [sign for sign in shown if sign != "\n" and category(sign) in ("Cc", "Cf", "Cs")]


def lists(data: bytes) -> None:
    """The masks and the units of a host."""
    text = data.decode("utf-8", "replace")
    for read in (parse_scan, parse_unit_list):
        with contextlib.suppress(HostError):
            read(text)


def answer(data: bytes) -> None:
    """A guard's answer, as the bot reads it: its frame is whole, or it is none."""
    text = data.decode("utf-8", "replace")
    found = read_frame(text, "a1")
    if found is not None:
        assert 0 <= found.exit_code < 1000
    with contextlib.suppress(ValueError):
        assert frame_size(data, "a1") >= 0


def request(data: bytes) -> None:
    """A request, as the guard reads it: words that show themselves, for a verb that it has."""
    with contextlib.suppress(Refused):
        found = parse_request(data)
        one = Request(found, identity_of(found, set()))
        assert all(word.isprintable() for word in (*one.words, one.user, one.then, one.about))
        assert set(one.connection) <= set("0123456789abcdefABCDEF:. ")


def half(data: bytes) -> None:
    """The answer of root's half, as the guard reads it."""
    with contextlib.suppress(ValueError):
        found = frame.read_answer(data)
        assert found is None or isinstance(found, Ended)


def bus(data: bytes) -> None:
    """What systemd says over D-Bus."""
    for kind in ("a{sv}", "a(yv)", "v", "as"):
        with contextlib.suppress(ValueError, IndexError):
            Values(data, 0).value(kind)


def remembered(data: bytes) -> None:
    """What the guard remembers of a unit: what was read is written as it was."""
    record = memory.Record("system", "cron.service")
    with contextlib.suppress(ValueError, IndexError):
        record.read(data.decode("utf-8", "replace"))
        again = memory.Record("system", "cron.service")
        again.read(record.text())
        assert again.text() == record.text()


def settings(data: bytes) -> None:
    """A line of the host's guard.conf."""
    key, _, value = data.decode("utf-8", "replace").partition(":")
    with contextlib.suppress(Refused):
        Settings().set(key.strip(), value.strip())


def revoked(data: bytes) -> None:
    """A revocation list."""
    with contextlib.suppress(ValueError):
        read_revocations(data)


def slack(data: bytes) -> None:
    """A payload of Slack: whoever is read from it has ids that are texts, and no place but a channel of Slack."""
    body = _object(data)
    for read in _READERS:
        with contextlib.suppress(*_UNREADABLE):
            caller = read(body)
            assert isinstance(caller.id.user, str)
            assert isinstance(caller.id.team, str)
            assert caller.place.is_home or _CHANNEL.fullmatch(caller.place.channel)


def sealed(data: bytes) -> None:
    """A note, a button and a card that the bot did not seal count for nothing."""
    text, body = data.decode("utf-8", "replace"), _object(data)
    with contextlib.suppress(ValueError):
        read_note(text, form="x", user="U1", now=NOW.at, keys=KEYS)
        raise AssertionError("a note that nobody sealed")
    assert not is_sealed_for("U1", text, action="approve", where="C1", now=NOW.at, keys=KEYS)
    assert posted_plan(body, keys=KEYS) == ""


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _recorded(*beginnings: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(RECORDED.glob("*.txt")) if path.name.startswith(beginnings)]


def _payloads() -> list[bytes]:
    made = (payloads.command("web-01 cron"), payloads.mention("help"), payloads.click("approve", "r1:0123456789ab"))
    return [json.dumps(one).encode() for one in (*made, payloads.home_opened())]


def _lines(*texts: str) -> Callable[[], list[bytes]]:
    return lambda: [text.encode() for text in texts]


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _krl() -> list[bytes]:
    serials = b"\x20" + _string((7).to_bytes(8, "big")) + b"\x22" + _string((9).to_bytes(8, "big") + _string(b"\x05"))
    certificates = b"\x01" + _string(_string(b"key") + _string(b"") + serials)
    keys = b"\x02" + _string(_string(b"ssh-ed25519")) + b"\x05" + _string(_string(b"x" * 32))
    head = b"SSHKRL\n\0" + (1).to_bytes(4, "big") + bytes(24) + _string(b"") + _string(b"comment")
    return [head + certificates + keys, b"serial: 4-9\nid: deploy\nSHA256:" + b"A" * 43]


_LOOKS = ("running", "masked", "many_names", "user_masked", "timer", "surroundings")
_ORDER = ("maskbot-guard", "mask", "persistent", "cron.service")
_FRAME = "maskbot-guard 1 0.1.0 a1 0 3 0 4\nokylook"
_MEMORY = (
    "maskbot-guard memory 1\nnames a.service\nstopped b0\nended 7\nlink runtime 1:2 b0 r1\nup a.service b0\n"
    "tried a.service b0 7\n"
)
_BUS = b"\x0e\0\0\0\0\0\0\0\x02\0\0\0Id\0\x01s\0\0\0\x03\0\0\0a.b\0"
TARGETS: Mapping[str, Target] = {
    "typed": Target(
        typed, _lines("web-01 cron --for 2h leak, INC-7", "status web-01 cron", "<@UBOT> mask web-01 cron -- why")
    ),
    "look": Target(look, lambda: _recorded(*_LOOKS)),
    "lists": Target(lists, lambda: [*_recorded("scan_"), (RECORDED / "units.list").read_bytes()]),
    "answer": Target(answer, _lines(_FRAME)),
    "request": Target(request, lambda: [request_line(_ORDER, "a1").encode()]),
    "half": Target(half, _lines(_FRAME)),
    "bus": Target(bus, lambda: [_BUS]),
    "remembered": Target(remembered, _lines(_MEMORY)),
    "settings": Target(settings, _lines("login: maskbot", "critical: a.service b*.service", "foreign-masks: yes")),
    "revoked": Target(revoked, _krl),
    "slack": Target(slack, _payloads),
    "sealed": Target(
        sealed, lambda: [b'{"kid": "lab", "mac": "00", "at": 1}', b"r1:0123456789ab:7:lab.00:", *_payloads()]
    ),
}
