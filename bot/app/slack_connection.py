"""Connect to Slack as soon as it answers, so that a start never waits for it, and reconnect with new tokens."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from time import monotonic

import structlog
from slack_bolt import App
from slack_sdk import WebClient

from bot.app.compose import Assembly
from bot.app.transport import Transport, open_transport
from bot.core.health import ComponentHealth
from bot.core.policy.rules.identity import shut_out
from bot.edges.slack.channel import FORM_TIMEOUT, Account, account, web_client
from bot.edges.slack.directory import SlackDirectory
from bot.edges.slack.socket_mode import application
from bot.errors import ConfigError, SlackError
from bot.workflow.health.operator_notices import report_too_many_connections
from bot.workflow.process.liveness import TOKEN_REFUSED
from config.secret_files import read_secret_files
from config.settings import WAYS_IN, Settings, load_settings
from config.start import WHERE_SLACK_SHOWS, seal_keys
from handlers import OwnApp, register

log = structlog.get_logger()
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries
_GLANCE = 1.0  # seconds between two checks of the secret files
_AT_ONCE = timedelta(seconds=0)


def ask_slack(assembly: Assembly) -> None:
    """Let people be looked up in Slack, if there is a token and Slack answers; else only the configuration tells."""
    token = assembly.settings.slack_bot_token
    if token is None:
        return
    client = web_client(token.get_secret_value(), base=assembly.settings.slack_api_url)
    try:
        _known_to(assembly, client, account(client))
    except SlackError as error:
        log.warning("slack.not_available", why=str(error))


def _known_to(assembly: Assembly, client: WebClient, us: Account) -> None:
    deps, ttl = assembly.deps, assembly.settings.people_ttl
    assembly.directory.slack = SlackDirectory(
        client, us, teams=lambda: deps.in_force.policy.teams, schedules=assembly.schedules, ttl=ttl
    )


class SlackConnection:
    """Tries until it is connected; from then on the transport reconnects by itself.

    If Slack refuses the bot's tokens, no payloads come in. Running work goes on, messages stay in the outbox, and the
    bot connects anew when the secret files hold other tokens.
    """

    def __init__(self, assembly: Assembly, *, say: Callable[[str], None], lost: Callable[[], None]) -> None:
        self._assembly = assembly
        self._secrets = _secrets(assembly.settings)
        self._useless: tuple[str, str] | None = None  # newer tokens that Slack refused
        self._files: dict[str, str] | None = None  # the secret files at the last check,
        self._found: tuple[str, str] | None = None  # and the tokens read from them
        self._ask_at = 0.0
        self._say = say
        self._lost = lost
        self._ended = threading.Event()
        self._aside = ThreadPoolExecutor(4, thread_name_prefix="aside")
        self._way_in: Transport | None = None
        self._thread = threading.Thread(target=self._run, name="slack-link", daemon=True)
        self.refused = ""  # why Slack refuses the bot for good

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now."""
        return self._way_in is not None and self._way_in.is_connected

    @property
    def state(self) -> str:
        """The state of the connection, for people."""
        return self.refused or (self._way_in.state if self._way_in else "not connected")

    def components(self) -> tuple[ComponentHealth, ...]:
        """Health signs of the connection."""
        refused = self._assembly.deps.liveness.token_error
        words = (
            f"Slack refuses the bot's token ({refused}); nothing is received until the token's file holds a valid one"
        )
        token = ComponentHealth("token", not refused, words if refused else "Slack accepts it", patience=_AT_ONCE)
        patience = timedelta(seconds=self._assembly.settings.alarm_after)
        return ComponentHealth("slack", self.is_connected, self.state, patience=patience), token

    def start(self) -> None:
        """Connect in the background. If Slack refuses the bot for good, `lost` is called and `refused` says why."""
        self._thread.start()

    def close(self) -> None:
        """Stop taking payloads."""
        self._ended.set()
        self._thread.join()
        if self._way_in is not None:
            self._way_in.close()
        self._aside.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self._connect()
            while not self._ended.wait(_GLANCE):
                self._look_after()
        except SlackError as error:
            self._give_up(f"The bot cannot connect. {error} `maskbot doctor` says what to do.")
        except ConfigError as error:
            self._give_up(str(error))
        except Exception:
            log.exception("slack.link_failed")
            self._give_up("The connection to Slack could not be set up; the log above says why.")

    def _give_up(self, why: str) -> None:
        self.refused = why
        self._lost()

    def _connect(self) -> None:
        """Try until it is connected. Raises `ConfigError`, and `SlackError` if a retry cannot help."""
        pause = _FIRST_PAUSE
        while not self._ended.is_set():
            try:
                us = self._connected_once()
            except SlackError as error:
                if not error.passing:
                    raise
                log.warning("slack.not_connected", why=str(error), again_in=pause)
                self._ended.wait(error.retry_after or pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._use(self._newer() or self._secrets)
            else:
                self._say(f"Slack: {_as(us)}, {self.state}")
                if strangers := shut_out(self._assembly.deps.in_force.policy, {us.team, us.enterprise}, us.team):
                    log.error("slack.other_team", why=strangers)
                return

    def _look_after(self) -> None:
        """After the first connection: check that the token is still valid, and whether there is a new one."""
        refused = self._assembly.deps.liveness.token_error
        if refused and self._way_in is not None:
            log.error("slack.token_refused", why=refused)
            self._let_go()
        if newer := self._newer():
            is_taken = self._is_taken(newer)
            self._use(newer if is_taken else self._secrets)
        else:
            is_taken = self._is_time_to_ask() and self._is_taken(self._secrets)
        if is_taken and self._way_in is None:
            self._connect_anew()

    def _is_time_to_ask(self) -> bool:
        """Whether to test the token: a bot without messages to send would not notice that its token is revoked or
        valid again.
        """
        if monotonic() < self._ask_at:
            return False
        self._ask_at = monotonic() + self._assembly.settings.slack_check
        return True

    def _is_taken(self, secrets: tuple[str, str]) -> bool:
        try:
            account(web_client(secrets[0], base=self._assembly.settings.slack_api_url))
        except SlackError as error:
            if secrets != self._secrets and not error.passing:
                log.error("slack.new_token_refused", why=error.code)
                self._useless = secrets
            elif error.code in TOKEN_REFUSED:
                self._assembly.deps.liveness.token_refused(error.code)
            return False
        return True

    def _connect_anew(self) -> None:
        """Connect again with new tokens. Once connected, any error is worth a retry, whatever Slack says."""
        try:
            self._connect()
        except SlackError as error:
            self._assembly.deps.liveness.token_refused(error.code)

    def _newer(self) -> tuple[str, str] | None:
        """Tokens from the secret files that differ from those in use.

        All settings are read only when these files have changed: that is a hundred times as much work, and the check
        runs every second.
        """
        try:
            files = read_secret_files(os.environ)
            if files != self._files:
                self._files, self._found = files, None
                self._found = _secrets(load_settings())
        except ConfigError:
            return None  # the file is being written, or the token was in no file
        return None if self._found in (self._secrets, self._useless) else self._found

    def _use(self, secrets: tuple[str, str]) -> None:
        if secrets != self._secrets:
            self._let_go()
            self._secrets = secrets

    def _let_go(self) -> None:
        """Stop taking payloads; those that came in are finished."""
        way_in, self._way_in = self._way_in, None
        if way_in is not None:
            way_in.close()

    def _connected_once(self) -> Account:
        settings, (token, opens) = self._assembly.settings, self._secrets
        client = web_client(token, base=settings.slack_api_url)
        us = account(client, app_token=opens if settings.mode == "socket" else "")
        _known_to(self._assembly, client, us)
        self._assembly.messages.use(token)
        self._assembly.deps.liveness.token_accepted()
        if self._way_in is None:  # each client starts threads of its own
            crowded = partial(report_too_many_connections, self._assembly.deps, most=settings.slack_connections)
            self._way_in = open_transport(settings, self._handlers(us), opens, crowded=crowded)
        self._way_in.connect()
        return us

    def _handlers(self, us: Account) -> App:
        base = self._assembly.settings.slack_api_url
        os.environ.pop("SLACK_BOT_TOKEN", None)  # Bolt would find the variable itself, and complain of two tokens
        client = web_client(self._secrets[0], base=base, timeout=FORM_TIMEOUT)
        app = application(client, payload_waiting=self._assembly.deps.ack_priority.payload_waiting)
        home = OwnApp(team=us.team, enterprise=us.enterprise, app=us.app)
        keys = seal_keys(self._assembly.settings)
        register(app, self._assembly.desk, home=home, aside=self._aside, keys=keys)
        return app


def _as(us: Account) -> str:
    return f"{us.user} in team {us.team}" + (f" of enterprise {us.enterprise}" if us.enterprise else "")


def _secrets(settings: Settings) -> tuple[str, str]:
    """The bot's token and the secret of its transport. Raises `ConfigError` if one is missing."""
    bot, opens = settings.slack_bot_token, settings.transport_secret
    if bot is None or opens is None:
        missing = "SLACK_BOT_TOKEN" if bot is None else WAYS_IN[settings.mode]
        raise ConfigError(f"{missing} is not set. {WHERE_SLACK_SHOWS[missing]}")
    return bot.get_secret_value(), opens.get_secret_value()
