"""The shipped list of critical units: what is on it, and that nothing takes it off."""

import pytest

from bot.core.policy.rules.unit_names import find_listed
from tests.config.folder import Folder

NEVER = [
    "ssh.service", "sshd.service", "ssh.socket", "sshd@1.service", "tailscaled.service", "wg-quick@wg0.service",
    "systemd-networkd.service", "NetworkManager.service", "networking.service", "systemd-resolved.service",
    "nftables.service", "home.mount", "swap.swap", "lvm2-monitor.service", "multipathd.service",
    "iscsid.service", "systemd-fsck@x.service", "zfs-import.service", "systemd-logind.service",
    "getty@tty1.service", "user@1000.service", "polkit.service", "sysinit.target", "user-1000.slice",
    "init.scope", "dbus.service", "dbus.socket", "dbus-broker.service", "dbus-org.freedesktop.login1.service",
    "systemd-journald.service", "systemd-journald.socket", "auditd.service", "systemd-timesyncd.service",
    "chrony.service", "chronyd.service", "cloud-init.service", "qemu-guest-agent.service",
    "google-guest-agent.service", "amazon-ssm-agent.service", "walinuxagent.service", "open-vm-tools.service",
    "systemd-udevd.service", "maskbot.service", "nebula@mesh.service", "netbird.service", "tinc@home.service",
    "ppp@wan.service", "frr.service", "bird.service", "bird6.service", "cilium.service", "openvpn-client@x.service",
]  # fmt: skip
GUARDED = ["docker.service", "containerd.service", "kubelet.service", "libvirtd.service", "postgresql@15-main.service"]
ORDINARY = ["cron.service", "worker.service", "nginx.service", "worker.socket", "backup.timer", "apt-daily.timer"]


@pytest.mark.parametrize("unit", NEVER)
def test_nobody_masks(unit: str, folder: Folder) -> None:
    assert find_listed(folder.load().policy.critical, [unit]) is not None


@pytest.mark.parametrize("unit", GUARDED)
def test_more_people_have_to_agree_to(unit: str, folder: Folder) -> None:
    policy = folder.load().policy
    assert find_listed(policy.critical, [unit]) is None
    assert find_listed(policy.guarded, [unit]) is not None


@pytest.mark.parametrize("unit", ORDINARY)
def test_ordinary_is(unit: str, folder: Folder) -> None:
    policy = folder.load().policy
    assert find_listed([*policy.critical, *policy.guarded], [unit]) is None


def test_an_installation_adds_its_own(folder: Folder) -> None:
    shipped = folder.load().policy
    folder.critical = "critical: [{units: [payroll.service], because: payday}]\nguarded: [{units: [x*], because: y}]\n"
    policy = folder.load().policy
    assert policy.critical[: len(shipped.critical)] == shipped.critical
    assert [(unit.pattern, unit.because) for unit in policy.critical[len(shipped.critical) :]] == [
        ("payroll.service", "payday")
    ]
    assert policy.guarded[-1].pattern == "x*"
    assert policy.digest != shipped.digest


def test_a_copy_of_the_shipped_list_changes_nothing(folder: Folder) -> None:
    shipped = folder.load().policy
    folder.critical = "critical: [{units: ['ssh*'], because: \"" + shipped.critical[0].because + '"}]\n'
    assert folder.load().policy.critical == shipped.critical


@pytest.mark.parametrize("word", ["remove", "except", "ordinary"])
def test_a_try_to_shrink_the_list_is_answered(word: str, folder: Folder) -> None:
    folder.critical = f"guarded: []\n{word}: [{{units: [ssh.service], because: we know better}}]\n"
    assert folder.complaints() == [
        f"critical-units.yaml:2: {word}: nothing can be removed from the shipped list; "
        "add units under `critical` and `guarded`"
    ]


def test_a_pattern_that_would_take_a_unit_off_is_answered(folder: Folder) -> None:
    folder.critical = 'critical: [{units: ["!ssh.service"], because: we know better}]\n'
    assert folder.complaints() == [
        "critical-units.yaml:1: critical[0].units[0]: `!ssh.service` would exclude units, which a pattern cannot do; "
        "list the units you mean"
    ]


def test_a_list_without_a_reason_is_refused(folder: Folder) -> None:
    folder.critical = "critical: [{units: [a.service]}]\n"
    assert folder.complaints() == ["critical-units.yaml:1: critical[0].because: is missing"]


def test_a_list_of_something_else_is_refused(folder: Folder) -> None:
    folder.critical = "- ssh.service\n"
    (complaint,) = folder.complaints()
    assert complaint.startswith("critical-units.yaml:1: has to be a mapping")
