"""The store: all protocols of one database together."""

from typing import Protocol

from bot.ports.audit_log import AuditLog
from bot.ports.claims import Claims
from bot.ports.outbox import Outbox
from bot.ports.periodic import PeriodicTasks
from bot.ports.requests import Requests
from bot.ports.store_health import StoreHealth
from bot.ports.wakeups import Wakeups


class Store(Requests, Claims, Outbox, PeriodicTasks, AuditLog, Wakeups, StoreHealth, Protocol):
    """All concerns of the store. Each method is one transaction; code that needs one concern takes that protocol."""
