"""The desk: everything a person can do, from Slack or the command line. It records; the workers do the rest."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import ownership, voting
from bot.core.cards.blocks import Block
from bot.core.cards.request_status import how_it_stands
from bot.core.input.grammar import Question
from bot.core.people.identity import Caller, PersonId, Place
from bot.core.requests import Ask, Outcome, Request, Stage, VoteCommand
from bot.core.requests.deadlines import repeat_change
from bot.core.time.human_time import Now
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.desk.admission import Admission
from bot.workflow.desk.record_vote import check_plan, record_vote
from bot.workflow.expiry.extend import Extensions
from bot.workflow.followups.record import Followups
from bot.workflow.force_stop import SlowStops, bound_to_waiting_mask, wake_force_requests
from bot.workflow.health.edited_messages import EditedMessages
from bot.workflow.kill_switch import KillSwitchControl
from bot.workflow.outbox.shared_channels import cancel_waiting
from bot.workflow.people.routing import place_of
from bot.workflow.process.deps import Deps
from bot.workflow.process.per_person import Repeats, WithinAMinute
from bot.workflow.process.refusals import Refusals
from bot.workflow.process.render import render_or_fall_back
from bot.workflow.queries.answer_pool import AnswerPool
from bot.workflow.queries.form_options import FormOptions
from bot.workflow.queries.home_publisher import HomePublisher
from bot.workflow.requests.lookup import beside_first_card, stored_request, update_stored_request
from bot.workflow.rollout.steering import Rollouts
from bot.workflow.rollout.target_list import bind
from bot.workflow.step_up import StepUp

_STILL_MINE = (Stage.ASKED, Stage.WAITING, Stage.APPROVED)


class Desk:
    """Everything that a person can do, recorded before anything is looked at.

    No method waits for a host or for Slack: it checks what needs no look-up, and records; the workers do the rest.
    Every method raises `UsageError` or another `MaskbotError` whose text is for the caller alone.
    """

    def __init__(self, deps: Deps, answers: AnswerPool) -> None:
        self._deps = deps
        self._answers = answers
        self.step_up = StepUp(deps)
        self._repeats = Repeats(deps.clock)
        self.followups = Followups(deps, self.step_up, self._repeats)
        self._refusals = Refusals(deps.store, deps.clock)
        self.form_options = FormOptions(deps, self._refusals, answers.later)
        self.home = HomePublisher(deps, answers.later, lambda: answers.is_ending)
        self.edited_messages = EditedMessages(deps)
        self.kill_switch = KillSwitchControl(deps)
        self.extensions = Extensions(deps, self.submit)
        self.rollouts = Rollouts(deps, self.followups, self.submit, self.mask_again, self.withdraw)
        self.slow_stops = SlowStops(deps, self.submit, self.withdraw)
        self._admission = Admission(deps, self._refusals)
        self._pace = WithinAMinute(deps.timings.acts_per_minute, deps.clock)

    @property
    def hosts(self) -> Sequence[str]:
        """The names of all hosts."""
        return self._deps.in_force.inventory.names

    @property
    def teams(self) -> frozenset[str]:
        """The teams and enterprises whose people are ours, in addition to the bot's own."""
        return self._deps.in_force.policy.teams

    @property
    def places(self) -> Sequence[str]:
        """The names of all hosts, and of their groups as `@web`."""
        groups = {group for host in self._deps.in_force.inventory.hosts for group in host.groups}
        return [*self.hosts, *(f"@{group}" for group in sorted(groups))]

    @property
    def hold_owners(self) -> Sequence[str]:
        """The groups that may own holds."""
        return sorted(self._deps.in_force.policy.holds.owners)

    @property
    def now(self) -> Now:
        """The current time, for times that somebody types."""
        policy = self._deps.in_force.policy
        return Now(self._deps.clock.now(), policy.time_zone, policy.scheduled_windows.usual)

    def count(self, person: PersonId) -> None:
        """Count something that a person does, whatever it is. Raises `UsageError` if it is too much for a minute."""
        self._pace.count(person)

    def form(self, *ways: Callable[[], Block]) -> Block:
        """A form, built by the first of these functions that does not fail."""
        return render_or_fall_back(self._deps, "form", *ways)

    def request(self, request_id: str) -> Request:
        """A request as it is stored. Raises `UsageError` if there is none."""
        return stored_request(self._deps, request_id)

    def submit(self, ask: Ask, *, key: str, code: str = "", due_in: timedelta = timedelta()) -> Request:
        """Record a new request, if it is admitted; a second delivery finds what the first recorded.

        A `code` comes with break-glass; it is taken once, and only the word that it was right is kept.
        """
        ask = bind(self._deps, bound_to_waiting_mask(self._deps, ask))
        if code and not self._deps.store.count(Query(key=key)):
            self.step_up.use(Caller(ask.requester, ask.requester_name, ask.place, key), code, used_for="break-glass")
            ask = replace(ask, stepped_up=True)
        return self._admission.admit(ask, key=key, due_in=due_in)

    def undo(self, request_id: str, caller: Caller) -> Request:
        """Record an undo: our mask of this request is removed, and what it stopped is started again."""
        mask = self.request(request_id)
        who = beside_first_card(self._deps, mask, caller)
        if mask.target.outcome is Outcome.NOT_OURS:  # what an undo left alone is asked for like a foreign mask
            return self.submit(
                Ask(replace(mask.ask.change, scheduled_window=None), who.id, who.name, who.place), key=who.key
            )
        if not mask.can_be_undone:
            raise UsageError("There is nothing left to undo: " + how_it_stands(mask))
        change = mask.ask.change.as_undo(mask.target.unit)
        ask = Ask(change, who.id, who.name, who.place, undoes=mask.id, selection=mask.ask.selection)
        return self.submit(ask, key=who.key)

    start_again = undo  # what was stopped but not masked is restored in the same way

    def mask_again(self, request_id: str, caller: Caller) -> Request:
        """Ask for the same change once more: it did not finish, or a hold has lost its mask."""
        first = self.request(request_id)
        halfway = (Outcome.NOT_PROTECTED, Outcome.NOT_LOADED, Outcome.FAILED)
        if first.target.outcome not in halfway and not (first.hold and first.hold_state.loss):
            raise UsageError("There is nothing to repeat: " + how_it_stands(first))
        change, who = repeat_change(first, self._deps.clock.now()), beside_first_card(self._deps, first, caller)
        rollout = first.ask.rollout if first.hold else ""
        ask = Ask(change, who.id, who.name, who.place, first.ask.reason, repeats=first.id, rollout=rollout)
        return self.submit(ask, key=who.key)

    def vote(self, request_id: str, command: VoteCommand, caller: Caller) -> None:
        """Record a vote on the plan with this digest (a prefix suffices), given on the card at (channel, ts).

        Votes from the command line have no card; neither do those from the Home tab, whose form shows what is stored.
        """
        request = self.request(request_id)
        if not (caller.place.is_shell or caller.place.is_home):
            self.check_card(request, command.card, by=caller.id)
        self._repeats.count(request, caller.id)
        record_vote(self._deps, self.step_up, request, command, caller)

    def to_approve(self, request_id: str, digest: str) -> Request:
        """The request, if it is waiting for votes on the plan with this digest. Raises `UsageError`."""
        request = self.request(request_id)
        check_plan(request, digest)
        return request

    def check_card(self, request: Request, card: tuple[str, str] | None, *, by: PersonId) -> None:
        """Refuse a vote on a copy of the card. A very quick vote may come before the card's timestamp is stored."""
        posted = self._deps.store.card(request.id)
        is_noted, channel = all(posted), place_of(self._deps, request).channel
        if card is None or (card != posted if is_noted else card[0] != channel):
            mismatch = event(request, "approval.refused", outcome="denied", code="message_mismatch", actor=by)
            self._refusals.record(mismatch)
            raise UsageError(voting.NOT_ON_ITS_CARD)

    def has_posted(self, request_id: str, message: tuple[str, str]) -> bool:
        """Whether a message, by channel and timestamp, is one of ours about the request."""
        return self._deps.store.has_posted(self.request(request_id).id, *message)

    def withdraw(self, request_id: str, *, by: PersonId, because: str = "") -> None:
        """Let the owner withdraw a request before it runs, or while its stop is slow."""

        def withdrawn(request: Request) -> Request:
            if request.ask.by_itself:
                raise UsageError(ownership.WITH_ITS_MASK)
            if by.key != request.owner.key:
                raise UsageError(ownership.cannot_withdraw(request))
            if request.can_be_called_off:  # a unit that was told to stop is started again once it is down
                now = self._deps.clock.now()
                return replace(request.on_target(called_off=now), due_at=now)
            if request.stage not in _STILL_MINE:
                raise UsageError("Too late to withdraw: " + how_it_stands(request))
            if request.ask.extends and request.stage is Stage.APPROVED:  # whoever may just be giving it ends it
                now = request.target.called_off or self._deps.clock.now()
                return replace(request.on_target(called_off=now), due_at=now)
            why, now = because or ownership.withdrawn(request), self._deps.clock.now()
            return request.move(Stage.WITHDRAWN, because=why, finished_at=now, due_at=None)

        update_stored_request(
            self._deps, request_id, lambda now: (withdrawn(now), [event(now, "request.withdrawn", actor=by)])
        )
        wake_force_requests(self._deps, self.request(request_id))

    def look_now(self, request_id: str, *, by: PersonId) -> None:
        """Make a request with an unknown outcome due at once."""
        request = self.request(request_id)
        if request.stage is not Stage.RUNNING or request.target.unknown_since is None:
            raise UsageError("Its outcome is already known: " + how_it_stands(request))
        self._deps.store.make_due(request_id)

    def answer(self, question: Question, asker: Caller) -> None:
        """Find an answer in the background and send it to the asker alone."""
        self._answers.answer(question, asker)

    def asking(self, person: PersonId) -> AbstractContextManager[None]:
        """While a question is answered where it was asked: one of the person's two. Raises `UsageError` for a third."""
        return self._answers.asking(person)

    def details(self, request_id: str, asker: Caller, *, form: str = "") -> None:
        """Show the asker alone everything about a request, in an open form if there is one."""
        self._answers.details(self.request(request_id), asker, form=form)

    def channel_shared(self, channel: str, *, is_shared: bool) -> None:
        """Once a channel is shared with another organisation, nothing is posted there, and what waits is cancelled.

        Once it is no longer, it may still be shared within the own one, or an invitation may be open: Slack is asked.
        """
        self._deps.channel_states.forget(channel)
        if is_shared:
            self._deps.channel_states.note(channel, is_shared=True, now=self._deps.clock.now())
            self._answers.later(lambda: cancel_waiting(self._deps, channel))

    def form_for_approval(self, request_id: str) -> Request | None:
        """The request, if its approvers have to give more than a click: a word, a code, or both."""
        request = self.request(request_id)
        return request if request.approval and (request.approval.guarded or request.approval.step_up) else None

    def whisper(self, place: Place, to: str, text: str) -> None:
        """Send a sentence to one person alone."""
        self._answers.whisper(place, to, text)

    def refused_at_the_gate(self, code: str, *, by: PersonId, place: Place) -> None:
        """Record that a payload was rejected before it was read; of many of one person only some."""
        self._refusals.record(Event("identity.refused", "denied", code=code, actor=by, data={"channel": place.channel}))
