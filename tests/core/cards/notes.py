"""Sentences beside a card: notes in its thread, messages to one person, and reasons why a request ends or waits."""

from dataclasses import replace
from datetime import timedelta

from bot.core.cards import (
    automatic_requests,
    clarification,
    escalation,
    followups,
    force_stop,
    not_started,
    ownership,
    request_status,
    routing,
    step_up,
    voting,
)
from bot.core.people.identity import Place
from bot.core.requests import (
    Aftercare,
    Approval,
    EscalationStep,
    ExtraApprovalReason,
    Followup,
    FollowupKind,
    Hold,
    Remark,
    ScheduledWindow,
    Stage,
    Transfer,
    Verdict,
    Vote,
)
from bot.core.step_up.authenticator import Result, StepUpState
from tests.core.cards.cases import ENDED, guarded
from tests.core.cards.situations import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    change,
    handed,
    of_deploy,
    proven,
    waiting,
    with_break_glass,
)

MINUTES = timedelta(minutes=15)
APPROVAL = Approval("prod", 2, ("sre", "dba"), NOW + MINUTES, MINUTES)
CAST = Vote(BOB, "bob", Verdict.DENY, NOW, "")
REMARK = Remark(BOB, "bob", "is the replica healthy?", NOW)
ANSWER = Followup(FollowupKind.ANSWER, ALICE, "alice", NOW, Place("C1"), "it is")
FREEZE = ExtraApprovalReason("freeze", "the freeze `quiet` asks for 1 more")
HANDED = handed(waiting())


def said_of_standing() -> dict[str, str]:
    """To whoever comes too late, and to whoever asks twice."""
    undone = replace(proven(), undone_by="r2")
    return {
        "how a request stands that waits": request_status.how_it_stands(waiting()),
        "how a mask stands": request_status.how_it_stands(proven()),
        "how a mask stands that was undone": request_status.how_it_stands(undone),
        "too late, denied": request_status.describe_decision(ENDED["denied"]),
        "too late, break-glass": request_status.describe_decision(with_break_glass(waiting())),
        "too late, approved": request_status.describe_decision(guarded()),
        "too late, withdrawn": request_status.describe_decision(replace(waiting(), stage=Stage.WITHDRAWN)),
        "asked twice": request_status.already_open(waiting()),
    }


def said_of_votes() -> dict[str, str]:
    """To voters and about votes."""
    asked = replace(guarded(), approval=APPROVAL)
    raised = replace(APPROVAL, raised=(FREEZE,))
    return {
        "not approved in time": voting.not_in_time(waiting(), APPROVAL),
        "denied": voting.denied(CAST),
        "denied with a reason": voting.denied(replace(CAST, reason="the replica lags")),
        "of no use yet": voting.missing_groups(["dba", "on-call"]),
        "an approval was lost": voting.lost_note(asked, [CAST, replace(CAST, voter=CAROL, voter_name="carol")]),
        "an approval was lost, without a rule": voting.lost_note(replace(asked, approval=None), [CAST]),
        "a name is not known": voting.lost([replace(CAST, voter_name="")]),
        "codes are needed now": voting.lost_note(asked, [CAST], step_up=True),
        "codes are needed now, and somebody lost their right": voting.lost_note(
            asked, [CAST, replace(CAST, voter_name="carol", stepped_up=True)], step_up=True
        ),
        "under another policy": voting.replaced_policy("@eng may not ask for that."),
        "needs more, for a reason": "; ".join(voting.needs_more(APPROVAL, raised)),
        "needs more": "; ".join(voting.needs_more(APPROVAL, replace(APPROVAL, need=3))),
        "needs no more": "; ".join(voting.needs_more(raised, raised)) or "(nothing)",
        "the button is on a copy": voting.NOT_ON_ITS_CARD,
        "another plan": voting.PLAN_CHANGED,
        "guarded": voting.CONFIRM_CONSOLE,
        "decided already": voting.DECIDED_ALREADY,
        "a second click": voting.BEING_CHECKED,
    }


def said_of_step_up() -> dict[str, str]:
    """Of codes and authenticators, to their owners and to operators."""
    state = StepUpState(locked_until=NOW)
    return {
        **{f"a code is not taken: {result}": step_up.why_not(result, state) for result in Result},
        "no code was given": step_up.NO_CODE,
        "approved without a code before": step_up.CODE_MISSING,
        "an older state": step_up.NOT_BELIEVED,
        "locked, for operators": step_up.locked_notice("bob"),
        "locked, without a time": step_up.locked(None),
        "enrolled": step_up.enrolled_notice("bob", is_another=False),
        "replaced": step_up.enrolled_notice("bob", is_another=True),
        "given for break-glass": step_up.NO_CODE_FOR_BREAK_GLASS,
        "enrolled, for the person": step_up.ENROLLED,
        "enrolled, in a direct message": step_up.ENROLLED_DIRECT,
        "reset, in a direct message": step_up.RESET_DIRECT,
        "reset, at the terminal": step_up.reset_done("bob"),
        "nothing to reset": step_up.nothing_to_reset("bob"),
        "reset": step_up.reset_notice("bob", "carol", "his phone is gone"),
    }


