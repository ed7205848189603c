"""An authenticator counts after its first code, takes each code once, and is locked after five wrong ones."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.audit.seal_keys import KeyRing, SealKey
from bot.core.step_up import totp
from bot.core.step_up.authenticator import (
    LOCKED_FOR,
    MOST_WRONG,
    OFFERED_FOR,
    WITHIN,
    Offer,
    Result,
    StepUpState,
    confirm,
    is_locked,
    offer,
    read_code,
    use_code,
)
from bot.errors import UsageError
from tests.lab.keys import KEY, KEYS

BOB = "step_up:T1:UBOB"
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
STEP = timedelta(seconds=totp.PERIOD)
NEW = StepUpState()


def offered(
    state: StepUpState = NEW, *, subject: str = BOB, salt: str = "a1", at: datetime = NOW
) -> tuple[StepUpState, Offer]:
    return offer(state, subject, "bob", KEYS, at, salt=salt)


def code(shown: Offer, at: datetime = NOW) -> str:
    """What the person's app shows at that moment."""
    return totp.code_at(secret(shown), totp.step_at(at))


def secret(shown: Offer) -> bytes:
    return base64.b32decode(shown.secret.replace(" ", ""))


def wrong_code(shown: Offer, at: datetime = NOW) -> str:
    right = {code(shown, at + STEP * around) for around in (-1, 0, 1)}
    return next(one for one in ("000000", "111111", "222222", "333333") if one not in right)


def enrolled(salt: str = "a1", at: datetime = NOW - timedelta(hours=1)) -> tuple[StepUpState, Offer]:
    """Bob has an authenticator for an hour."""
    state, shown = offered(salt=salt, at=at)
    return confirm(state, BOB, code(shown, at), KEYS, at).state, shown


class TestEnrolment:
    def test_a_secret_counts_only_after_its_first_code(self) -> None:
        state, shown = offered()
        assert use_code(state, BOB, code(shown), KEYS, NOW).result is Result.NOT_ENROLLED
        assert confirm(state, BOB, wrong_code(shown), KEYS, NOW).state.authenticator is None
        done = confirm(state, BOB, code(shown), KEYS, NOW)
        assert (done.result, done.state.offered) == (Result.ACCEPTED, None)
        assert use_code(done.state, BOB, code(shown, NOW + STEP), KEYS, NOW + STEP).result is Result.ACCEPTED

    def test_the_first_code_cannot_be_used_again(self) -> None:
        state, shown = offered()
        done = confirm(state, BOB, code(shown), KEYS, NOW).state
        assert use_code(done, BOB, code(shown), KEYS, NOW).result is Result.USED

    def test_an_offer_ends_after_a_while_and_with_the_next_one(self) -> None:
        state, shown = offered()
        late = NOW + OFFERED_FOR
        assert confirm(state, BOB, code(shown, late), KEYS, late).result is Result.NOT_OFFERED
        assert confirm(StepUpState(), BOB, "123456", KEYS, NOW).result is Result.NOT_OFFERED
        state, newer = offered(state, salt="a2")
        assert confirm(state, BOB, code(shown), KEYS, NOW).result is Result.WRONG
        assert confirm(state, BOB, code(newer), KEYS, NOW).result is Result.ACCEPTED

    def test_the_present_authenticator_goes_on_until_the_new_one_has_given_its_first_code(self) -> None:
        state, shown = enrolled()
        state, newer = offered(state, salt="a2")
        state = use_code(state, BOB, code(shown), KEYS, NOW).state
        state = confirm(state, BOB, code(newer), KEYS, NOW).state
        later = NOW + STEP
        assert use_code(state, BOB, code(shown, later), KEYS, later).result is Result.WRONG
        assert use_code(state, BOB, code(newer, later), KEYS, later).result is Result.ACCEPTED

    def test_every_person_and_every_salt_has_a_secret_of_its_own_and_the_state_holds_none(self) -> None:
        shown = [offered()[1], offered(subject="step_up:T1:UCAROL")[1], offered(salt="a2")[1]]
        assert len({one.secret for one in shown}) == 3
        state = repr(enrolled())
        assert not re.search(r"[A-Z2-7]{4} [A-Z2-7]{4}|otpauth", state)


