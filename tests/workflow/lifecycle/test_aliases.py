"""Every name of a unit, on real hosts: what a mask covers, what stays startable, and the way back from any of them."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from bot.core.requests import Outcome, Stage
from bot.workflow.hosts.look import look
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.slack import ALICE
from tests.workflow.world import World

pytestmark = pytest.mark.ssh

VENDOR, ETC = "/usr/lib/systemd/system", "/etc/systemd/system"
PREPARED = f"""
printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n' >{VENDOR}/names.service
ln {VENDOR}/names.service {VENDOR}/names-twin.service
ln -s names.service {VENDOR}/names-alias.service
ln -s template@.service {VENDOR}/names-other@.service
systemctl daemon-reload
systemctl start names.service template@5.service
"""


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


@pytest.fixture(scope="module")
def host(shared_world: World) -> Iterator[AnyHost]:
    """One host with names of every kind."""
    one = shared_world.hosts["web-01"]
    prepared = one.run("sh", "-ec", PREPARED)
    assert not prepared.stderr, prepared.stderr
    yield one
    one.run(
        "sh", "-c", "systemctl stop names names-twin template@5 names-other@5 names-other@6; systemctl unmask names"
    )
    one.run("sh", "-c", f"rm {VENDOR}/names* {ETC}/*names*; systemctl daemon-reload")


def start(host: AnyHost, unit: str) -> str:
    return host.run("systemctl", "start", unit).stderr


@pytest.mark.fault("F80", how="a second unit that is the same real file, on a real host")
def test_a_second_unit_of_the_same_file_is_named_and_an_alias_is_refused(shared_world: World, host: AnyHost) -> None:
    asked = shared_world.mask("names")
    assert "names-twin.service is the same unit file" in shared_world.card(asked)
    done = shared_world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert "names-twin.service is the same unit file" in shared_world.card(done)
    assert "try-start names-alias.service" in [sent.step for sent in done.target.sent]
    assert "names.service is masked" in start(host, "names-alias.service")
    assert start(host, "names-twin.service") == ""
    host.run("systemctl", "stop", "names-twin.service")

    again = shared_world.mask("names-alias")
    assert (again.stage, "asked by alice" in again.because) == (Stage.REFUSED, True), again.because
    told = shared_world.ephemeral(
        ALICE, "names.service is already masked on web-01 (persistent), asked by alice (INC-42"
    )
    assert told.endswith("[Unmask] [Set an expiry] [Keep]")
    back = shared_world.unmask("names-alias")
    assert (back.ask.undoes, back.target.outcome) == (done.id, Outcome.RESTORED), (back.because, back.target.note)
    assert host.show("names.service", "ActiveState") == {"ActiveState": "active"}


@pytest.mark.fault("F80", how="a copy of the unit file under another name, on a real host")
def test_a_copy_of_its_file_is_named(shared_world: World, host: AnyHost) -> None:
    host.run("cp", f"{VENDOR}/restless.service", f"{ETC}/names-copy.service")
    asked = shared_world.mask("restless")
    assert "names-copy.service has the same contents and can still be started" in shared_world.card(asked)


def test_an_alias_of_its_install_section_leads_back_to_the_mask(shared_world: World) -> None:
    done = shared_world.masked("secondary")
    assert str(done.target.unit) == "primary.service"
    back = shared_world.unmask("secondary")
    assert (back.ask.undoes, back.target.outcome) == (done.id, Outcome.RESTORED), (back.because, back.target.note)


@pytest.mark.fault("F80", how="a template with a second name, on a real host")
def test_a_masked_instance_that_its_templates_other_name_starts_is_still_our_mask(
    shared_world: World, host: AnyHost
) -> None:
    done = shared_world.masked("template@5")
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert "names-other@5.service is the same unit file" in shared_world.card(done)
    assert start(host, "names-other@5.service") == ""
    seen = look(shared_world.deps, shared_world.deps.in_force.inventory.host("web-01"), done.target.unit)
    assert (str(seen.id), seen.mask_layers) == ("names-other@5.service", (done.target.layer,))

    back = shared_world.undo(done)
    assert back.target.outcome in (Outcome.RESTORED, Outcome.RESTORED_PARTLY), back.target.note
    assert host.run("test", "-e", f"{ETC}/template@5.service").returncode == 1
    assert shared_world.card(done).startswith("UNDONE")


@pytest.mark.fault("F80", how="an alias that systemd has not loaded yet")
def test_names_that_a_mask_would_not_cover_are_refused(shared_world: World, host: AnyHost) -> None:
    host.run("ln", "-s", f"{VENDOR}/worker.service", f"{ETC}/names-fresh.service")
    fresh = shared_world.mask("names-fresh")
    assert fresh.because.startswith("names-fresh.service is another name of worker.service on web-01")
    host.run("systemctl", "start", "template@6.service")
    other = shared_world.mask("names-other@6")
    assert "by a second name of its template" in other.because


def test_instances_that_lead_to_another_one_link_by_link_are_covered(shared_world: World, host: AnyHost) -> None:
    """Names that a mask covers are no longer among the unit's names for systemd: only the disk knows them."""
    links = ("farther@9.service", "linked@9.service", "template@9.service")
    made = "; ".join(f"ln -s {goal} {ETC}/{name}" for name, goal in pairwise(links))
    host.run("sh", "-c", f"{made}; systemctl daemon-reload; systemctl start template@9")
    asked = shared_world.mask("farther@9")
    assert asked.target.unit.text == "template@9.service"
    card = shared_world.card(asked)
    assert "another name of" in card
    assert not [name for name in links if f"{name} is the same unit file" in card]
    done = shared_world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert done.target.after
    assert {*links} <= done.target.after.names
    assert all("is masked" in start(host, name) for name in links)
    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    host.run("sh", "-c", f"systemctl stop template@9; cd {ETC}; rm {' '.join(links[:2])}; systemctl daemon-reload")
