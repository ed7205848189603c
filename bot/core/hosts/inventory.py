"""The inventory: the hosts that can be named, each with its address, its pinned keys and its groups."""

from dataclasses import dataclass
from datetime import timedelta

from bot.errors import UsageError


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA whose certificates are trusted for a host."""

    fingerprint: str  # of its public key, as `SHA256:...`
    revoked_keys: frozenset[str] = frozenset()  # fingerprints of keys of hosts
    revoked_serials: frozenset[int] = frozenset()
    revocations: str = ""  # the file with a list of more; it is read for each login
    revocations_digest: str = ""  # of that file, as it was when hosts.yaml was read

    @property
    def identity(self) -> str:
        """The CA's identity, with the keys and serials for which it does not vouch any more."""
        revoked = [*sorted(self.revoked_keys), *map(str, sorted(self.revoked_serials))]
        revoked += [f"{self.revocations}={self.revocations_digest}"] if self.revocations else []
        return f"ca:{self.fingerprint} without {','.join(revoked)}" if revoked else f"ca:{self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the inventory. Only its name ever comes from what a person typed."""

    name: str
    address: str
    port: int
    login: str
    environment: str
    groups: frozenset[str] = frozenset()
    pins: frozenset[str] = frozenset()  # SHA-256 fingerprints of the host's keys, as `SHA256:...`
    machine_id: str = ""  # also pinned, if given
    via: "Host | None" = None  # the host through which it is reached
    authorities: tuple[Authority, ...] = ()  # the CAs that may vouch for its key
    principals: frozenset[str] = frozenset()  # the names that its certificate may be for, if not its own ones

    @property
    def certificate_names(self) -> frozenset[str]:
        """The names of which its certificate has to have one."""
        return self.principals or frozenset({self.name, self.address})

    @property
    def trusted(self) -> frozenset[str]:
        """By what its key is trusted: pins, CAs, and the names that the CAs have to vouch for."""
        if not self.authorities:
            return self.pins
        return (
            self.pins | {one.identity for one in self.authorities} | {f"name:{name}" for name in self.certificate_names}
        )

    @property
    def hops(self) -> "tuple[Host, ...]":
        """The hosts through which it is reached, the first one first."""
        return (*self.via.hops, self.via) if self.via else ()

    def is_machine(self, machine_id: str) -> bool:
        """Whether the host may have this machine-id."""
        return self.machine_id in ("", machine_id)


@dataclass(frozen=True, slots=True)
class InventorySource:
    """A command or a URL that lists more hosts."""

    command: tuple[str, ...]
    url: str
    keep: str  # the file with its last good answer
    every: timedelta
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class Inventory:
    """All hosts, by name."""

    hosts: tuple[Host, ...]
    source: InventorySource | None = None  # of those that are not in hosts.yaml itself

    def get(self, name: str) -> Host | None:
        """The host of that name."""
        return next((host for host in self.hosts if host.name == name), None)

    def host(self, name: str) -> Host:
        """The host of that name. Raises `UsageError` if there is none."""
        host = self.get(name)
        if host is None:
            raise UsageError(f"There is no host `{name[:80]}` in hosts.yaml.")
        return host

    def in_group(self, group: str) -> tuple[Host, ...]:
        """The hosts of a group, in their order; the group with its `@` or without."""
        return tuple(host for host in self.hosts if group.removeprefix("@") in host.groups)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, sorted."""
        return tuple(sorted(host.name for host in self.hosts))


def is_group(name: str) -> bool:
    """Whether the name is that of a group of hosts, like `@web`."""
    return name.startswith("@")
