"""Where a name leads on the search path of systemd."""

from pathlib import Path

import pytest

from bot.edges.guard.links import leads_to

ESCAPED, TEMPLATE, UNESCAPED = r"x@a\x2db.service", "x@.service", "x@a-b.service"


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for name in ("etc", "lib"):
        (tmp_path / name).mkdir()
    return [str(tmp_path / "etc"), str(tmp_path / "lib")]


def test_a_name_that_nothing_has_leads_nowhere_else(folders: list[str]) -> None:
    assert leads_to("crond.service", ["cron.service"], folders)


def test_a_link_leads_to_what_it_names_and_a_file_to_itself_alone(folders: list[str]) -> None:
    there = Path(folders[1], "crond.service")
    there.symlink_to("/lib/systemd/system/cron.service")
    assert leads_to("crond.service", ["cron.service"], folders)
    assert not leads_to("crond.service", ["atd.service"], folders)
    Path(folders[0], "crond.service").write_text("[Service]\n")  # which comes first
    assert not leads_to("crond.service", ["cron.service"], folders)


def test_an_instance_without_a_file_leads_where_its_template_does(folders: list[str]) -> None:
    Path(folders[1], UNESCAPED).write_text("[Service]\n")  # which is another unit
    assert leads_to(ESCAPED, ["y@.service"], folders)
    there = Path(folders[1], TEMPLATE)
    there.symlink_to("y@.service")
    assert leads_to(ESCAPED, [r"y@a\x2db.service"], folders)
    there.unlink()
    there.write_text("[Service]\n")
    assert not leads_to(ESCAPED, [r"y@a\x2db.service"], folders)
