"""Every name a unit can be started by: what a mask covers, what it leaves startable, and what is said of either."""

from dataclasses import replace

import pytest

from bot.core.cards.consequences import twins
from bot.core.policy.decide import decide
from bot.core.policy.model import NeedsApproval
from bot.core.requests.plan import plan_of
from bot.core.requests.proof import disproofs
from bot.core.systemd.aliases import startable, subject, unread
from bot.core.systemd.look import parse_look
from bot.core.systemd.units import Layer, LoadState, UnitName
from bot.errors import HostileOutput
from tests.core.policy.rules.test_units import refusal
from tests.core.situations import POLICY, looked, masked, request, snapshot
from tests.core.systemd.test_look import parsed_look, recording
from tests.core.walks import Site
from tests.core.walks import masked as made


def test_a_second_name_of_the_same_file_is_a_unit_of_its_own() -> None:
    found = parsed_look("second_file")
    assert found.twins == ("twin.service",)
    assert found.names == {"worker.service", "oldname.service"}
    assert found.other_names_load == (("oldname.service", LoadState.LOADED),)


def test_a_file_that_is_linked_twice_is_found_behind_the_mask_as_well() -> None:
    found = parsed_look("second_file_of_masked")
    assert (found.load, found.twins) == (LoadState.MASKED, ("twin.service",))
    assert found.is_masked


def test_a_second_name_of_its_template_is_no_name_that_a_mask_covers() -> None:
    found = parsed_look("second_name_of_template")
    assert found.twins == ("other@1.service",)
    assert found.names == {"template@1.service"}


def test_an_instance_that_is_itself_a_link_to_another_one_is_an_alias() -> None:
    text = recording("second_name_of_template").replace("@layers\n", "@linked\nother@1.service\n@layers\n", 1)
    found = parse_look(text, UnitName("template@1.service"))
    assert found.twins == ()
    assert found.names == {"template@1.service", "other@1.service"}


def test_a_masked_instance_that_was_started_by_another_name_still_shows_its_own_mask() -> None:
    found = parsed_look("started_by_second_name")
    assert (str(found.id), str(subject(found))) == ("other@7.service", "template@7.service")
    assert found.mask_layers == (Layer.PERSISTENT,)
    assert not found.is_masked
    assert found.twins == ("other@7.service",)


def test_the_files_of_a_third_unit_are_not_believed() -> None:
    text = recording("started_by_second_name").replace("system/template@7", "system/third@7")
    with pytest.raises(HostileOutput, match="files of another unit"):
        parse_look(text.replace("system.control/template@7", "system.control/third@7"), UnitName("template@7.service"))


def test_a_link_that_systemd_has_not_read_leads_to_the_unit_behind_it() -> None:
    assert unread(parsed_look("alias_not_read")) == "worker.service"
    assert unread(parsed_look("running")) == ""
    assert unread(replace(parsed_look("running"), load=LoadState.ERROR)) == ""


def test_a_name_that_systemd_has_not_read_is_not_masked_in_the_place_of_its_unit() -> None:
    answer = refusal(looked(parsed_look("alias_not_read")))
    assert answer.code == "name_not_read"
    assert answer.reason == (
        "fresh.service is another name of worker.service on web-01, but systemd there has not loaded that name yet."
    )
    assert answer.hint == "Ask for worker.service: its mask covers fresh.service too."


def test_whoever_asks_by_a_name_that_stays_startable_is_told() -> None:
    found = replace(parsed_look("second_name_of_template"), asked=UnitName("other@1.service"))
    answer = refusal(looked(found, request("other@1.service")))
    assert (answer.code, answer.hint.partition(":")[0]) == (
        "second_name",
        "Ask for template@1.service first, then for other@1.service",
    )


def test_a_name_with_an_unread_mask_of_its_own_is_not_taken_for_another() -> None:
    answer = refusal(looked(parsed_look("started_by_second_name")))
    assert answer.code == "mask_not_read"


@pytest.mark.parametrize("twin", ["sshd.service", "getty@tty1.service"])
def test_what_is_the_same_file_as_a_critical_unit_is_as_critical(twin: str) -> None:
    answer = refusal(looked(snapshot(twins=(twin,))))
    assert (answer.code, answer.reason.partition(",")[0]) == ("critical_unit", f"cron.service is {twin} on web-01")


def test_what_stays_startable_is_approved_and_said() -> None:
    one, two = snapshot(twins=("twin.service",)), snapshot(twins=("a.service", "b.service"))
    assert isinstance(decide(looked(one), POLICY), NeedsApproval)
    change = request().ask.change
    assert plan_of(change, one, Layer.PERSISTENT)["what else starts the same file"] == ["twin.service"]
    assert [*twins(one)] == ["*Not covered*  twin.service is the same unit file and can still be started"]
    assert "are the same unit file" in next(twins(two))
    assert [*twins(snapshot())] == []


def test_what_only_the_look_after_the_mask_knew_is_no_proof() -> None:
    walk = made(Site())
    after = replace(walk.site.look(full=True), twins=("twin.service",))
    (said,) = disproofs(walk.change, walk.target, after)
    assert said == "twin.service starts the same file, and it was not known when this was approved"
    assert walk.target.before
    known = replace(walk.target, before=replace(walk.target.before, twins=("twin.service",)))
    assert disproofs(walk.change, known, after) == ()


def test_every_name_of_before_and_of_now_is_to_be_covered_and_no_twin() -> None:
    before = snapshot(aliases=("old.service", r"odd\x2dname.service"), twins=("twin.service",))
    now = masked(Layer.PERSISTENT, names=frozenset({"cron.service", "new.service", "twin.service"}))
    assert [*startable(before, now)] == ["new.service", "old.service"]
    assert [*startable(None, now)] == ["new.service", "twin.service"]
