"""Compose the process: settings and configuration in, ports filled with edges out."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bot.core.audit.audit_shipping import read_address
from bot.core.policy.model import Policy
from bot.core.requests.expiry import AftercarePolicy
from bot.core.steps import StepLimits
from bot.edges.clock import SystemClock, wall_time
from bot.edges.database import Database, DatabaseLimits
from bot.edges.database.engine import describe, parse_url
from bot.edges.on_call.schedules import OnCallSchedules
from bot.edges.outbound.audit_shipping import SyslogSink, WebhookSink
from bot.edges.outbound.paging import Receiver, Webhook
from bot.edges.own_machine import read_own_machine
from bot.edges.slack.channel import SlackChannel, web_client
from bot.edges.slack.directory_offline import FallbackDirectory, OfflineDirectory
from bot.edges.slack.http_mode import HttpLimits
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.own_key import OwnKey
from bot.edges.ssh.signer import Signer
from bot.errors import ConfigError, StoreBusy
from bot.ports import Sink
from bot.workflow import Deps, Desk, InForce, Timings
from bot.workflow.hosts.quarantine import QuarantinedHosts
from bot.workflow.outbox.internal_only import InternalOnly
from bot.workflow.process.channel_states import ChannelStates
from bot.workflow.process.reachability import Reachability, TrackedHosts
from bot.workflow.queries.answer_pool import AnswerPool
from config.loading import Configuration
from config.settings import Settings
from config.start import seal_keys
from config.stored import no_answer


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that a process works with, connected only to its database so far."""

    settings: Settings
    deps: Deps
    store: Database
    messages: SlackChannel
    directory: FallbackDirectory
    schedules: OnCallSchedules
    desk: Desk
    instance: str
    clock: SystemClock
    own_key: OwnKey

    @property
    def place(self) -> str:
        """The database, for people: nothing of its URL that may be a secret."""
        return describe(parse_url(self.settings.database_url.get_secret_value()))


def open_store(
    settings: Settings, *, digest: str = "", instance: str = "", clock: SystemClock | None = None
) -> Database:
    """The database, not opened yet. Raises `ConfigError` for an invalid URL, and without a key for its seals."""
    store = Database(
        settings.database_url.get_secret_value(),
        clock=clock or SystemClock(),
        instance=instance or instance_name(),
        keys=seal_keys(settings),
        lease=timedelta(seconds=settings.lease),
        limits=DatabaseLimits(
            busy=timedelta(seconds=settings.database_busy),
            message_lease=timedelta(seconds=settings.message_lease),
        ),
    )
    store.use_config(digest)
    return store


def instance_name() -> str:
    """The name of this process in the audit log: where it runs, and which process it is."""
    return f"{socket.gethostname()}:{os.getpid()}"


def open_hosts(settings: Settings) -> GuardedHosts:
    """Hosts behind their guards. Raises `ConfigError` if there is no key to log in with."""
    return GuardedHosts(open_ssh(settings))


def open_ssh(settings: Settings) -> SshHosts:
    """Hosts over SSH. Raises `ConfigError` if there is no key to log in with."""
    if settings.ssh_key_file is None:
        raise ConfigError("MASKBOT_SSH_KEY_FILE is not set: the bot needs the private key with which it logs in.")
    return SshHosts(settings.ssh_key_file, signer=_signer(settings))


def _signer(settings: Settings) -> Signer | None:
    command, valid = settings.ssh_signer_command, settings.ssh_certificate_valid
    return Signer(command, valid=valid, deadline=settings.ssh_signer_deadline) if command else None


def ask_schedules(settings: Settings, policy: Callable[[], Policy]) -> OnCallSchedules:
    """The client of the on-call source that the current policy names."""
    token = settings.on_call_token.get_secret_value() if settings.on_call_token else ""
    return OnCallSchedules(lambda: policy().on_call, clock=SystemClock(), ttl=settings.people_ttl, token=token)


