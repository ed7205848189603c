"""Load the whole configuration at once: either all of it is valid, or every error is named."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from bot.core.hosts.inventory import Inventory
from bot.core.policy.calendar_and_limits import Freeze
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.model import Policy, Rule
from bot.edges.private_files import Fault
from bot.errors import ConfigError
from config.critical_units import read_lists
from config.escalation import without_page
from config.hosts import read_inventory, read_source, unpinned, unread
from config.policy import CriticalLists, read_policy
from config.policy_types import near
from config.private_files import examine_files, examine_programs
from config.quorum import guarded_unreachable, never_lifted, raised_unreachable
from config.settings import Settings
from config.strict_yaml import Document, Loc, read_document, together

SHIPPED_LIST = Path(__file__).parent / "critical-units.yaml"
OWN_LIST = "critical-units.yaml"

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """A problem: an error keeps the bot from starting, a warning does not."""

    level: Literal["error", "warning"]
    text: str  # one line, with file and line number if there is one
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.text}. Fix: {self.fix}" if self.fix else self.text


@dataclass(frozen=True, slots=True)
class Configuration:
    """The contents of `hosts.yaml`, `policy.yaml` and the critical list."""

    inventory: Inventory
    policy: Policy
    warnings: tuple[ConfigProblem, ...] = ()
    faults: tuple[Fault, ...] = ()  # of its files, among the warnings

    @property
    def configured(self) -> ConfigSnapshot:
        """The part that the bot puts in force."""
        return ConfigSnapshot(self.inventory, self.policy)


def load(settings: Settings) -> Configuration:
    """Read all files. Raises `ConfigError` with a line for each error in any of them."""
    folder = settings.config_dir
    complaints: list[str] = []
    documents = [_attempt(complaints, read_document, path) for path in _files(folder)]
    wrong = examine_files(settings, _files(folder), _kept(documents[0]), os.environ)
    complaints += [text for fault in wrong if fault.is_serious and (text := str(fault)) not in complaints]
    if complaints:
        raise together(complaints)
    hosts, policy, *lists = [document for document in documents if document is not None]
    answer = _attempt(complaints, kept_answer, hosts)
    inventory = _attempt(complaints, lambda found: read_inventory(found, answer), hosts)
    listed = _attempt(complaints, lambda found: CriticalLists(*read_lists(*found)), lists)
    digest = _digest((hosts, policy, *lists, *([answer] if answer else [])))
    rules = _attempt(complaints, lambda found: read_policy(found, listed or CriticalLists((), ()), digest), policy)
    programs = examine_programs(settings, _programs(rules, inventory))
    complaints += [str(fault) for fault in programs if fault.is_serious]
    wrong += (fault for fault in programs if fault not in wrong)
    if complaints or inventory is None or listed is None or rules is None:
        raise together(complaints)
    warnings = [
        *unpinned(inventory, hosts, *([answer] if answer else [])),
        *unread(hosts),
        *_sourced(hosts, inventory),
        *_warnings(policy, rules, inventory),
        *_program(policy, rules),
        *_missing_pager(policy, rules, settings),
        *_signer(settings),
        *(str(fault) for fault in wrong),
    ]
    problems = tuple(ConfigProblem("warning", text) for text in warnings)
    return Configuration(inventory, rules, problems, tuple(wrong))


def kept_answer(hosts: Document) -> Document | None:
    """The last good answer of the source that `hosts.yaml` names; None without one. Raises `ConfigError`."""
    path = _kept(hosts)
    return read_document(path) if path and path.exists() else None


def _kept(hosts: Document | None) -> Path | None:
    """The file of that answer."""
    try:
        source = read_source(hosts) if hosts else None
    except ConfigError:  # whoever reads the hosts says what is wrong
        return None
    return Path(source.keep) if source else None


def _files(folder: Path) -> tuple[Path, ...]:
    """Hosts, policy, the shipped list, and the installation's own list if there is one."""
    own = folder / OWN_LIST
    added = (own,) if own.exists() and not own.samefile(SHIPPED_LIST) else ()
    return (folder / "hosts.yaml", folder / "policy.yaml", SHIPPED_LIST, *added)


Given = TypeVar("Given")


def _attempt(complaints: list[str], read: Callable[[Given], Read], what: Given) -> Read | None:
    """Read a file, or note its error and go on, so that people see all errors at once."""
    try:
        return read(what)
    except ConfigError as error:
        complaints += str(error).splitlines()
        return None