class TestCodes:
    def test_a_code_counts_once(self) -> None:
        state, shown = enrolled()
        first = use_code(state, BOB, code(shown), KEYS, NOW)
        assert first.result is Result.ACCEPTED
        assert use_code(first.state, BOB, code(shown), KEYS, NOW + STEP).result is Result.USED

    def test_after_a_code_no_earlier_one_counts(self) -> None:
        state, shown = enrolled()
        ahead = use_code(state, BOB, code(shown, NOW + STEP), KEYS, NOW).state
        assert use_code(ahead, BOB, code(shown), KEYS, NOW).result is Result.USED

    def test_a_code_of_two_steps_ago_is_wrong(self) -> None:
        state, shown = enrolled()
        assert use_code(state, BOB, code(shown, NOW - 2 * STEP), KEYS, NOW).result is Result.WRONG

    def test_the_code_of_somebody_else_is_wrong(self) -> None:
        state, _ = enrolled()
        _, hers = offered(subject="step_up:T1:UCAROL")
        assert use_code(state, BOB, code(hers), KEYS, NOW).result is Result.WRONG

    @pytest.mark.parametrize("typed", ["123456", " 123 456 ", "000000"])
    def test_six_digits_are_a_code(self, typed: str) -> None:
        assert read_code(typed) == "".join(typed.split())

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "123.456"])
    def test_anything_else_is_refused_without_being_repeated(self, typed: str) -> None:
        with pytest.raises(UsageError, match="has 6 digits") as refused:
            read_code(typed)
        assert not typed or typed not in str(refused.value)


class TestLock:
    def test_five_wrong_codes_lock_it_and_then_no_code_is_compared(self) -> None:
        state, shown = enrolled()
        for number in range(1, MOST_WRONG + 1):
            tried = use_code(state, BOB, wrong_code(shown), KEYS, NOW)
            assert (tried.result, tried.locks) == (Result.WRONG, number == MOST_WRONG)
            state = tried.state
        assert use_code(state, BOB, code(shown), KEYS, NOW).result is Result.LOCKED
        assert is_locked(state, NOW + LOCKED_FOR - STEP)

    def test_the_lock_ends_by_itself(self) -> None:
        state, shown = enrolled()
        for _ in range(MOST_WRONG):
            state = use_code(state, BOB, wrong_code(shown), KEYS, NOW).state
        later = NOW + LOCKED_FOR
        assert not is_locked(state, later)
        assert use_code(state, BOB, code(shown, later), KEYS, later).result is Result.ACCEPTED
        assert not use_code(state, BOB, wrong_code(shown, later), KEYS, later).locks

    def test_wrong_codes_of_long_ago_do_not_count_and_a_right_one_between_forgives_none(self) -> None:
        state, shown = enrolled()
        for number in range(MOST_WRONG - 1):
            state = use_code(state, BOB, wrong_code(shown), KEYS, NOW + number * STEP / 10).state
        later = NOW + WITHIN
        assert not use_code(state, BOB, wrong_code(shown, later), KEYS, later).locks
        state = use_code(state, BOB, code(shown, NOW + STEP), KEYS, NOW + STEP).state
        assert use_code(state, BOB, wrong_code(shown, NOW + STEP), KEYS, NOW + STEP).locks

    def test_wrong_first_codes_count_as_well(self) -> None:
        state, shown = offered()
        for _ in range(MOST_WRONG):
            state = confirm(state, BOB, wrong_code(shown), KEYS, NOW).state
        assert confirm(state, BOB, code(shown), KEYS, NOW).result is Result.LOCKED


class TestSealKeys:
    def test_under_a_new_key_in_front_the_codes_go_on(self) -> None:
        state, shown = enrolled()
        ring = KeyRing((SealKey("new", b"\x01" * 32), KEY))
        assert use_code(state, BOB, code(shown), ring, NOW).result is Result.ACCEPTED

    def test_without_its_key_a_code_is_not_wrong_but_the_key_is_gone(self) -> None:
        state, shown = enrolled()
        ring = KeyRing((SealKey("new", b"\x01" * 32),))
        tried = use_code(state, BOB, code(shown), ring, NOW)
        assert (tried.result, tried.state) == (Result.KEY_GONE, state)
