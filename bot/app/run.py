"""Run the bot: process due work and serve Slack and the command line, until a signal stops it."""

import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from bot import __version__
from bot.app.anchor_file import anchor_file
from bot.app.compose import Assembly, assemble
from bot.app.health import health_published, own_key
from bot.app.inventory import InventoryThread
from bot.app.reload import reload, why_not_in_force
from bot.app.signals import Signal, Signals, no_later_than
from bot.app.slack_connection import SlackConnection, ask_slack
from bot.core.health import is_ready
from bot.edges.cli_socket.server import Serve, ShellServer
from bot.edges.ops import log
from bot.edges.ops.log_writer import LogWriter, settle_all
from bot.edges.ops.sd_notify import SdNotify
from bot.errors import MaskbotError
from bot.workflow import Workers, audit_shipping
from bot.workflow.audit_shipping import ShippingThread
from bot.workflow.engine.config_reload import record_configuration
from bot.workflow.health.chain_watch import ChainWatch
from bot.workflow.health.heartbeat import JUST_BEGUN, Heartbeat
from config.loading import Configuration, load
from config.settings import Settings, load_settings
from config.start import load_to_start
from config.stored import has_recorded
from handlers.cli import BotState, Shell

Say = Callable[[str], None]


def run(*, is_terminal: bool) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    Raises `MaskbotError` if it cannot start, or if Slack refuses the bot for good.
    """
    settings = load_settings()
    is_json, is_chosen = set_up_log(settings, is_terminal=is_terminal)
    out = LogWriter(sys.stdout, dropped=log.in_json) if is_json and is_chosen else LogWriter(sys.stdout)
    say = log.saying(out) if is_json and is_chosen else out.say
    try:
        _serve(settings, say, is_terminal=is_terminal)
    except MaskbotError as error:
        if not is_json:
            raise
        for why in str(error).splitlines():
            structlog.get_logger().error("ended", why=why)
        raise SystemExit(1) from None
    finally:
        settle_all()


def _serve(settings: Settings, say: Say, *, is_terminal: bool) -> None:
    notify = SdNotify()
    signals = Signals(is_terminal=is_terminal)
    configuration = load_to_start(settings)
    _tell(configuration, say)
    new = " (new: nothing is on record yet)" if has_recorded(settings) is False else ""
    with assemble(settings, configuration) as assembly, ExitStack() as stack:
        say(f"store: {assembly.place}{new}")
        latest = no_later_than(settings.stop_within)
        stack.callback(latest.cancel)
        link = _begin(assembly, stack, notify, say, lost=signals.stop, reload=signals.reload)
        while signals.next() is Signal.RELOAD:
            reload(assembly, say)
        notify.stopping()
        say("stopping: accepting nothing new, finishing what is running")
        latest.start()
    if link.refused:
        raise MaskbotError(link.refused)
    say("stopped")


def _begin(
    assembly: Assembly,
    stack: ExitStack,
    notify: SdNotify,
    say: Say,
    *,
    lost: Callable[[], None],
    reload: Callable[[], None],
) -> SlackConnection:
    """Start all components; they stop in reverse order."""
    settings = assembly.settings
    link = SlackConnection(assembly, say=lambda text: _say_ready(say, text), lost=lost)
    loop = Workers(assembly.deps, owner=assembly.instance, workers=settings.workers, watchers=settings.watchers)
    listing = InventoryThread(assembly, reload=reload)
    chain = _watch_chain(assembly, stack)
    looks = [
        link.components,
        lambda: audit_shipping.sink_health(assembly.deps),
        lambda: own_key(assembly),
        listing.components,
        chain.components,
    ]
    heartbeat = stack.enter_context(health_published(assembly, notify, looks=looks, say=say))
    shell = serve_shell(assembly, lambda: _state(assembly, link, heartbeat))
    copying = ShippingThread(assembly.deps, owner=assembly.instance)
    stack.callback(copying.stop)
    stack.callback(loop.stop)
    stack.callback(shell.close)
    stack.callback(link.close)
    stack.callback(listing.stop)
    say(f"command line: {settings.socket}{_reach(settings.socket.parent)}")
    record_configuration(assembly.deps)
    copying.start()
    loop.start()
    shell.start()
    link.start()
    heartbeat.start()
    listing.start()
    notify.ready()
    return link


@contextmanager
def without_slack(*, works: bool) -> Iterator[Serve]:
    """Run the bot without Slack, for root, when no bot runs: Slack messages wait for the next run.

    With `works`, the command line is served meanwhile, so that other people can vote. Raises `ConfigError`.
    """
    settings = load_settings()
    log.set_up(level="warning", as_json=False)
    with assemble(settings, load(settings)) as assembly, ExitStack() as stack:
        ask_slack(assembly)
        state = BotState(is_ready=False, slack="not connected: root runs it by hand")
        if works:
            _watch_chain(assembly, stack)
            record_configuration(assembly.deps)
            shell = serve_shell(assembly, lambda: state)
            loop = Workers(assembly.deps, owner=assembly.instance, workers=settings.workers, senders=0)
            copying = ShippingThread(assembly.deps, owner=assembly.instance)
            stack.callback(copying.stop)
            stack.callback(loop.stop)
            stack.callback(shell.close)
            copying.start()
            loop.start()
            shell.start()
        yield Shell(assembly.desk, assembly.deps, lambda: state).serve


def _watch_chain(assembly: Assembly, stack: ExitStack) -> ChainWatch:
    """Verify the audit chain, also against the anchor on this machine, and watch over it. Raises `ConfigError`."""
    file = anchor_file(assembly.settings)
    chain = ChainWatch(assembly.deps, anchor=file.read(), keep=file.keep)
    stack.callback(chain.stop)
    chain.start()
    return chain


def set_up_log(settings: Settings, *, is_terminal: bool) -> tuple[bool, bool]:
    """Log lines for people at a terminal, and JSON elsewhere, unless the settings say which.

    Return whether it is JSON, and whether the settings say so: then what the bot says on standard output is JSON, too.
    """
    is_chosen = "log_format" in settings.model_fields_set
    is_json = settings.log_format == "json" if is_chosen else not is_terminal
    log.set_up(level=settings.log_level, as_json=is_json)
    return is_json, is_chosen


def serve_shell(assembly: Assembly, state: Callable[[], BotState]) -> ShellServer:
    """The command line's socket, not opened yet. Raises `ConfigError` if there is no directory for it."""
    shell = Shell(assembly.desk, assembly.deps, state)
    return ShellServer(assembly.settings.socket, shell.serve)