def _digest(documents: Iterable[Document]) -> str:
    """One SHA-256 over all files, by name, so that the audit log can say which policy decided."""
    lines = [f"{document.path.name} {document.sha256}\n" for document in documents]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _warnings(document: Document, policy: Policy, inventory: Inventory) -> Iterator[str]:
    """Warnings: settings that may be intended, and probably are not."""
    for rule in policy.rules:
        yield from _unknown_scope(document, f"rule {rule.name}", rule, inventory)
        if not rule.forbid and rule.need == 0:
            yield f"{document.path}:{rule.line}: rule {rule.name}: need: 0 lets changes run without a second person"
        if without_page(rule.escalate):
            yield f"{document.path}:{rule.line}: rule {rule.name}: its escalation ends without paging anybody"
        if rule.step_up and not policy.operations_channel:
            why = "nobody would be told that somebody's authenticator is new, locked or reset"
            yield f"{document.path}:{rule.line}: rule {rule.name}: step_up without an operations_channel: {why}"
    for freeze in policy.freezes:
        yield from _unknown_scope(document, f"change freeze {freeze.name}", freeze, inventory)
    for line, why in raised_unreachable(policy):
        yield f"{document.path}:{line}: {why}"
    for why in never_lifted(policy):
        yield f"{document.path}:{document.line(('holds', 'owners'))}: {why}"
    for rule, why in guarded_unreachable(policy):
        yield f"{document.path}:{rule.line}: rule {rule.name}: {why}"


def _unknown_scope(document: Document, name: str, scope: Rule | Freeze, inventory: Inventory) -> Iterator[str]:
    """Environments and groups that no host has."""
    environments = {host.environment for host in inventory.hosts}
    groups = {group for host in inventory.hosts for group in host.groups}
    kept = scope.rollout.keep_active if isinstance(scope, Rule) else None
    for what, named, known in (
        ("environment", scope.environments, environments),
        ("host group", scope.host_groups | ({kept.group} if kept else set()), groups),
    ):
        for word in sorted(named - known):
            yield f"{document.path}:{scope.line}: {name}: no host has {what} `{word}`.{near(word, known)}"


def _programs(policy: Policy | None, inventory: Inventory | None) -> list[Path]:
    """The commands that say who is on call and which hosts there are."""
    sources = (policy and policy.on_call, inventory and inventory.source)
    return [Path(word) for source in sources if source for word in source.command[:1]]


def _program(document: Document, policy: Policy) -> Iterator[str]:
    """The command that says who is on call."""
    command = policy.on_call.command if policy.on_call else ()
    yield from _unfit(document, ("on_call", "command"), command, "so nobody would be known to be on call")


def _sourced(document: Document, inventory: Inventory) -> Iterator[str]:
    """The command that lists hosts."""
    source = inventory.source
    if source is None:
        return
    yield from _unfit(document, ("inventory", "command"), source.command, "so the last good answer stays")
    if not Path(source.keep).exists():
        where = f"{document.path}:{document.line(('inventory', 'keep'))}: inventory.keep"
        yield f"{where}: {source.keep} is not there yet, so its hosts are not known before the first answer"


def _unfit(document: Document, loc: Loc, command: Sequence[str], without: str) -> Iterator[str]:
    """That a command cannot be run. Whether others can change it is asked with all files."""
    if command and not _can_be_run(program := Path(command[0])):
        where = f"{document.path}:{document.line(loc)}: {'.'.join(map(str, loc))}"
        yield f"{where}: {program} cannot be run on this machine, {without}"


def _can_be_run(program: Path) -> bool:
    return os.access(program, os.X_OK) and program.is_file()


def _signer(settings: Settings) -> Iterator[str]:
    """The command that signs certificates. Whether others can change it is asked with all files."""
    for word in settings.ssh_signer_command[:1]:
        if not _can_be_run(Path(word)):
            yield f"MASKBOT_SSH_SIGNER: {word} cannot be run on this machine, so the bot could log in nowhere"


def _missing_pager(document: Document, policy: Policy, settings: Settings) -> Iterator[str]:
    """A rule or setting relies on a pager, and no pager is configured."""
    for rule in policy.rules:
        if settings.pager_url is None and any(step.page for step in rule.escalate):
            yield f"{document.path}:{rule.line}: rule {rule.name}: it pages somebody, but MASKBOT_PAGER_URL is not set"
