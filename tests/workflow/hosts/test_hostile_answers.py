"""Answers of hosts that would take long to read, or that hold numbers without end, are refused at once."""

import shlex

import pytest

from bot.core.systemd.output import read_list
from bot.core.systemd.unit_files import read_contents
from bot.errors import HostileOutput

LONG = 300_000


@pytest.mark.parametrize("word", ["a" * LONG + "%", f'"{"a " * LONG}"', '"a"' * LONG, "'a'" * LONG, r"\a" * LONG])
def test_a_word_that_has_no_end_is_refused(word: str) -> None:
    with pytest.raises(HostileOutput, match="a list that cannot be read"):
        read_list(f"one.service {word} other.service")


@pytest.mark.parametrize("value", ['"a', "'a", "a\\", "a '", 'a "b\\"'])
def test_a_word_that_is_not_closed_is_refused(value: str) -> None:
    with pytest.raises(HostileOutput, match="a list that cannot be read"):
        read_list(value)


@pytest.mark.parametrize("value", ["", "  a  b ", r'"a\\x2db.mount" c', r"""a'b "c'd"e\ f" "" g""", "é %h", "'' ''"])
def test_a_list_is_read_as_a_shell_reads_it(value: str) -> None:
    assert read_list(value) == tuple(shlex.split(value))


def test_a_size_that_no_file_has_is_refused() -> None:
    assert list(read_contents(["f|12|2049:1700000000.1234567890|/etc/x"])) == ["/etc/x"]
    with pytest.raises(HostileOutput):
        read_contents([f"f|{'9' * 5000}|2049:1700000000.0|/etc/x"])
