"""Settings of one installation, from the environment and from secret files; an unknown name is an error."""

import os
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.audit.audit_shipping import SinkNeed
from bot.core.paging import Format
from bot.errors import ConfigError
from config.policy_types import near, plainly
from config.secret_files import file_names, read_secret_files
from config.setting_types import (
    Address,
    Bytes,
    CommandLine,
    Days,
    Pauses,
    Port,
    SealKeys,
    Seconds,
    SyslogPlace,
    Threads,
    Times,
    Token,
    command_words,
    numbers,
)

PREFIX = "MASKBOT_"
Mode = Literal["socket", "http"]
# The secret of each transport.
WAYS_IN: Mapping[Mode, str] = {"socket": "SLACK_APP_TOKEN", "http": "SLACK_SIGNING_SECRET"}


class Settings(BaseSettings):
    """A field's environment variable is its name in capitals after `MASKBOT_`; Slack's four begin with `SLACK_`.

    Durations are seconds. Create one with `load_settings`, which also reads secret files and refuses unknown names.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    # Slack
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")  # Socket Mode
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")  # HTTP mode
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL", pattern=r"^https?://\S+$")
    slack_mode: Mode | None = None  # the transport; needed only if both secrets are set

    # HTTP mode: the address for a proxy with a certificate, and the limits for requests
    http_address: IPv4Address | IPv6Address = IPv4Address("127.0.0.1")
    http_port: Port = 3000  # 0: any free port, which is logged at the start
    http_body: Bytes = 1024 * 1024  # the longest request, in bytes
    http_header: Bytes = 16 * 1024
    http_arrival: Seconds = 10  # until a request has arrived completely
    http_idle: Seconds = 120  # how long an idle connection stays open; longer than the proxy keeps it
    http_connections: Annotated[int, Field(ge=1, le=900)] = 100

    # The address for probes of orchestrators and Prometheus, without a login; no port: no probes
    probe_address: IPv4Address | IPv6Address = IPv4Address("127.0.0.1")
    probe_port: Port | None = None
    heartbeat: Annotated[float, Field(gt=0, le=60)] = 5  # between two heartbeats
    alarm_after: Seconds = 300  # how long Slack or a sink may be away before somebody is paged
    stop_within: Seconds = 80  # for running work at the end; systemd waits for 90

    # The keys that seal what the bot records: `ID:KEY`, one a line; the first one seals, all of them verify
    seal_keys: SealKeys | None = None

    # Where things are
    database_url: SecretStr = SecretStr("sqlite:///var/maskbot.sqlite")  # a secret: it may contain a password
    config_dir: Path = Path("config")
    secrets_dir: Path | None = None
    ssh_key_file: Path | None = None
    # a command that signs a certificate for each login, how long it may take, and how long a certificate shall be valid
    ssh_signer: CommandLine | None = None
    ssh_signer_deadline: Annotated[float, Field(gt=0, le=60)] = 10
    ssh_certificate_valid: Annotated[float, Field(ge=30, le=3600)] = 300
    socket: Path = Path("var/maskbot.sock")  # the command line's socket
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    # Due work
    poll: Seconds = 0.5  # between two queries for it
    lease: Seconds = 60  # the lease of a claim that is not renewed
    lease_renew: Seconds = 15
    workers: Threads = 16  # requests that are processed at one time, half of them targets of rollouts at most
    # bots with this app token, one connection each; more are reported to operators: somebody may have stolen the token
    slack_connections: Annotated[int, Field(ge=1, le=10)] = 1
    acts_per_minute: Annotated[int, Field(ge=10)] = 60  # commands, clicks and forms of one person that are taken
    slack_check: Seconds = 60  # between two checks of the Slack token
    people_ttl: Seconds = 2  # how long Slack's answers about people, groups and channels are cached
    on_call_token: Token | None = None  # the bearer token for the URL of the on-call source
    inventory_token: Token | None = None  # the bearer token for the URL of the inventory source
    database_busy: Annotated[float, Field(gt=0, lt=3)] = 2  # for a database lock; Slack waits three seconds

    # Running changes
    patience: Seconds = 10  # after which a stop or start counts as slow: its host is free for others meanwhile
    retries: Pauses = "1,2,4"  # pauses before retries of what was certainly not sent
    recheck_first: Seconds = 1  # between looks while an outcome is unknown: the first pause, growing,
    recheck_longest: Seconds = 30  # and the longest

    # After a change
    aftercheck: Times = "60,300,900"  # seconds after it the host is checked again; `none` for never
    expiry_warning: Seconds = 900  # before the expiry its owner is reminded; for a short mask a quarter of its length
    expiry_retry_first: Seconds = 5  # between retries of an overdue undo: the first pause, growing,
    expiry_retry_longest: Seconds = 300  # and the longest
    reminder_after: Days = 86_400  # the owner of a mask without expiry is reminded first after this time,
    reminder_every: Days = 86_400  # and then this often;
    # this many reminders go to the owner alone, later ones to the channel too
    reminders_to_owner_only: Annotated[int, Field(ge=0, le=1000)] = 2

    # The pager: its URL, its format, and its secret. The URL may contain a secret as well.
    pager_url: Address | None = None
    pager_format: Format = Format.GENERIC
    pager_key: SecretStr | None = None  # PagerDuty's routing key, Opsgenie's API key
    pager_secret: SecretStr | None = None  # the key of the signature in the headers
    pager_deadline: Seconds = 10
    page_outcome_unknown_after: Seconds = 120  # after which somebody is paged about an unknown outcome

    # Audit shipping to other systems, and whether new masks wait while a sink is down
    audit_syslog: SyslogPlace | None = None  # tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH
    audit_syslog_need: SinkNeed = SinkNeed.BEST_EFFORT
    audit_webhook_url: Address | None = None
    audit_webhook_secret: SecretStr | None = None  # the key of the signature in the headers
    audit_webhook_need: SinkNeed = SinkNeed.BEST_EFFORT
    audit_deadline: Annotated[float, Field(gt=0, le=30)] = 2  # for one delivery
    audit_anchor: Days = 86_400  # between two posts of the audit log's head in the operations channel

    audit_anchor_file: Path | None = None  # where the newest head is kept outside the database

    # Host watches
    watch_interval: Seconds = 300  # between two scans of a host
    watchers: Threads = 4  # threads for host watches and other periodic tasks

    # What people see
    progress: Seconds = 5  # between two progress notes about a long wait
    message_retry: Seconds = 2  # the first pause; it grows
    message_lease: Seconds = 60  # the lease on a message that is being delivered
    unit_lists: Seconds = 300  # how long the form uses a cached list of a host's units
    sign_off_reminder: Days = 86_400  # between two reminders of a break-glass sign-off

    @model_validator(mode="after")
    def _knows_us(self) -> "Settings":
        if self.pager_url and self.pager_format in (Format.PAGERDUTY, Format.OPSGENIE) and not self.pager_key:
            raise ValueError(f"MASKBOT_PAGER_KEY is missing: the {self.pager_format} format needs it")
        if self.pager_url and self.pager_format is Format.GENERIC and not self.pager_secret:
            raise ValueError("MASKBOT_PAGER_SECRET is missing: receivers check the signature made with it")
        return self

    @model_validator(mode="after")
    def _proves_the_record(self) -> "Settings":
        if self.audit_webhook_url and not self.audit_webhook_secret:
            raise ValueError("MASKBOT_AUDIT_WEBHOOK_SECRET is missing: receivers check the signature made with it")
        return self

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        if self.lease_renew * 2 > self.lease:
            raise ValueError(
                "MASKBOT_LEASE_RENEW has to be at most half of MASKBOT_LEASE, so that one renewal may fail"
            )
        if self.recheck_first > self.recheck_longest:
            raise ValueError("MASKBOT_RECHECK_FIRST cannot be longer than MASKBOT_RECHECK_LONGEST")
        if self.expiry_retry_first > self.expiry_retry_longest:
            raise ValueError("MASKBOT_EXPIRY_RETRY_FIRST cannot be longer than MASKBOT_EXPIRY_RETRY_LONGEST")
        if self.slack_app_token and self.slack_signing_secret and self.slack_mode is None:
            raise ValueError(
                "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both set: choose one with MASKBOT_SLACK_MODE, "
                "socket or http"
            )
        return self

    @property
    def mode(self) -> Mode:
        """The transport of Slack's payloads."""
        if self.slack_mode is not None:
            return self.slack_mode
        return "http" if self.slack_signing_secret and not self.slack_app_token else "socket"

    @property
    def transport_secret(self) -> SecretStr | None:
        """The secret of that transport."""
        return self.slack_app_token if self.mode == "socket" else self.slack_signing_secret

    @property
    def ssh_signer_command(self) -> tuple[str, ...]:
        """The words of `ssh_signer`; none without it."""
        return command_words(self.ssh_signer or "")

    @property
    def retry_pauses(self) -> tuple[float, ...]:
        """`retries` in seconds."""
        return tuple(numbers(self.retries))

    @property
    def aftercheck_pauses(self) -> tuple[float, ...]:
        """`aftercheck` in seconds."""
        return tuple(numbers(self.aftercheck))


