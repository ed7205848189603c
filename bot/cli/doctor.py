"""`maskbot doctor`: examine settings, Slack and hosts, all that can be; each finding says what would fix it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bot.app.compose import ask_schedules, open_ssh
from bot.cli.doctor_output import FIRST, show
from bot.cli.reconcile import hosts_that_know_more
from bot.core.hosts.inventory import Host
from bot.core.policy.model import Policy
from bot.doctor.check_result import DATABASE, SETTINGS, CheckResult
from bot.doctor.database import examine_database
from bot.doctor.hosts import examine_host, examine_unpinned, examine_without_key, twins
from bot.doctor.http import examine_http
from bot.doctor.slack import Tokens, examine_slack, examine_socket
from bot.doctor.start import examine_start
from bot.edges.database.engine import parse_url
from bot.edges.ops import log
from bot.edges.slack.channel import web_client
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.new_key import make_key
from bot.errors import ConfigError, UsageError
from bot.workflow import Timings
from config.loading import Configuration
from config.manifest import manifest
from config.settings import WAYS_IN, Settings, load_settings
from config.start import examine, seal_keys, usable
from config.strict_yaml import read_document

_AT_ONCE = 16


def doctor(names: Sequence[str], *, as_json: bool, verbose: bool) -> int:
    """Examine all hosts and Slack, or the hosts that are named; nothing ends it early. Raises `UsageError`."""
    log.set_up(level="error", as_json=False)
    found = sorted(_examine(names), key=lambda one: (FIRST.get(one.about, len(FIRST)), one.about))
    wrong = [one for one in found if not one.is_ok]
    if as_json:
        first = asdict(wrong[0]) if wrong else None
        typer.echo(json.dumps({"ok": not wrong, "first": first, "findings": [asdict(one) for one in found]}, indent=2))
    else:
        show(found, verbose=verbose)
    return 1 if wrong else 0


def _examine(names: Sequence[str]) -> Iterator[CheckResult]:
    try:
        settings = load_settings()
    except ConfigError as error:
        yield from (CheckResult(SETTINGS, "", is_ok=False, what=line) for line in str(error).splitlines())
        return
    configuration, problems = examine(settings)
    yield from examine_start(configuration, problems)
    if not names:
        yield from _database(settings, [one.text for one in problems])
    hosts = _hosts(configuration, names)
    policy = configuration.policy if configuration else None
    with ThreadPoolExecutor(1) as pool, _bar() as bar:
        task = bar.add_task("examining", total=len(hosts) + (not names))
        slack = [pool.submit(lambda: dict.fromkeys(_slack(settings, policy)))] if not names else []
        lines = _lines(settings.config_dir / "hosts.yaml")
        for found in _examine_hosts(settings, policy, hosts, done=lambda: bar.advance(task)):
            yield replace(found, fix=found.fix.replace("hosts.yaml", lines.get(found.about, "hosts.yaml"), 1))
        for future in slack:
            yield from future.result()
            bar.advance(task)


def _database(settings: Settings, said: Sequence[str]) -> Iterator[CheckResult]:
    try:
        parse_url(settings.database_url.get_secret_value())
        keys = seal_keys(settings)
    except ConfigError:  # the settings' findings say why
        return
    yield from examine_database(settings, keys, said=said)


def _hosts(configuration: Configuration | None, names: Sequence[str]) -> Sequence[Host]:
    """The hosts that are named, or all; none if the files cannot be read. Raises `UsageError`."""
    if configuration is None:
        return ()
    known = {host.name: host for host in configuration.inventory.hosts}
    for name in names:
        if name not in known:
            raise UsageError(f"There is no host `{name[:80]}` in hosts.yaml.")
    return [known[name] for name in names or known]


def _lines(path: Path) -> Mapping[str, str]:
    """Where each host stands in the file."""
    try:
        document = read_document(path)
    except ConfigError:
        return {}
    listed = document.data.get("hosts") if isinstance(document.data, dict) else ()
    names = [(number, one.get("name")) for number, one in enumerate(listed or ()) if isinstance(one, dict)]
    return {str(name): f"{path}:{document.line(('hosts', number))}" for number, name in names}


def _examine_hosts(
    settings: Settings, policy: Policy | None, hosts: Sequence[Host], *, done: Callable[[], object]
) -> Iterator[CheckResult]:
    try:
        ssh = open_ssh(settings)
    except ConfigError:  # the settings' findings say why
        yield from _without_key(hosts)
        return
    remote = GuardedHosts(ssh)
    critical, machine_ids = [listed.pattern for listed in policy.critical] if policy else [], dict[str, str]()
    seconds = Timings().look_deadline

    def examined(host: Host) -> tuple[list[CheckResult], str]:
        if not host.trusted:
            return examine_unpinned(ssh.shown_key, host), ""
        return examine_host(remote, host, critical, deadline=seconds)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = {pool.submit(examined, host): host.name for host in hosts}
        for future in as_completed(asked):
            findings, machine_id = future.result()
            machine_ids |= {asked[future]: machine_id} if machine_id else {}
            done()
            yield from findings
    well = [host for host in hosts if host.name in machine_ids]
    if more := hosts_that_know_more(settings, remote, well):
        what = (
            f"{', '.join(more)}: masks of maskbot's there are not on record. The database is lost, or an older backup"
        )
        fix = "`maskbot restore FILE` puts a backup in its place; `maskbot reconcile` names the masks."
        yield CheckResult(DATABASE, "masks", is_ok=True, is_warning=True, what=what, fix=fix)
    remote.close()
    yield from twins(machine_ids)


def _without_key(hosts: Sequence[Host]) -> Iterator[CheckResult]:
    """What can be seen of hosts without a login. The key is made for that, and no host knows it."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        make_key(path := Path(folder) / "key")
        remote = SshHosts(path)
        for findings in pool.map(lambda host: examine_without_key(remote.shown_key, host), hosts):
            yield from findings
        remote.close()


def _slack(settings: Settings, policy: Policy | None) -> Iterator[CheckResult]:
    """What can be examined with the tokens of the right kind; the settings' findings name the others."""
    way_in, is_socket = WAYS_IN[settings.mode], settings.mode == "socket"
    bot, secret = (usable(name, settings) for name in ("SLACK_BOT_TOKEN", way_in))
    if bot:
        tokens = Tokens(
            bot=web_client(bot, base=settings.slack_api_url),
            scopes=frozenset(yaml.safe_load(manifest())["oauth_config"]["scopes"]["bot"]),
            app_token=secret if is_socket else "",
            schedules=ask_schedules(settings, lambda: policy) if policy else None,
        )
        yield from examine_slack(tokens, policy)
    if secret and is_socket:
        yield examine_socket(web_client(secret, base=settings.slack_api_url))
    elif secret:
        yield examine_http((str(settings.http_address), settings.http_port), secret)


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