@contextmanager
def assemble(settings: Settings, configuration: Configuration) -> Iterator[Assembly]:
    """Everything that the bot needs, for as long as this process has its database.

    Raises `ConfigError`, also if another process has the database, or if that does not answer.
    """
    instance, hosts, reach = instance_name(), open_hosts(settings), Reachability()
    clock = SystemClock()
    store = open_store(settings, digest=configuration.policy.digest, instance=instance, clock=clock)
    in_force = InForce(configuration.configured)
    schedules = ask_schedules(settings, lambda: in_force.now.policy)
    directory = FallbackDirectory(OfflineDirectory(lambda: in_force.now.policy, schedules))
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    messages = SlackChannel(web_client(token, base=settings.slack_api_url), keys=seal_keys(settings))
    states = ChannelStates()
    deps = Deps(
        store=store,
        hosts=TrackedHosts(QuarantinedHosts(hosts, store, clock), reach, clock),
        directory=directory,
        channel=InternalOnly(messages, directory, states, clock),
        clock=clock,
        in_force=in_force,
        timings=_timings(settings),
        limits=_limits(settings),
        aftercare=_aftercare(settings),
        pager=_pager(settings),
        sinks=_sinks(settings),
        keys=seal_keys(settings),
        reachability=reach,
        log_in=hosts.log_in,
        channel_states=states,
        own_machine=read_own_machine(),
    )
    answers = AnswerPool(deps)
    with _exclusive(store, settings):
        try:
            desk = Desk(deps, answers)
            yield Assembly(settings, deps, store, messages, directory, schedules, desk, instance, clock, hosts.key)
        finally:
            answers.close()
            hosts.close()


@contextmanager
def _exclusive(store: Database, settings: Settings) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(store.exclusive())
        except StoreBusy as error:
            raise ConfigError(str(no_answer(settings, error))) from error
        yield


def _timings(settings: Settings) -> Timings:
    return Timings(
        retries=settings.retry_pauses,
        recheck_first=settings.recheck_first,
        recheck_longest=settings.recheck_longest,
        progress=settings.progress,
        poll=settings.poll,
        lease_renew=settings.lease_renew,
        message_retry=settings.message_retry,
        sign_off_reminder=settings.sign_off_reminder,
        watch_interval=settings.watch_interval,
        unit_lists=settings.unit_lists,
        page_outcome_unknown_after=settings.page_outcome_unknown_after,
        heartbeat=settings.heartbeat,
        alarm_after=settings.alarm_after,
        acts_per_minute=settings.acts_per_minute,
        audit_anchor=settings.audit_anchor,
    )


def _aftercare(settings: Settings) -> AftercarePolicy:
    return AftercarePolicy(
        expiry_warning=timedelta(seconds=settings.expiry_warning),
        reminder_after=timedelta(seconds=settings.reminder_after),
        reminder_every=timedelta(seconds=settings.reminder_every),
        reminders_to_owner_only=settings.reminders_to_owner_only,
        aftercheck=tuple(timedelta(seconds=seconds) for seconds in settings.aftercheck_pauses),
        expiry_retry_first=timedelta(seconds=settings.expiry_retry_first),
        expiry_retry_longest=timedelta(seconds=settings.expiry_retry_longest),
    )


def _pager(settings: Settings) -> Webhook | None:
    if settings.pager_url is None:
        return None
    key, secret = (one.get_secret_value() if one else "" for one in (settings.pager_key, settings.pager_secret))
    receiver = Receiver(settings.pager_url.get_secret_value(), settings.pager_format, key, secret)
    return Webhook(receiver, now=wall_time, deadline=settings.pager_deadline)


def _sinks(settings: Settings) -> tuple[Sink, ...]:
    found: list[Sink] = []
    if settings.audit_syslog:
        address, need = read_address(settings.audit_syslog), settings.audit_syslog_need
        found.append(SyslogSink(address, need=need, deadline=settings.audit_deadline))
    if settings.audit_webhook_url and settings.audit_webhook_secret:
        url, secret = (one.get_secret_value() for one in (settings.audit_webhook_url, settings.audit_webhook_secret))
        need, now = settings.audit_webhook_need, wall_time
        found.append(WebhookSink(url, secret, need=need, now=now, deadline=settings.audit_deadline))
    return tuple(found)


def http_limits(settings: Settings) -> HttpLimits:
    """Limits for HTTP requests from Slack."""
    return HttpLimits(
        body=settings.http_body,
        header=settings.http_header,
        arrival=settings.http_arrival,
        idle=settings.http_idle,
        connections=settings.http_connections,
    )


def _limits(settings: Settings) -> StepLimits:
    return StepLimits(patience=settings.patience)
