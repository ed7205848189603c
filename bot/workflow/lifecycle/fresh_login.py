"""After a mask of a guarded unit: whether the bot can still log in anew, over the connection that it has."""

from bot.core.hosts.inventory import Host
from bot.core.requests import Outcome, Request
from bot.errors import HostError
from bot.workflow.process.deps import Deps


def why_no_login(deps: Deps, host: Host, request: Request, outcome: Outcome) -> str:
    """Why a second login fails, the last line of the proof for a guarded unit; empty if it works or none is needed.

    A failure that may pass is tried again, as for every command. The connection that carried the change out stays open,
    and the undo goes over that.
    """
    is_guarded = request.approval is not None and bool(request.approval.guarded)
    if not is_guarded or not request.is_new_mask or outcome is not Outcome.PROVEN:
        return ""
    pauses = [*deps.timings.retries]
    while True:
        try:
            deps.log_in(host)
        except HostError as error:
            if not error.passing or not pauses:
                return str(error)
            deps.clock.wait(pauses.pop(0))
        else:
            return ""
