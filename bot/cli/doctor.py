"""`maskbot doctor`: examine hosts and Slack side by side; each finding says what would fix it."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bot.app.compose import ask_schedules, open_hosts
from bot.cli.status_line import line
from bot.core.hosts.inventory import Host
from bot.doctor.check_result import CheckResult
from bot.doctor.hosts import examine_host, twins
from bot.doctor.http import examine_http
from bot.doctor.slack import Tokens, examine_slack, examine_socket
from bot.edges.ops import log
from bot.edges.slack.channel import web_client
from bot.errors import UsageError
from bot.workflow import Timings
from config.loading import Configuration, load
from config.manifest import manifest
from config.settings import WAYS_IN, Settings, load_settings

_AT_ONCE = 16


def doctor(names: Sequence[str], *, as_json: bool) -> int:
    """Examine hosts (all of them unless named) and Slack, side by side. Raises `ConfigError`, `UsageError`."""
    settings = load_settings()
    log.set_up(level="error", as_json=False)
    configuration = load(settings)
    hosts = [_find_host(configuration, name) for name in names] or list(configuration.inventory.hosts)
    examined = [*_files(configuration), *_examine(settings, configuration, hosts, with_slack=not names)]
    found = sorted(examined, key=lambda one: one.about)
    is_ok = all(one.is_ok for one in found)
    if as_json:
        typer.echo(json.dumps({"ok": is_ok, "findings": [asdict(one) for one in found]}, indent=2))
    else:
        _print(found)
    return 0 if is_ok else 1


def _files(configuration: Configuration) -> Iterator[CheckResult]:
    """Files that others can read or change. `maskbot check` says the same, and the bot when it starts."""
    for fault in configuration.faults:
        yield CheckResult("files", str(fault.path), is_ok=False, what=fault.text)


def _find_host(configuration: Configuration, name: str) -> Host:
    host = configuration.inventory.get(name)
    if host is None:
        raise UsageError(f"There is no host `{name[:80]}` in hosts.yaml.")
    return host


def _examine(
    settings: Settings, configuration: Configuration, hosts: Sequence[Host], *, with_slack: bool
) -> Iterator[CheckResult]:
    remote, machine_ids = open_hosts(settings), dict[str, str]()
    with ThreadPoolExecutor(_AT_ONCE) as pool, _bar() as bar:
        task = bar.add_task("examining", total=len(hosts) + with_slack)
        slack = [pool.submit(lambda: list(_slack(settings, configuration)))] if with_slack else []
        critical = [listed.pattern for listed in configuration.policy.critical]
        seconds = Timings().look_deadline
        asked = {pool.submit(examine_host, remote, host, critical, deadline=seconds): host.name for host in hosts}
        for done in as_completed(asked):
            findings, machine_id = done.result()
            machine_ids |= {asked[done]: machine_id} if machine_id else {}
            bar.advance(task)
            yield from findings
        for future in slack:
            yield from future.result()
            bar.advance(task)
    remote.close()
    yield from twins(machine_ids)


def _slack(settings: Settings, configuration: Configuration) -> Iterator[CheckResult]:
    bot, opens = settings.slack_bot_token, settings.transport_secret
    if bot is None or opens is None:
        what = f"SLACK_BOT_TOKEN and {WAYS_IN[settings.mode]} are needed, and at least one is not set"
        yield CheckResult("Slack", "tokens", is_ok=False, what=what, fix="README.md says where Slack shows them.")
        return
    told = yaml.safe_load(manifest())
    secret, is_socket = opens.get_secret_value(), settings.mode == "socket"
    socket = web_client(secret, base=settings.slack_api_url)
    address = (str(settings.http_address), settings.http_port)
    tokens = Tokens(
        bot=web_client(bot.get_secret_value(), base=settings.slack_api_url),
        scopes=frozenset(told["oauth_config"]["scopes"]["bot"]),
        way_in=(lambda: examine_socket(socket)) if is_socket else (lambda: examine_http(address, secret)),
        app_token=secret if is_socket else "",
        schedules=ask_schedules(settings, lambda: configuration.policy),
    )
    yield from examine_slack(tokens, configuration.policy)


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


def _print(found: Sequence[CheckResult]) -> None:
    for one in found:
        head = f"{'ok ' if one.is_ok else 'NOT'} {one.about}: {one.check}"
        typer.echo(line(f"{head}: {one.what}" if one.what else head))
        if one.fix:
            typer.echo(line(f"      fix: {one.fix}"))
    wrong = sum(not one.is_ok for one in found)
    typer.echo(f"{len(found)} checked, {wrong} not ok" if wrong else f"{len(found)} checked, all ok")
