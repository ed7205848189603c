"""A certificate for each login: a real sshd that logs the request's id, and every answer that is refused."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko
import pytest

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import Note
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.login import SshLimits
from bot.edges.ssh.signer import Signer
from bot.errors import HostError
from tests.edges.ssh.signing import make_signer
from tests.edges.ssh_server import Sshd, fails, make_key, sshd
from tests.plugins.fault_table import was_read

ID = r"Accepted publickey for .* ED25519-CERT SHA256:\S+ ID (\S+) \(serial 7\) CA ED25519"


@dataclass(frozen=True, slots=True)
class Place:
    """A host that admits certificates and the plain key, and a signer beside it."""

    server: Sshd
    folder: Path

    @property
    def host(self) -> Host:
        return self.server.host

    @property
    def signer(self) -> Signer:
        return Signer((str(self.folder / "sign"), "a word"), deadline=5.0)

    @property
    def key(self) -> paramiko.PKey:
        return paramiko.PKey.from_path(self.server.key_file)

    @property
    def asked(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "asked").read_text())
        return found

    def ids(self) -> list[str]:
        """The key ids that sshd has logged with the logins, the oldest first."""
        return re.findall(ID, self.server.log)

    def answers(self, script: str) -> None:
        (self.folder / "answer").write_text(script)

    def hosts(self, limits: SshLimits | None = None, now: Callable[[], float] = time.monotonic) -> SshHosts:
        return SshHosts(self.server.key_file, limits, signer=self.signer, now=now)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, signing = tmp_path_factory.mktemp("sshd"), tmp_path_factory.mktemp("signer")
    public = make_signer(signing)
    (folder / "authorities").write_text(public)
    accepted = (f"TrustedUserCAKeys {folder}/authorities", f"AuthorizedPrincipalsFile {folder}/principals")
    with sshd(folder, *accepted, "LogLevel VERBOSE") as server:
        login = server.host.login
        (folder / "principals").write_text(f"{login}@web-01\n{login}@db-01\n")
        yield Place(server, signing)


@pytest.fixture
def place(serving: Place) -> Iterator[Place]:
    yield serving
    (serving.folder / "answer").unlink(missing_ok=True)


def test_sshd_logs_the_request_s_id_with_the_login_of_a_change(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "canary")
    ssh, before = place.hosts(), len(place.ids())
    hosts, words = GuardedHosts(ssh), ("maskbot-guard", "check", "cron.service")
    change = hosts.run(place.host, words, deadline=10, note=Note(request="r0123456789"))
    look = hosts.run(place.host, words, deadline=10)
    hosts.log_in(place.host)
    ssh.close()

    assert place.ids()[before:] == ["maskbot/r0123456789", "maskbot/look", "maskbot/look"]
    assert change.ssh.endswith(", certificate 7")
    assert change.ssh == look.ssh
    assert "canary" not in (place.folder / "environment").read_text()


def test_the_signer_is_told_all_that_a_certificate_needs(place: Place) -> None:
    run(place, "r1")
    assert place.asked == {
        "host": place.host.name,
        "login": place.host.login,
        "request": "r1",
        "key_id": "maskbot/r1",
        "public_key": f"{place.key.get_name()} {place.key.get_base64()}",
        "seconds": 300,
    }


def test_a_connection_serves_one_request_and_not_longer_than_its_certificate(place: Place) -> None:
    hosts, before = place.hosts(), len(place.ids())
    try:
        for change in ("r1", "r2", "r1", "", "r2", ""):
            run(place, change, hosts)
        assert place.ids()[before:] == ["maskbot/r1", "maskbot/r2", "maskbot/look"]
        clock = Clock()
        later, before = place.hosts(SshLimits(idle=900, lifetime=900), now=clock), len(place.ids())
        for clock.now in (0.0, 180.0, 301.0):
            run(place, "r1", later)
        assert place.ids()[before:] == ["maskbot/r1", "maskbot/r1"]
        later.close()
    finally:
        hosts.close()


OTHERS = {
    "over": ("{sign} -V -10m:-5m own.pub; cat own-cert.pub", "it is valid from "),
    "not yet": ("{sign} -V +5m:+9m own.pub; cat own-cert.pub", "it is valid from "),
    "too long": ("{sign} -V +1h own.pub; cat own-cert.pub", " s, and 420 s are the most"),
    "from the beginning": ("{sign} -V always:+5m own.pub; cat own-cert.pub", " s, and 420 s are the most"),
    "another host": ("{sign} -n {login}@web-02 own.pub; cat own-cert.pub", "it is for {login}@web-02, not for "),
    "one host more": ("{sign} -n {login},web-02 own.pub; cat own-cert.pub", "it is for {login}, web-02, not for "),
    "everybody": ("{all} own.pub; cat own-cert.pub", "it is for everybody, not for "),
    "hosts": ("{sign} -h own.pub; cat own-cert.pub", "it is one for hosts"),
    "another request": (
        "{sign} -I maskbot/r2 own.pub; cat own-cert.pub",
        "its key id is `maskbot/r2`, without maskbot/r1",
    ),
    "a longer id": (
        "{sign} -I maskbot/r12 own.pub; cat own-cert.pub",
        "its key id is `maskbot/r12`, without maskbot/r1",
    ),
    "an unknown option": ("{sign} -O critical:x@y=z own.pub; cat own-cert.pub", "does not know: x@y"),
    "another key": ("{sign} ca.pub; cat ca-cert.pub", "it is for another key"),
    "the plain key": ("cat own.pub", "it is not one line with a certificate"),
    "two": ("{sign} own.pub; cat own-cert.pub own-cert.pub", "it is not one line with a certificate"),
    "nothing": ("true", "it is not one line with a certificate"),
    "cut": ("{sign} own.pub; cut -c1-300 own-cert.pub", "it is damaged, or its signature is wrong"),
    "another word": (
        "{sign} own.pub; sed s/ssh-ed25519/ssh-rsa/ own-cert.pub",
        "it is damaged, or its signature is wrong",
    ),
    "changed": ("{sign} own.pub; tr 456 654 <own-cert.pub", "it is damaged, or its signature is wrong"),
    "failing": ("cat own.pub; exit 3", "its command ended with 3"),
    "slow": ("sleep 5", "its command gave no answer within 0.3 s"),
    "endless": ("yes", "its answer is longer than 16384 bytes"),
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.fault("F92", how="a signer that fails, is slow, or prints a certificate that was not asked for")
def test_what_the_signer_should_not_print_is_refused_before_anything_is_sent(place: Place, what: str) -> None:
    script, why = OTHERS[what]
    login, before = place.host.login, len(place.server.log)
    everybody = "ssh-keygen -q -s ca -I maskbot/r1 -V +5m"
    sign = f"{everybody} -n {login}@web-01"
    place.answers(script.format(sign=sign, all=everybody, login=login))
    error = refused(place, deadline=0.3 if what == "slow" else 5.0)
    assert str(error).startswith("web-01: the signer gave no certificate for the login (")
    assert why.format(login=login) in str(error)
    assert str(error).endswith("). Nothing was sent. Check what MASKBOT_SSH_SIGNER runs.")
    assert (error.code, error.passing) == ("ssh_signer", what in ("failing", "slow", "endless"))
    assert not re.search("Accepted|Failed|authenticating", place.server.log[before:])


def test_each_host_on_the_way_gets_a_certificate_of_its_own(place: Place) -> None:
    behind, before = replace(place.host, name="db-01", via=place.host), len(place.ids())
    place.answers('echo "$names" >>hosts; sign')
    hosts = place.hosts()
    assert hosts.run(behind, ("true",), deadline=10, change="r1").exit_code == 0
    hosts.close()
    login = place.host.login
    assert (place.folder / "hosts").read_text().split() == [f"{login}@web-01", f"{login}@db-01"]
    assert place.ids()[before:] == ["maskbot/r1", "maskbot/r1"]


def test_a_host_may_trust_the_ca_in_authorized_keys(place: Place) -> None:
    authority = make_key(place.folder / "second")
    accepted = f'cert-authority,restrict,command="echo guard",principals="{place.host.login}@web-01" {authority}'
    with (place.server.folder / "authorized_keys").open("a") as file:
        file.write(accepted)
    place.answers("sign second")
    hosts = place.hosts()
    assert hosts.run(place.host, ("false",), deadline=10, change="r1").stdout == "guard\n"
    hosts.close()


def test_a_signer_that_is_not_there_is_named(place: Place) -> None:
    hosts = SshHosts(place.server.key_file, signer=Signer(("/nonexistent",)))
    assert "its command could not be started: No such file or directory" in str(fails(hosts, place.host))


def test_the_plain_key_is_never_offered_where_there_is_a_signer(place: Place) -> None:
    """The host would accept it, and does where there is none."""
    plain = SshHosts(place.server.key_file)
    assert plain.run(place.host, ("true",), deadline=10).exit_code == 0
    plain.close()
    make_key(place.folder / "stranger")
    before = len(place.server.log)
    place.answers(f"ssh-keygen -q -s stranger -I maskbot/r1 -n {place.host.login} -V +5m own.pub; cat own-cert.pub")
    hosts = place.hosts()
    with pytest.raises(HostError) as failed:
        run(place, "r1", hosts)
    assert failed.value.code == "ssh_cert_refused"
    assert was_read(str(failed.value)).startswith("web-01: it refused the bot's certificate for ")
    log = place.server.log[before:]
    assert re.findall(r"(\w+ publickey) for .* ssh2: (\S+)", log) == [("Failed publickey", "ED25519-CERT")]
    (place.folder / "stranger").unlink()


@pytest.mark.parametrize("kind", ["-t ecdsa", "-t rsa -b 2048"])
def test_any_kind_of_key_is_signed(place: Place, tmp_path: Path, kind: str) -> None:
    make_key(tmp_path / "key", *kind.split())
    hosts, before = SshHosts(tmp_path / "key", signer=place.signer), place.server.logins()
    assert "certificate 7" in run(place, "r1", hosts)
    hosts.close()
    assert place.server.logins() == before + 1


def refused(place: Place, *, deadline: float) -> HostError:
    hosts = SshHosts(place.server.key_file, signer=replace(place.signer, deadline=deadline))
    with pytest.raises(HostError) as failed:
        run(place, "r1", hosts)
    was_read(str(failed.value))
    return failed.value


def run(place: Place, change: str, hosts: SshHosts | None = None) -> str:
    """Run a command, on a connection of its own unless there are hosts to go on with."""
    ours = hosts or place.hosts()
    try:
        return ours.run(place.host, ("true",), deadline=10, change=change).ssh
    finally:
        if hosts is None:
            ours.close()


@dataclass
class Clock:
    """Tells the seconds that it is set to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now
