"""The start of a proof starts nothing, also where two conversations with the bot's key race."""

import threading

import pytest

from tests.edges.guard.asking import identity
from tests.edges.guard.talking import ask, talking
from tests.edges.guard.test_changes import CONTROL, ETC, masked
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh
UNIT, LINK = "cron.service", "/run/systemd/system/cron.service"
LOCAL = "local.service"  # whose file is in /etc/systemd/system
ROUNDS = 100


def test_no_start_of_a_proof_meets_the_moment_in_which_its_mask_goes(host: LabHost) -> None:
    """Root has stopped it, and the bot brings back only what it stopped itself."""
    host.run("systemctl", "stop", UNIT)
    over = threading.Event()

    def flicker() -> None:
        with talking(host) as talk:
            while not over.is_set():
                talk.ask("link", "runtime", UNIT)
                talk.ask("reload")
                talk.ask("unlink", "runtime", UNIT, identity(host, LINK))
                talk.ask("reload")

    other = threading.Thread(target=flicker)
    other.start()
    try:
        with talking(host) as talk:
            codes = {talk.ask("try-start", UNIT).code for _ in range(ROUNDS)}
    finally:
        over.set()
        other.join()
    assert codes <= {64, 1}
    assert host.show(UNIT, "ActiveState") == {"ActiveState": "inactive"}


def test_no_start_is_tried_of_what_others_masked_or_once_its_link_is_gone(host: LabHost) -> None:
    """systemd says masked until it reads its files again, which somebody may ask for at any moment."""
    assert ask(host, "try-start", "handmade.service").is_refused
    masked(host)
    assert ask(host, "try-start", UNIT).code == 1
    host.run("rm", f"{ETC}/{UNIT}")
    assert host.show(UNIT, "LoadState") == {"LoadState": "masked"}
    assert ask(host, "try-start", UNIT).is_refused


def unlink_what_a_proof_rests_on(host: LabHost, unit: str, *links: tuple[str, str]) -> None:
    """Of two links of the guard the one in force goes, and systemd says masked until it reads its files again."""
    host.run("systemctl", "stop", unit)
    for layer, name in links:
        assert ask(host, "link", layer, name).code == 0
    assert ask(host, "reload").code == 0
    assert ask(host, "try-start", unit).code == 1
    assert ask(host, "unlink", "control", unit, identity(host, f"{CONTROL}/{unit}")).code == 0
    assert host.show(unit, "LoadState") == {"LoadState": "masked"}
    assert ask(host, "try-start", unit).is_refused


def test_no_start_is_tried_where_its_link_does_not_count(host: LabHost) -> None:
    """Where root's own file is before the link."""
    unlink_what_a_proof_rests_on(host, LOCAL, ("control", LOCAL), ("runtime", LOCAL))
    host.run("systemctl", "daemon-reload")
    assert ask(host, "try-start", LOCAL).is_refused
    assert host.show(LOCAL, "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "inactive"}


def test_no_start_is_tried_of_a_unit_of_which_an_alias_is_masked(host: LabHost) -> None:
    host.run("ln", "-s", "/usr/lib/systemd/system/cron.service", "/run/systemd/system/crond.service")
    host.run("systemctl", "daemon-reload")
    unlink_what_a_proof_rests_on(host, UNIT, ("control", "crond.service"), ("control", UNIT))
    host.run("rm", "/run/systemd/system/crond.service")
