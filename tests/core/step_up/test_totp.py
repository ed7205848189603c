"""Codes are those of the standards, so that any authenticator app shows them."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.step_up import totp

SECRET = b"12345678901234567890"  # of RFC 4226, appendix D, and RFC 6238, appendix B


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
     (2000000000, "69279037"), (20000000000, "65353130")],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    step = totp.step_at(datetime.fromtimestamp(seconds, UTC))
    assert totp.code_at(SECRET, step, digits=8) == code
    assert totp.code_at(SECRET, step) == code[-6:]


@pytest.mark.parametrize(
    ("counter", "code"),
    [*enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])],
)
def test_the_vectors_of_rfc_4226(counter: int, code: str) -> None:
    assert totp.code_at(SECRET, counter) == code


def test_a_code_counts_in_its_step_and_in_the_one_before_and_after() -> None:
    begin = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    step = totp.step_at(begin)
    code = totp.code_at(SECRET, step)
    counts = [
        seconds for seconds in range(-60, 90) if totp.matching_steps(SECRET, code, begin + timedelta(seconds=seconds))
    ]
    assert (counts[0], counts[-1], len(counts)) == (-30, 59, 90)
    assert totp.matching_steps(SECRET, code, begin) == (step,)


def test_an_app_can_take_the_address_and_a_person_can_type_the_secret() -> None:
    assert totp.typed_secret(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert totp.address(SECRET, "bob o'neil/x") == (
        "otpauth://totp/maskbot:bob%20o%27neil%2Fx"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=maskbot&algorithm=SHA1&digits=6&period=30"
    )
