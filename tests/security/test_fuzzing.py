"""A short pass of the fuzzing, the same in every run; `script/security fuzz` goes on from here."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.systemd.guard import read_frame
from tests.handlers.test_malformed import PAYLOADS, paths
from tests.security.fuzzing import cases
from tests.security.targets import TARGETS

TRIES = 60
SIGNS = [b"\0", b"\n", b" ", b"@", b":", b"-", b"{", b"[", b'"', b"9" * 30, b"\xff", b"\xe2\x80\xae"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["shell", "home", "T1", "C1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_understood_or_refused(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    seeds = [*target.seeds(), *cases(name)]
    for seed in (b"", *seeds):
        target.run(seed)
    for _ in range(TRIES):
        target.run(mangled(chance.choice(seeds), chance))


def mangled(seed: bytes, chance: random.Random) -> bytes:
    """A few bytes more, less, or others."""
    said = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(said) + 1)
        said[at : at + chance.choice([0, 0, 1, 9])] = chance.choice([b"", *SIGNS])
    return bytes(said)


@given(
    name=st.sampled_from([*PAYLOADS]), changes=st.lists(st.tuples(st.integers(0, 60), values), min_size=1, max_size=3)
)
def test_a_payload_names_nobody_and_no_place_that_slack_does_not_have(
    name: str, changes: list[tuple[int, Any]]
) -> None:
    body: Any = json.loads(json.dumps(PAYLOADS[name]))
    for nth, value in changes:
        ways = [*paths(body)]
        *way, last = ways[nth % len(ways)]
        place = body
        for key in way:
            place = place[key]
        place[last] = value
    TARGETS["slack"].run(json.dumps(body).encode())
    TARGETS["sealed"].run(json.dumps(body).encode())


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.integers(0, 999), st.integers(-2, 2))
def test_a_frame_is_read_as_it_was_made_or_not_at_all(out: str, err: str, look: str, code: int, off: int) -> None:
    parts = [part.encode("utf-8", "replace") for part in (out, err, look)]
    sizes = [len(part) for part in parts]
    sizes[1] = max(0, sizes[1] + off)
    whole = b"maskbot-guard 1 0.1.0 a1 %d %d %d %d\n" % (code, *sizes) + b"".join(parts)

    found = read_frame(whole.decode(), "a1")

    if sizes[1] != len(parts[1]):
        assert found is None
    else:
        assert found is not None
        assert [found.stdout, found.stderr, found.look] == [part.decode() for part in parts]
        assert found.exit_code == code
        assert read_frame(whole.decode(), "a2") is None
