"""Requests, votes, messages and the audit log in one database: SQLite, or PostgreSQL for several replicas."""

from bot.edges.database.engine import DatabaseLimits
from bot.edges.database.store import Database

__all__ = ["Database", "DatabaseLimits"]
