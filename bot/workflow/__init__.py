"""The workflow: the life of a request from submission to undo.

In order of time: `desk` records what a person wants, `lifecycle` checks and carries it out step by step, `approval`
counts votes, `outbox` delivers cards and messages. `expiry`, `hold` and `drift` look after finished changes. `engine`
drives all of them with workers, timers and periodic tasks, and `evaluate` is where each asks the policy.
"""

from bot.workflow.desk.desk import Desk
from bot.workflow.engine.workers import Workers
from bot.workflow.process.deps import Deps, InForce, Timings

__all__ = ["InForce", "Workers", "Deps", "Timings", "Desk"]
