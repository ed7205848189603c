"""The lab's hosts: they behave like real ones, support what tests need, and leave nothing behind."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.edges.guard.talking import ask
from tests.lab.ground import Ground, cgroups_of, mounted_under
from tests.lab.hosts import Lab, LabHost
from tests.lab.machine import cgroups, doubles
from tests.lab.pristine import Pristine
from tests.lab.rights import RIGHTS

pytestmark = pytest.mark.ssh


def as_bot(host: LabHost, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(host.ssh(command), capture_output=True, text=True, check=False)


def test_hosts_are_called_what_they_are_called(lab_hosts: Mapping[str, LabHost]) -> None:
    assert {name: as_bot(host, "hostname").stdout.strip() for name, host in lab_hosts.items()} == {
        name: name for name in ("web-01", "web-02", "db-01")
    }
    assert len({host.run("cat", "/etc/machine-id").stdout for host in lab_hosts.values()}) == 3
    assert len({host.host_key for host in lab_hosts.values()}) == 3


def test_a_host_is_up_and_nothing_on_it_has_failed(host: LabHost) -> None:
    assert host.run("systemctl", "is-system-running").stdout == "running\n"
    for unit in ("cron.service", "dbus.service", "systemd-logind.service", "systemd-journald.service", "ssh.service"):
        assert host.show(unit, "ActiveState") == {"ActiveState": "active"}, unit


def test_nothing_has_to_be_left_out_of_a_boot(host: LabHost) -> None:
    verified = host.run("systemd-analyze", "verify", "default.target")  # systemd drops a job of its choice from a cycle

    assert "ordering cycle" not in verified.stderr


def test_the_bots_login_is_not_root(host: LabHost) -> None:
    denied = as_bot(host, f"{RIGHTS.program} -n id")

    assert (denied.returncode, denied.stdout) == (1, "")
    assert as_bot(host, "id -un").stdout == "maskbot\n"


def test_the_bots_login_may_do_what_the_product_asks_for(host: LabHost) -> None:
    masked = ask(host, "link", "persistent", "cron.service")

    assert masked.code == 0, masked.err
    assert host.run("readlink", "/etc/systemd/system/cron.service").stdout == "/dev/null\n"


def test_nobody_gets_in_with_another_key(host: LabHost, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    argv = [str(other) if word == str(host.key_file) else word for word in host.ssh("true")]

    assert "Permission denied (publickey)" in subprocess.run(argv, capture_output=True, text=True, check=False).stderr


def test_a_real_systemd_refuses_what_is_masked(host: LabHost) -> None:
    host.run("systemctl", "mask", "--now", "worker.service")

    assert host.show("worker.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}
    assert "is masked" in host.run("systemctl", "start", "worker.service").stderr


def test_a_lingering_user_has_a_manager_of_their_own(host: LabHost) -> None:
    for unit in ("indexer.service", "mirror.service"):
        assert host.run("systemctl", "--user", "-M", "deploy@.host", "is-active", unit).stdout == "active\n"
    assert host.run("loginctl", "show-user", "idle").returncode != 0


@pytest.mark.parametrize(
    ("unit", "known"),
    [
        ("local.service", {"FragmentPath": "/etc/systemd/system/local.service", "ActiveState": "active"}),
        ("linked.service", {"FragmentPath": "/etc/systemd/system/linked.service", "ActiveState": "active"}),
        ("oldname.service", {"Id": "worker.service", "ActiveState": "active"}),
        ("secondary.service", {"Id": "primary.service", "ActiveState": "active"}),
        ("sshd.service", {"Id": "ssh.service", "ActiveState": "active"}),
        ("template@1.service", {"LoadState": "loaded", "ActiveState": "active"}),
        ("db@main.service", {"PartOf": "db.service", "ActiveState": "active"}),
        ("gate.service", {"RequiredBy": "auditd.service", "ActiveState": "active"}),
        ("norestart.service", {"RefuseManualStart": "yes", "ActiveState": "active"}),
        ("refusestop.service", {"RefuseManualStop": "yes", "ActiveState": "active"}),
        ("watchdog.service", {"WatchdogUSec": "1min 30s", "NotifyAccess": "all", "ActiveState": "active"}),
        ("handmade.service", {"FragmentPath": "/etc/systemd/system/handmade.service", "LoadState": "masked"}),
        ("vendormasked.service", {"FragmentPath": "/lib/systemd/system/vendormasked.service", "LoadState": "masked"}),
        ("generated.service", {"FragmentPath": "/run/systemd/generator/generated.service", "ActiveState": "active"}),
        ("early.service", {"FragmentPath": "/run/systemd/generator.early/early.service", "ActiveState": "active"}),
        ("transient-one.service", {"Transient": "yes", "ActiveState": "active"}),
        ("beat.timer", {"Triggers": "beat.service", "ActiveState": "active"}),
        ("watched.path", {"Triggers": "watched.service", "ActiveState": "active"}),
        ("echo.socket", {"Triggers": "echo.service", "SubState": "listening"}),
    ],
)
def test_a_unit_is_the_case_it_stands_for(
    lab_hosts: Mapping[str, LabHost], unit: str, known: Mapping[str, str]
) -> None:
    shown = lab_hosts["web-01"].show(unit, *known)

    assert {name: value.removeprefix("/usr") for name, value in shown.items()} == known  # /lib is /usr/lib


def test_traffic_starts_the_unit_behind_a_socket(host: LabHost) -> None:
    call = 'use IO::Socket::UNIX; print readline(IO::Socket::UNIX->new("/run/echo.sock"))'

    assert host.run("perl", "-e", call).stdout == "hello\n"
    assert host.show("echo.service", "ActiveState") == {"ActiveState": "active"}


def test_a_unit_that_may_not_be_killed_fails_and_leaves_its_process(host: LabHost) -> None:
    host.run("systemctl", "start", "unkillable.service")
    host.run("systemctl", "stop", "unkillable.service")

    assert host.show("unkillable.service", "ActiveState", "Result") == {"ActiveState": "failed", "Result": "timeout"}
    assert "sleep infinity" in host.run("systemd-cgls", "--no-pager", "--unit", "unkillable.service").stdout


def test_a_stop_without_a_limit_does_not_end(host: LabHost) -> None:
    host.run("systemctl", "start", "endless.service")

    with pytest.raises(subprocess.TimeoutExpired):
        host.run("systemctl", "stop", "endless.service", seconds=1)
    assert host.show("endless.service", "ActiveState") == {"ActiveState": "deactivating"}


def test_a_file_is_written_where_it_is_asked_for(host: LabHost) -> None:
    host.write("/etc/systemd/system/extra.service", "[Service]\nExecStart=/bin/true\n", mode=0o600)

    assert host.run("stat", "-c", "%a %U", "/etc/systemd/system/extra.service").stdout == "600 root\n"


def disturb_nothing(host: LabHost) -> None:
    assert host.show("worker.service", "ActiveState") == {"ActiveState": "active"}


def mask_with_dependents(host: LabHost) -> None:
    host.run("systemctl", "mask", "--now", "worker.service")


def mask_in_control_layer(host: LabHost) -> None:
    host.run("ln", "-s", "/dev/null", "/etc/systemd/system.control/local.service")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "stop", "local.service")


def mask_for_a_user(host: LabHost) -> None:
    host.run("systemctl", "--user", "-M", "deploy@.host", "mask", "--now", "indexer.service")


def remove_an_enablement(host: LabHost) -> None:
    host.run("systemctl", "disable", "--now", "tuned.service")


def hang_in_a_stop(host: LabHost) -> None:
    host.run("systemctl", "start", "endless.service")
    host.run("systemctl", "stop", "--no-block", "endless.service")


def lose_the_transient_one(host: LabHost) -> None:
    host.run("systemctl", "stop", "transient-one.service")


@pytest.mark.parametrize(
    "disturb",
    [
        disturb_nothing,
        mask_with_dependents,
        mask_in_control_layer,
        mask_for_a_user,
        remove_an_enablement,
        hang_in_a_stop,
        lose_the_transient_one,
    ],
)
def test_a_host_is_brought_back_to_how_it_was(
    lab_hosts: Mapping[str, LabHost], disturb: Callable[[LabHost], None]
) -> None:
    host = lab_hosts["web-02"]
    pristine = Pristine.of(host)

    disturb(host)
    assert pristine.is_intact() == (disturb is disturb_nothing)
    pristine.restore()

    assert pristine.is_intact()


def test_the_guard_of_a_host_that_is_brought_back_remembers_nothing(lab_hosts: Mapping[str, LabHost]) -> None:
    host = lab_hosts["web-02"]
    host.write("/var/lib/maskbot-guard/:cron.service", "maskbot-guard memory 1\n")
    Pristine.of(host).restore()
    assert host.run("ls", "-A", "/var/lib").stdout.count("maskbot-guard") == 0


def test_a_reboot_takes_what_is_in_run_and_keeps_what_is_in_etc() -> None:
    with Lab() as lab:
        host = lab.boot(["again-01"], control=False)["again-01"]
        machine_id = host.run("cat", "/etc/machine-id").stdout
        host.run("systemctl", "mask", "worker.service")
        host.run("systemctl", "mask", "--runtime", "cron.service")

        host.reboot()

        assert host.run("cat", "/etc/machine-id").stdout == machine_id
        assert as_bot(host, "hostname").stdout == "again-01\n"
        assert host.show("worker.service", "LoadState") == {"LoadState": "masked"}
        assert host.show("cron.service", "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"}
        assert host.run("ls", "-d", "/etc/systemd/system.control").returncode != 0


def left_of(name: str) -> list[Path]:
    """Cgroups, mounts and directories whose names contain that of a host."""
    older = (double for root in doubles(cgroups()) for double in root.glob(f"**/maskbot-lab-*-{name}"))
    places = [*cgroups_of(f"maskbot-lab-*-{name}"), *older, *Path("/run/systemd/nspawn/propagate").glob(f"{name}-*")]
    return [*places, *(place for place in mounted_under(Path("/run/maskbot-lab")) if name in place.parts)]


@contextmanager
def lab_of_a_person(name: str) -> Iterator[subprocess.Popen[str]]:
    """A process of `python -m tests.lab.hosts NAME`, once its host is up."""
    argv = ("env", "--default-signal=HUP,INT", sys.executable, "-m", "tests.lab.hosts", name)  # not under nohup
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as lab:
        try:
            assert lab.stdout is not None
            assert any("Ctrl-C ends them" in line for line in lab.stdout), "the lab did not come up"
            yield lab
        finally:
            if lab.poll() is None:
                lab.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_a_lab_finds_nothing_of_it_afterwards(lab_hosts: object, ending: signal.Signals) -> None:
    with lab_of_a_person("gone-01") as lab:
        assert left_of("gone-01") != []
        lab.send_signal(ending)

        assert lab.wait(30) == 0
    assert left_of("gone-01") == []


def test_the_next_lab_clears_away_what_a_killed_one_left(lab_hosts: Mapping[str, LabHost]) -> None:
    with lab_of_a_person("gone-02") as lab:
        lab.kill()
        lab.wait(30)
    assert left_of("gone-02") != []

    Ground.prepare().remove()

    assert left_of("gone-02") == []
    assert as_bot(lab_hosts["db-01"], "hostname").stdout == "db-01\n", "a lab that lives is not cleared away"


def test_a_lab_that_fails_half_way_leaves_nothing(lab_hosts: object) -> None:
    with pytest.raises(ZeroDivisionError), Lab() as lab:
        lab.boot(["gone-03"])
        raise ZeroDivisionError
    assert left_of("gone-03") == []


@pytest.mark.parametrize(
    ("confined", "sentence"),
    [
        (("unshare", "--user"), "The lab boots real hosts with systemd, and only root can do that."),
        (
            ("unshare", "--user", "--map-root-user"),
            "The lab cannot mount a file system of type tmpfs here, and so has no hosts (an unprivileged container?).",
        ),
    ],
)
def test_where_it_cannot_work_the_lab_says_so_in_one_sentence(confined: tuple[str, ...], sentence: str) -> None:
    argv = (*confined, sys.executable, "-m", "tests.lab.hosts")
    refused = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])

    assert (refused.returncode, refused.stderr) == (1, f"{sentence}\n")