def said_to_owners() -> dict[str, str]:
    """To owners, and to those who are none; and what is asked and answered."""
    return {
        "only who asked": ownership.only_the_owner(proven(), "answer"),
        "only who owns it now": ownership.only_the_owner(HANDED, "hand it over"),
        "cannot withdraw, can deny": ownership.cannot_withdraw(HANDED),
        "cannot withdraw": ownership.cannot_withdraw(proven()),
        "approved with the mask": ownership.WITH_ITS_MASK,
        "withdrawn": ownership.withdrawn(HANDED),
        "handed over": ownership.handed_over(waiting(), Transfer(CAROL, "carol", ALICE, "alice", NOW)),
        "a first question": clarification.asked(REMARK, APPROVAL, is_first=True),
        "another question": clarification.asked(REMARK, APPROVAL, is_first=False),
        "an answer": clarification.answered(ANSWER),
    }


def said_of_starting() -> dict[str, str]:
    """Why a request waits, or ends without running."""
    window = ScheduledWindow(NOW, NOW + MINUTES)
    nobody = replace(waiting(), ask=replace(waiting().ask, requester_name=""))
    late = replace(waiting(), ask=replace(waiting().ask, change=replace(change(), scheduled_window=window)))
    return {
        "approved, and not used": not_started.unused(waiting()),
        "approved, and not used for a reason": not_started.unused(
            waiting().on_target(note="cron.service must stay active on 2 hosts of @web.")
        ),
        "its window closed": not_started.unused(late),
        "its window closed, for a reason": not_started.unused(late.on_target(note="web-01 does not answer.")),
        "waits for another change": not_started.waits_for(
            replace(waiting(), begun_at=NOW), NOW + timedelta(minutes=12, seconds=40)
        ),
        "waits for a change that has not begun": not_started.waits_for(
            replace(nobody, asked_at=NOW), NOW + timedelta(seconds=59)
        ),
        "waits for a change by the bot": not_started.waits_for(
            replace(waiting(), begun_at=NOW, ask=replace(waiting().ask, by_itself=True)), NOW + MINUTES
        ),
        "the mask is gone": not_started.mask_is_gone(proven()),
        "a user's mask is gone": not_started.mask_is_gone(of_deploy(proven())),
        "the mask was undone": not_started.UNDONE_BEFORE,
        "the mask is of another kind by now": not_started.CHANGED_BEFORE,
        "a hold stays pending": not_started.hold_pending(waiting(), "web-01 does not answer."),
        "a mistake of ours": not_started.nothing_changed(not_started.OUR_MISTAKE),
    }


def said_elsewhere() -> dict[str, str]:
    """To other channels, to the requester, and at each step of an escalation."""
    step = EscalationStep(MINUTES)
    nameless = replace(waiting(), ask=replace(waiting().ask, requester_name=""))
    return {
        "another channel is told": routing.announced(waiting(), waits=True),
        "another channel is told, no approval needed": routing.announced(nameless, waits=False),
        "where the card is": routing.elsewhere(waiting(), "approvals"),
        "where the card is, nobody knows": routing.elsewhere(waiting(), ""),
        "approvers are called beside a thread": routing.needed(waiting()),
        "a step: a group and a page": escalation.step_taken(
            replace(step, mention=("sre", "lead"), page=True), has_pager=True
        ),
        "a step: a page without a pager": escalation.step_taken(replace(step, page=True), has_pager=False),
        "a step: a channel": escalation.step_taken(replace(step, channel="C9"), has_pager=True),
        "a step: nobody": escalation.step_taken(step, has_pager=True),
    }


def said_by_itself() -> dict[str, str]:
    """Reasons of the bot's own requests, and why one waits."""
    hold = Hold("sre", NOW)
    held = replace(proven(), ask=replace(proven().ask, change=replace(change(), hold=hold), reason=""))
    return {
        "an expired mask is undone": automatic_requests.expiry_reason(proven()),
        "a mask is undone that keeps the bot out": automatic_requests.expiry_reason(
            replace(proven(), aftercare=Aftercare(NOW, no_login="web-01: the login was refused."))
        ),
        "a lifted hold is undone": automatic_requests.expiry_reason(held),
        "a hold is put back": automatic_requests.reapply_reason(proven()),
        "waits for another request": automatic_requests.waits_for(waiting()),
        "waits for the kill switch": automatic_requests.kill_switch_is_on("bob"),
        "rests": automatic_requests.pause_reason(3),
    }


def said_of_followups() -> dict[str, str]:
    """To whoever sends a followup, or forces a stop, that is not possible."""
    return {
        "the plan has changed": followups.PLAN_CHANGED,
        "recorded already": followups.RECORDED_ALREADY,
        "no question": followups.NO_QUESTION_TYPED,
        "no open question": followups.NO_OPEN_QUESTION,
        "no answer": followups.NO_ANSWER_TYPED,
        "too late to hand over": followups.CANNOT_HAND_OVER,
        "no sign-off": followups.NO_SIGN_OFF_OWED,
        "signed already": followups.signed_already("bob"),
        "may not decide": followups.MAY_NOT_DECIDE,
        "may not use break-glass": followups.MAY_NOT_BREAK_GLASS,
        "a mask waits, and is another's": force_stop.not_masked_yet(proven(), ownership.cannot_withdraw(proven())),
        "nothing to force": force_stop.nothing_waits(change()),
    }


def all_notes() -> dict[str, str]:
    """All of them."""
    return {
        **said_of_standing(),
        **said_of_votes(),
        **said_of_step_up(),
        **said_to_owners(),
        **said_of_starting(),
        **said_elsewhere(),
        **said_by_itself(),
        **said_of_followups(),
    }
