"""A host with another key, or one that refuses ours: nothing is sent, what waits ends, and who runs the bot is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Outcome, Stage
from bot.workflow.engine.config_reload import put_in_force
from config.host_keys import read_public_key
from tests.edges.receiver import PageReceiver, receiving
from tests.workflow.conftest import Opening
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.lifecycle.test_outcome_unknown import is_masked, is_untouched
from tests.workflow.test_paging import webhook
from tests.workflow.wire import Call
from tests.workflow.world import POLICY, World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh
OPERATIONS = "COPS"
KEY, AUTHORIZED = "/etc/ssh/ssh_host_ed25519_key", "/home/maskbot/.ssh/authorized_keys"


@pytest.fixture
def receiver() -> Iterator[PageReceiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def told_world(open_world: Opening, receiver: PageReceiver) -> Iterator[World]:
    """A running bot that tells its operators in a channel and by the pager."""
    policy = replace(POLICY, operations_channel=OPERATIONS)
    with open_world(policy=policy, pager=webhook(receiver.url)) as one:
        yield one


@contextmanager
def another_key(host: AnyHost) -> Iterator[str]:
    """The host has a new key; the public line of it. Afterwards it has the old one again."""
    make = f"mv {KEY} {KEY}.old; mv {KEY}.pub {KEY}.pub.old; ssh-keygen -q -t ed25519 -N '' -f {KEY}; cat {KEY}.pub"
    public = host.run("sh", "-ec", make).stdout
    _log_in_anew(host)
    yield public
    host.run("sh", "-ec", f"mv {KEY}.old {KEY}; mv {KEY}.pub.old {KEY}.pub")
    _log_in_anew(host)


def _log_in_anew(host: AnyHost) -> None:
    cut_off(host)
    let_in(host)


def operators_read(world: World, part: str) -> str:
    """What stands in the operations channel, once something with these words does; it stands there once."""

    def found() -> list[str]:
        said = [one.text.text for one in list(world.slack.messages.values()) if one.channel == OPERATIONS]
        return [text for text in said if part in text]

    world.until(lambda: bool(found()), f"`{part}` for the operators")
    (text,) = found()
    return text


def pinned_anew(world: World, host: str, public: str) -> None:
    """An operator wrote another fingerprint into hosts.yaml, and said SIGHUP."""
    pins = frozenset({read_public_key(public)})
    hosts = (replace(one, pins=pins) if one.name == host else one for one in world.deps.in_force.inventory.hosts)
    put_in_force(
        world.deps, ConfigSnapshot(Inventory(tuple(hosts)), replace(world.deps.in_force.policy, digest="1" * 64))
    )


@pytest.mark.fault("F08", how="a second host key on a real host, after people were asked")
def test_a_host_with_another_key_is_set_aside_until_its_key_is_pinned_anew(
    told_world: World, receiver: PageReceiver, saw: Callable[[str], str]
) -> None:
    world, host = told_world, told_world.hosts["db-01"]
    waits = world.mask("tuned", host="db-01")
    with another_key(host) as public:
        refused = world.mask("cron", host="db-01")
        assert (refused.stage, "does not match the pin" in refused.because) == (Stage.REFUSED, True), refused.because
        ended = world.until_final(waits)
        assert (ended.stage, ended.finished_at is not None) == (Stage.CANCELLED, True)
        assert "its host key is not the pinned one" in world.card(waits)
        assert "`host_keys`" in operators_read(world, "db-01 showed another host key")

        calls = len(world.wire.calls)
        for unit in ("cron", "tuned"):
            assert "has been in quarantine since" in saw(world.mask(unit, host="db-01").because)
        assert world.wire.calls[calls:] == []
        assert _types(world).count("host.quarantined") == 1
        assert is_untouched(host, "tuned.service")

        pinned_anew(world, "db-01", public)
        operators_read(world, "db-01 is trusted again.")
        assert world.masked("tuned", host="db-01").target.outcome is Outcome.PROVEN
        assert is_masked(host, "tuned.service")
    world.until(lambda: len(receiver.events()) == 2, "a page and its end")
    assert receiver.events() == [("trigger", "maskbot-host-db-01"), ("resolve", "maskbot-host-db-01")]
    assert not [one for one in world.slack.messages.values() if "SHA256" in repr(one)]
    assert "SHA256" in repr(_of_type(world, "host.quarantined"))


@pytest.mark.fault("F07", how="the bot's key removed from authorized_keys, after people were asked")
def test_a_host_that_refuses_our_key_is_tried_once_each_time_and_who_runs_the_bot_is_told(
    told_world: World, receiver: PageReceiver, saw: Callable[[str], str]
) -> None:
    world, host = told_world, told_world.hosts["web-02"]
    waits = world.mask("tuned", host="web-02")
    host.run("mv", AUTHORIZED, f"{AUTHORIZED}.away")
    _log_in_anew(host)
    tries = list[Call]()
    world.wire.before.append(tries.append)
    failed = world.approve(waits)
    assert len(tries) == 1
    assert failed.target.outcome is Outcome.FAILED
    assert world.card(waits).startswith("FAILED, NOTHING WAS CHANGED")
    assert "it refused the bot's key for maskbot. Nothing was sent. The operator is notified." in world.card(waits)
    saw(failed.target.note)
    assert "`maskbot doctor web-02`" in operators_read(world, "web-02 refuses the bot's key")

    assert "refused the bot's key" in world.mask("cron", host="web-02").because
    host.run("mv", f"{AUTHORIZED}.away", AUTHORIZED)
    assert world.masked("tuned", host="web-02").target.outcome is Outcome.PROVEN
    operators_read(world, "web-02 accepts the bot's key again.")
    world.until(lambda: len(receiver.events()) == 2, "a page and its end")
    assert receiver.events() == [("trigger", "maskbot-host-web-02"), ("resolve", "maskbot-host-web-02")]
    assert _types(world).count("host.login_refused") == 1


def _types(world: World) -> list[str]:
    return [record["type"] for record in world.store.records()]


def _of_type(world: World, kind: str) -> list[object]:
    return [record for record in world.store.records() if record["type"] == kind]
