"""Refuse to carry out a request whose approval no sealed event confirms."""

from bot.core.cards.forgery import not_confirmed
from bot.core.requests import Outcome
from bot.core.steps import Done
from bot.errors import HostError
from bot.workflow.health.operator_notices import report_forgery
from bot.workflow.lifecycle.outcome_unknown import outcome_unknown
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Ending, NotBelieved, Update


def refuse_to_act(deps: Deps, found: NotBelieved) -> Update | Ending:
    """End the request if nothing was sent for it yet; otherwise its outcome is unknown. The operators are told once."""
    request, why = found.request, found.why
    error = HostError(not_confirmed(why), code="not_sealed")
    if request.target.note != str(error) and not deps.integrity.why_broken:  # of which they are told already
        report_forgery(deps, f"request {request.id}", why, request_id=request.id)
    if request.target.sent:
        return outcome_unknown(deps, request, error)
    return Ending(request, Done(Outcome.FAILED, str(error)))
