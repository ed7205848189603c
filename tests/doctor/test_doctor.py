"""Findings: what failed is named with its fix, and what must have been well before it is named too."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import Note
from bot.doctor.check_result import CheckResult
from bot.doctor.hosts import examine_host, examine_unpinned, examine_without_key, twins
from bot.errors import HostError, MaskbotError, OutcomeUnknown
from bot.ports import CommandResult

HOST = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")


@dataclass(frozen=True)
class Broken:
    """Hosts that all fail in one way."""

    error: MaskbotError

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        raise self.error


@pytest.mark.parametrize(
    ("code", "well", "failed"),
    [
        ("ssh_refused", [], "reachable"),
        ("ssh_banner_timeout", [], "reachable"),
        ("ssh_weak_crypto", ["reachable"], "algorithms"),
        ("host_key_mismatch", ["reachable", "algorithms"], "host key"),
        ("ssh_auth_refused", ["reachable", "algorithms", "host key"], "login"),
        ("ssh_cert_refused", ["reachable", "algorithms", "host key"], "login"),
        ("ssh_signer", ["reachable", "algorithms", "host key"], "login"),
        ("no_systemctl", ["reachable", "algorithms", "host key", "login", "session"], "systemctl"),
        ("no_bus", ["reachable", "algorithms", "host key", "login", "session", "systemctl"], "D-Bus"),
    ],
)
def test_the_first_thing_that_fails_is_named_with_a_fix_after_what_was_well(
    code: str, well: list[str], failed: str
) -> None:
    *before, last = examine_host(Broken(HostError("it failed", code=code)), HOST, [], deadline=1)[0]

    assert [(one.check, one.is_ok) for one in before] == [(check, True) for check in well]
    assert (last.check, last.is_ok, last.what) == (failed, False, "it failed")
    assert last.fix
    assert ("`--from`" in last.fix) == (code == "ssh_auth_refused")


def test_a_host_that_does_not_answer_is_named_with_its_address_and_port() -> None:
    *_, last = examine_host(Broken(HostError("connection refused", code="ssh_refused")), HOST, [], deadline=1)[0]

    assert "192.0.2.1 port 22, as hosts.yaml says; `ssh-keyscan -p 22 192.0.2.1`" in last.fix


@pytest.mark.parametrize("examine", [examine_unpinned, examine_without_key])
def test_of_a_host_without_a_pinned_key_it_is_said_first_whether_it_answers(
    examine: Callable[[Callable[[Host], tuple[str, str]], Host], list[CheckResult]],
) -> None:
    def is_down(host: Host) -> tuple[str, str]:
        raise HostError(f"{host.name}: connection refused", code="ssh_refused")

    (down,) = examine(is_down, HOST)
    *_, up = examine(lambda _: ("SHA256:AAA", "ssh-ed25519"), HOST)

    assert (down.check, down.what) == ("reachable", "web-01: connection refused")
    assert (up.check, "It shows SHA256:AAA (ssh-ed25519)" in up.what) == ("host key", True)
    assert "`maskbot hosts scan`" in up.fix


def test_what_the_host_showed_instead_of_its_pin_is_told() -> None:
    error = HostError("its host key does not match the pin", code="host_key_mismatch")
    error.add_note("pinned: SHA256:AAA; shown: SHA256:BBB")

    *_, last = examine_host(Broken(error), HOST, [], deadline=1)[0]

    assert "shown: SHA256:BBB" in last.what


def test_no_answer_to_a_look_is_a_finding_and_not_an_error() -> None:
    findings, machine_id = examine_host(Broken(OutcomeUnknown("no answer")), HOST, [], deadline=1)

    assert (findings[-1].check, findings[-1].is_ok, machine_id) == ("look", False, "")


def test_two_names_for_one_machine_are_found_under_both() -> None:
    found = list(twins({"web-01": "a" * 32, "web-02": "b" * 32, "db-01": "a" * 32}))

    assert [(one.about, one.is_ok) for one in found] == [("db-01", False), ("web-01", False)]
    assert "db-01 and web-01 have the same machine-id" in found[0].what
