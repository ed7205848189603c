"""The names of a host's units: as a real host printed them, and nothing that is not a name."""

from pathlib import Path

import pytest

from bot.core.systemd.unit_list import parse_unit_list, unit_list_argv
from bot.core.systemd.units import UnitName
from bot.errors import HostError, HostileOutput

RECORDED = Path(__file__).parents[1] / "recorded" / "units.list"


def listed(*lines: str) -> list[str]:
    return [str(unit) for unit in parse_unit_list("\n".join(["@maskbot-look 1", "@unit_names", *lines, "@end", ""]))]


def test_a_real_host_names_units_with_and_without_a_file() -> None:
    found = parse_unit_list(RECORDED.read_text())
    has_file, generated, transient, alias = "cron.service", "generated.service", "transient-one.service", "sshd.service"
    assert {UnitName(name) for name in (has_file, generated, transient, alias)} <= set(found)
    assert list(found) == sorted(set(found))


def test_templates_and_what_else_stands_in_the_folder_are_left_out() -> None:
    names = (
        "cron.service",
        "foo@.service",
        "foo@1.service",
        "cron.service.bak",
        "README.txt",
        "-x.service",
        "a b.timer",
    )
    assert listed(*names) == ["cron.service", "foo@1.service"]


@pytest.mark.parametrize("text", ["", "@maskbot-look 1\n@unit_names\ncron.service\n", "@maskbot-look 1\n@end\n"])
def test_an_answer_that_is_cut_off_is_no_list(text: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_unit_list(text)
    assert refused.value.passing


@pytest.mark.parametrize("line", ["cron.service\x1b[2J", "@other", "a\u2028b.service"])
def test_a_line_that_the_script_cannot_print_is_refused(line: str) -> None:
    with pytest.raises(HostileOutput):
        listed(line)


def test_the_command_has_no_word_of_anybodys() -> None:
    assert unit_list_argv() == ("maskbot-guard", "units")
