"""Edits of other people that a reload would apply: what systemd itself says of a unit whose files have changed."""

from bot.core.systemd.output import Record
from bot.core.systemd.unread_edits import pending_reload


def edited(name: str, *, needs: str = "yes", load: str = "loaded") -> list[str]:
    return [f"Id={name}", f"LoadState={load}", f"NeedDaemonReload={needs}", ""]


def pending(
    *lines: str, many: tuple[str, ...] = (), there: tuple[str, ...] = (), loaded: tuple[str, ...] = ()
) -> object:
    states: list[Record] = [{"Id": name, "LoadState": "loaded"} for name in loaded]
    return pending_reload({"edited": lines, "edited-for-many": many, "there": there}, states, "own.service")


def test_only_what_systemd_has_not_read_counts_and_not_the_unit_itself() -> None:
    """systemd says NeedDaemonReload=yes of a masked unit with drop-ins for ever (measured)."""
    lines = [*edited("edited.service"), *edited("read.service", needs="no"), *edited("own.service")]
    assert pending(*lines, *edited("masked.service", load="masked")) == ("edited.service",)


def test_a_loaded_unit_without_a_file_is_gone_where_the_files_were_asked_for() -> None:
    loaded = ("a.service", "gone.timer", "b@x.service", "dev-sda.device", "system.slice")
    assert pending(there=("a.service", "b@.service"), loaded=loaded) == ("gone.timer",)
    assert pending(loaded=loaded) == ()


def test_a_template_stands_for_its_instances() -> None:
    assert pending(many=("b@.service",)) == ("b@.service",)