def _state(assembly: Assembly, link: SlackConnection, heartbeat: Heartbeat) -> BotState:
    """The state of Slack and of the configuration now, and of everything else at the last check."""
    others = [
        component for component in heartbeat.components if component.name != "slack" and component is not JUST_BEGUN
    ]
    why = [component.sentence for component in others if not component.is_well]
    if not_in_force := why_not_in_force(assembly):
        why.append(not_in_force)
    return BotState(is_ready=link.is_connected and is_ready(others), slack=link.state, why=(*why,))


def _say_ready(say: Say, text: str) -> None:
    say(text)
    say("ready")


def _tell(configuration: Configuration, say: Say) -> None:
    say(f"maskbot {__version__}: configuration ok ({_size(configuration)})")
    for warning in configuration.warnings:
        say(f"warning: {warning.text}")


def _size(configuration: Configuration) -> str:
    hosts, rules = len(configuration.inventory.hosts), len(configuration.policy.rules)
    return f"{hosts} host{'s' * (hosts != 1)}, {rules} rule{'s' * (rules != 1)}"


def _reach(folder: Path) -> str:
    """Limit who reaches the socket by the mode of its directory."""
    if folder.stat().st_mode & stat.S_IXOTH:
        return ""
    return " (only for this user: its folder is closed to others; MASKBOT_SOCKET sets another place)"
