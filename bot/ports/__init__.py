"""The ports: small protocols for everything outside the workflow, one module per concern; the edges implement them."""

from bot.core.requests.outbox import Message, MessageKind
from bot.ports.audit_log import AuditLog
from bot.ports.audit_shipping import Sink
from bot.ports.claims import Claim, Claims
from bot.ports.clock import Clock
from bot.ports.hosts import NOT_STRICT, CommandResult, Hosts
from bot.ports.on_call import Schedules
from bot.ports.outbox import DueMessage, Outbox
from bot.ports.paging import Pager
from bot.ports.periodic import Periodic, PeriodicTasks
from bot.ports.requests import NOT_COUNTED, Count, Counted, Query, Requests
from bot.ports.slack import Channel, Directory
from bot.ports.store import Store
from bot.ports.store_health import StoreHealth
from bot.ports.wakeups import Wakeups, Work

__all__ = [
    "AuditLog",
    "Channel",
    "Claim",
    "Claims",
    "Clock",
    "Count",
    "Counted",
    "Directory",
    "DueMessage",
    "Hosts",
    "Message",
    "MessageKind",
    "Outbox",
    "Pager",
    "Periodic",
    "PeriodicTasks",
    "Query",
    "NOT_COUNTED",
    "NOT_STRICT",
    "CommandResult",
    "Requests",
    "Schedules",
    "Sink",
    "Store",
    "StoreHealth",
    "Wakeups",
    "Work",
]
