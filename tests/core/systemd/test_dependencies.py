"""What stops, starts and carries what, from relations that may run in circles."""

import pytest

from bot.core.systemd.dependencies import UnitGraph, near_names
from bot.core.systemd.fields import reader_of
from bot.core.systemd.shown_unit import ShownUnit, read_listed
from bot.core.systemd.units import ActiveState, LoadState, RelatedUnit, UnitName
from bot.errors import HostileOutput


def unit(name: str, **properties: str) -> ShownUnit:
    usual = {"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "UnitFileState": ""}
    return reader_of(ShownUnit)({"Id": name, "Names": name, **usual, **properties})


def test_a_circle_of_requirements_ends_and_does_not_hold_the_unit_itself() -> None:
    nearby = UnitGraph(
        [
            unit("a.service", RequiredBy="b.service c.service"),
            unit("b.service", BoundBy="c.service"),
            unit("c.service", ConsistsOf="a.service", PropagatesStopTo="d.service"),
            unit("d.service", RequisiteOf="b.service"),
            unit("far.service", RequiredBy="a.service"),
        ]
    )
    assert [found.unit for found in nearby.would_stop("a.service")] == ["b.service", "c.service", "d.service"]


def test_a_relation_by_another_name_means_the_real_unit() -> None:
    nearby = UnitGraph(
        [unit("a.service", RequiredBy="alias.service"), unit("real.service", Names="real.service alias.service")]
    )
    (found,) = nearby.would_stop("a.service")
    assert found.unit == "real.service"
    assert found.names == {"real.service", "alias.service"}


def test_what_is_named_but_not_loaded_is_still_named() -> None:
    own = unit("a.service", TriggeredBy="a.socket")
    (found,) = UnitGraph([own]).triggers(own)
    assert (found.unit, found.load) == ("a.socket", LoadState.STUB)


def test_of_a_unit_that_is_only_listed_its_states_are_known() -> None:
    own = unit("a.service", TriggeredBy="a.socket")
    (found,) = UnitGraph([own], read_listed(["a.socket loaded active listening"])).triggers(own)
    assert found == RelatedUnit(
        "a.socket", frozenset({"a.socket"}), LoadState.LOADED, ActiveState.ACTIVE, sub="listening"
    )


def test_of_a_related_unit_names_and_file_state_may_be_missing() -> None:
    bare = reader_of(ShownUnit)({"Id": "b.service", "LoadState": "loaded", "ActiveState": "failed"})
    nearby = UnitGraph([unit("a.service"), bare])
    assert nearby.failed() == ("b.service",)
    assert nearby.named(["b.service"])[0].names == {"b.service"}


def test_siblings_of_an_instance_are_its_members_but_not_itself_and_not_another_type() -> None:
    nearby = UnitGraph(
        map(unit, ["db@a.service", "db@b.service", "db@b.socket", "dbx@c.service", "db.service"]),
    )
    assert [found.unit for found in nearby.members(UnitName("db@a.service"))] == ["db@b.service"]
    assert [found.unit for found in nearby.members(UnitName("db.service"))] == ["db@a.service", "db@b.service"]


def test_a_state_that_systemd_does_not_have_is_not_believed_of_a_unit_that_matters() -> None:
    with pytest.raises(HostileOutput):
        unit("a.service", ActiveState="sleeping")
    for line in ("b.service loaded sleeping dead", "b.service found active running"):
        nearby = UnitGraph([unit("a.service")], read_listed([line]))
        assert nearby.failed() == ()
        with pytest.raises(HostileOutput, match="state that systemd does not have"):
            nearby.named(["b.service"])


def test_near_names_are_of_the_same_type_and_exist() -> None:
    known = ["cron.service", "crond.service", "cron.socket", "cron@.service", "nginx.service"]
    assert near_names(UnitName("corn.service"), known) == ("cron.service", "crond.service")
    nearby = UnitGraph([unit("cron.service"), unit("corn.service", LoadState="not-found")])
    assert list(nearby.names()) == ["cron.service"]
