"""The connection to Slack: made as soon as Slack answers, so that a start never waits for it."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from slack_sdk import WebClient

from bot.compose import Assembly
from bot.edges.directory import SlackDirectory
from bot.edges.slack import FORM_TIMEOUT, Account, account, web_client
from bot.edges.socket_mode import Socket, application
from bot.errors import ConfigError, SlackError
from config.settings import Settings
from handlers import Home, register

log = structlog.get_logger()
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries


def ask_slack(assembly: Assembly) -> None:
    """Let people be looked up in Slack, if it answers now and there is a token; else configuration alone tells."""
    token = assembly.settings.slack_bot_token
    if token is None:
        return
    client = web_client(token.get_secret_value(), base=assembly.settings.slack_api_url)
    try:
        _known_to(assembly, client, account(client))
    except SlackError as error:
        log.warning("slack.not_asked", why=str(error))


def _known_to(assembly: Assembly, client: WebClient, us: Account) -> None:
    parts, ttl = assembly.parts, assembly.settings.people_ttl
    assembly.directory.slack = SlackDirectory(client, us, teams=lambda: parts.policy.teams, ttl=ttl)


class SlackLink:
    """Tries until it is connected; from then on the connection heals itself."""

    def __init__(self, assembly: Assembly, *, say: Callable[[str], None], lost: Callable[[], None]) -> None:
        self._assembly = assembly
        self._tokens = _tokens(assembly.settings)
        self._say = say
        self._lost = lost
        self._ended = threading.Event()
        self._aside = ThreadPoolExecutor(4, thread_name_prefix="aside")
        self._socket: Socket | None = None
        self._thread = threading.Thread(target=self._connect, name="slack-link", daemon=True)
        self.refused = ""  # why Slack will not have us, whatever we try

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now."""
        return self._socket is not None and self._socket.is_connected

    def start(self) -> None:
        """Try, and say when it is done. If Slack refuses us for good, `lost` is called and `refused` says why."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more in."""
        self._ended.set()
        self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._aside.shutdown(wait=False, cancel_futures=True)

    def _connect(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.is_set():
            try:
                self._say(_connected(self._connected_once()))
            except SlackError as error:
                if not error.passing:
                    self.refused = f"Slack does not let the bot in ({error.code}). `maskbot doctor` says what to do."
                    self._lost()
                    return
                log.warning("slack.not_connected", why=str(error), again_in=pause)
                self._ended.wait(error.retry_after or pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception:
                log.exception("slack.link_failed")
                self.refused = "The connection to Slack could not be set up; the log above says why."
                self._lost()
                return
            else:
                return

    def _connected_once(self) -> Account:
        bot_token, app_token = self._tokens
        client = web_client(bot_token, base=self._assembly.settings.slack_api_url)
        us = account(client, app_token=app_token)
        _known_to(self._assembly, client, us)
        self._socket = self._socket or self._listening(us)  # each one made starts threads of its own
        self._socket.connect()
        return us

    def _listening(self, us: Account) -> Socket:
        settings, (bot_token, app_token) = self._assembly.settings, self._tokens
        os.environ.pop("SLACK_BOT_TOKEN", None)  # Bolt would find it there by itself, and complain of having two
        quick: WebClient = web_client(bot_token, base=settings.slack_api_url, timeout=FORM_TIMEOUT)
        app = application(quick)
        home = Home(team=us.team, enterprise=us.enterprise, app=us.app)
        register(app, self._assembly.desk, home=home, aside=self._aside)
        return Socket(
            app, app_token=app_token, ping_interval=settings.socket_ping_interval, listeners=settings.listeners
        )


def _connected(us: Account) -> str:
    where = f"team {us.team}" + (f" of enterprise {us.enterprise}" if us.enterprise else "")
    return f"connected to Slack as {us.user} in {where}"


def _tokens(settings: Settings) -> tuple[str, str]:
    """Raises `ConfigError` if one is missing."""
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if bot is None or app is None:
        missing = "SLACK_BOT_TOKEN" if bot is None else "SLACK_APP_TOKEN"
        raise ConfigError(
            f"{missing} is not set. README.md says where Slack shows it (or name a file in {missing}_FILE)."
        )
    return bot.get_secret_value(), app.get_secret_value()
