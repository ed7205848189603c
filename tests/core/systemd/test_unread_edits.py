"""Edits of other people that a reload would apply: what systemd itself says, and what it does not know of."""

import pytest

from bot.core.systemd.fields import reader_of
from bot.core.systemd.shown_unit import read_listed
from bot.core.systemd.unread_edits import Edits, is_among, pending_reload
from bot.errors import HostileOutput

VENDOR, ETC = "/lib/systemd/system", "/etc/systemd/system"


def edited(name: str, *, needs: str = "yes", load: str = "loaded", names: str = "", drop_ins: str = "") -> list[str]:
    return [
        f"Id={name}",
        f"Names={names or name}",
        f"LoadState={load}",
        f"NeedDaemonReload={needs}",
        f"FragmentPath={VENDOR}/{name}",
        f"DropInPaths={drop_ins}",
        "",
    ]


def pending(
    *lines: str,
    many: tuple[str, ...] = (),
    there: tuple[str, ...] = (),
    loaded: tuple[str, ...] = (),
    fresh: tuple[str, ...] = (),
) -> set[str]:
    edits = reader_of(Edits)({"edited": lines, "edited-for-many": many, "there": there, "fresh": fresh})
    return {*pending_reload(edits, read_listed([f"{name} loaded active running" for name in loaded]))}


def test_only_what_systemd_has_not_read_counts() -> None:
    """systemd says NeedDaemonReload=yes of a masked unit with drop-ins for ever (measured)."""
    lines = [*edited("edited.service"), *edited("read.service", needs="no")]
    assert pending(*lines, *edited("masked.service", load="masked")) == {"edited.service"}


def test_a_loaded_unit_without_a_file_is_gone_where_the_files_were_asked_for() -> None:
    loaded = ("a.service", "gone.timer", "b@x.service", "dev-sda.device", "system.slice")
    assert pending(there=("a.service", "b@.service"), loaded=loaded) == {"gone.timer"}
    assert pending(loaded=loaded) == set()


def test_an_edit_of_many_units_stands_for_each_of_them() -> None:
    lines = [name for unit in ("b@1.service", "web-a.service", "c.timer", "d.service") for name in edited(unit)]
    assert pending(*lines, many=("b@.service", "web-*.service", "*.timer")) == {
        *("b@.service", "web-*.service", "*.timer", "d.service"),
    }
    assert pending(many=("fstab", "crypttab", "generators", "system.conf")) >= {"fstab", "system.conf"}
    many = ("b@.service", "web-*.service", "own.service")
    assert [
        is_among(unit, many) for unit in ("b@2.service", "web-b.service", "web-b.timer", "own.service", "x.service")
    ] == [
        *(True, True, False, True, False),
    ]


@pytest.mark.parametrize("name", ["a b.service", "*.nothing", "-*.service x", "passwd"])
def test_no_other_word_is_taken_for_an_edit(name: str) -> None:
    with pytest.raises(HostileOutput, match="name of a unit"):
        pending(many=(name,))


@pytest.mark.parametrize(
    ("fresh", "is_edit"),
    [
        (f"{ETC}/a.service.d/new.conf|", True),  # in a new directory, of which systemd knows nothing
        (f"{ETC}/alias.service.d/two words.conf|", True),
        (f"{ETC}/a.service.d/read.conf|", False),
        (f"{ETC}/b.service.d/new.conf|", False),
        (f"{ETC}/a.service|", True),  # overrides the vendor's file
        (f"{ETC}/a.service|/dev/null", True),
        (f"{ETC}/a.service|/opt/own/a.service", True),
        (f"{ETC}/a.service|/opt/own/b.service", False),  # an alias
        (f"{ETC}/alias.service|{VENDOR}/a.service", False),
        ("/run/systemd/generator.late/a.service|", False),  # the vendor's file goes first
    ],
)
def test_files_that_systemd_has_not_seen_are_compared_with_what_it_has_loaded(fresh: str, *, is_edit: bool) -> None:
    lines = edited("a.service", needs="no", names="a.service alias.service", drop_ins=f"{ETC}/a.service.d/read.conf")
    assert pending(*lines, loaded=("a.service",), fresh=(fresh,)) == ({"a.service"} if is_edit else set())
    assert pending(*lines, fresh=(fresh,)) == set()  # it is not loaded, so it is read when it is needed
