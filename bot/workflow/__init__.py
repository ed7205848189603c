"""The life of a request: asked, looked at, voted on, carried out, taken back.

In order of time: `desk` records what a person wants, `asking` answers it, `voting` counts, `beginning` makes sure that
everything still holds, `carrying` goes step by step, `finishing` writes the outcome, `saying` tells people. `meanwhile`
does what time alone brings, and `tasks` come round by themselves. `loop` drives all of that, and `judging` is where
each of them asks whether it may.
"""

from bot.workflow.desk.desk import Desk
from bot.workflow.engine.workers import Workers
from bot.workflow.process.deps import Deps, InForce, Timings

__all__ = ["InForce", "Workers", "Deps", "Timings", "Desk"]