def load_settings() -> Settings:
    """Load settings from the environment; a secret's file wins over its variable.

    Raises `ConfigError` with a line for each error, which never contains a value.
    """
    unknown = [*_unknown_names(), *_of_windows()]
    if unknown:
        raise ConfigError("\n".join(unknown))
    from_files: dict[str, Any] = {_field(name): secret for name, secret in read_secret_files(os.environ).items()}
    try:
        return Settings(**from_files)
    except ValidationError as error:
        raise ConfigError("\n".join(_lines(error))) from None


def _field(name: str) -> str:
    """The field of an environment variable, in pydantic's terms: without the prefix, Slack's as they are."""
    return name.removeprefix(PREFIX).lower() if name.startswith(PREFIX) else name


def _unknown_names() -> Iterator[str]:
    """A misspelt setting would leave its default in force, and nobody would notice."""
    ours = (f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if not field.validation_alias)
    known = {*ours, *file_names()}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            yield f"{name}: unknown setting.{near(name.upper(), known)}"


def _of_windows() -> Iterator[str]:
    """A value whose last sign nobody sees: its file was saved with the line ends of Windows."""
    for name, text in sorted(os.environ.items()):
        if name.startswith((PREFIX, "SLACK_")) and text.endswith("\r"):
            mend = "save the file that sets it with Unix line endings (sed -i 's/\\r$//' FILE)"
            yield f"{name} ends in a carriage return: {mend}"


def _lines(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        name = "".join(str(part) for part in found["loc"][:1])
        said = plainly(found["msg"])
        yield f"{name if name.startswith('SLACK_') else PREFIX + name.upper()}: {said}" if name else said
