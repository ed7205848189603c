"""An anchor: a head of the chain that is kept outside the database, so that an older state of it is found out."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.audit.chain import Head
from bot.core.audit.seal_keys import KeyRing

_DOMAIN = "anchor"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head of the chain, and when it was one."""

    head: Head
    at: datetime


def write_anchor(anchor: Anchor, keys: KeyRing) -> str:
    """The anchor as one sealed line of JSON."""
    said = {"seq": anchor.head.seq, "hash": anchor.head.hash, "at": anchor.at.astimezone(UTC).isoformat()}
    made = keys.seal(_DOMAIN, json.dumps(said, sort_keys=True))
    return json.dumps({**said, "kid": made.kid, "mac": made.mac}, sort_keys=True) + "\n"


def read_anchor(text: str, keys: KeyRing) -> Anchor:
    """Read a sealed line. Raises `ValueError` if it is not one of ours."""
    try:
        whole = json.loads(text)
        said = {name: whole[name] for name in ("seq", "hash", "at")}
        if why := keys.fault(_DOMAIN, json.dumps(said, sort_keys=True), whole.get("kid"), whole.get("mac")):
            raise ValueError(why)
        return Anchor(Head(said["seq"], said["hash"]), datetime.fromisoformat(said["at"]))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it has another form") from error
