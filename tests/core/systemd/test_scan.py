"""What real hosts answered to a scan, read into the masks that are there; and nothing else is believed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.systemd.scan import Scan, parse_scan, scan_argv
from bot.core.systemd.scan_script import FOLDERS, MOST
from bot.core.systemd.units import FileKind, LoadState
from bot.errors import HostError, HostileOutput
from tests.core.record import RECORDED, SCANS

ETC, RUN = "/etc/systemd/system", "/run/systemd/system"


def recording(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text()


def changed(name: str, old: str, new: str) -> str:
    text = recording(name)
    assert old in text
    return text.replace(old, new, 1)


def test_every_mask_is_found_wherever_it_is_and_whatever_masks() -> None:
    scan = parse_scan(recording("scan_of_every_kind"))

    assert [(mask.path, mask.kind, mask.load, mask.active, mask.file_state) for mask in scan.masks] == [
        (f"{ETC}.control/local.service", FileKind.MASK, "masked", "active", "masked"),
        (f"{ETC}/chained.service", FileKind.LINK, "masked", "inactive", "masked"),
        (f"{ETC}/handmade.service", FileKind.MASK, "masked", "inactive", "masked"),
        (f"{ETC}/hollow.service", FileKind.EMPTY, "masked", "inactive", "masked"),
        (f"{ETC}/relative.service", FileKind.MASK, "masked", "inactive", "masked"),
        (f"{ETC}/template@.service", FileKind.MASK, None, None, ""),
        (f"{ETC}/var-lib-a\\x2db.mount", FileKind.MASK, "masked", "inactive", "masked"),
        (f"{RUN}.control/cron.service", FileKind.MASK, "masked", "active", "masked-runtime"),
        (f"{RUN}/tuned.service", FileKind.MASK, "masked", "active", "masked-runtime"),
        (f"{RUN}/zero.service", FileKind.LINK, "masked", "inactive", "masked-runtime"),
    ]
    assert (scan.total, scan.is_whole, scan.failed) == (10, True, ("fails.service",))


def test_masks_that_come_with_packages_are_counted_and_not_listed() -> None:
    scan = parse_scan(recording("scan_as_booted"))

    assert [(mask.unit, mask.folder) for mask in scan.masks] == [("handmade.service", ETC)]
    assert scan.vendor == 8


def test_a_mask_is_known_again_by_the_identity_that_a_look_gives_it() -> None:
    mask = parse_scan(recording("scan_of_ours")).at(f"{ETC}/worker.service")

    assert mask
    assert mask.identity == "205:1795886482.540087439"
    assert mask.made_at == datetime(2026, 11, 28, 17, 21, 22, tzinfo=UTC)
    assert parse_scan(recording("scan_as_booted")).at(mask.path) is None


def test_agents_count_where_they_run_or_will_run_and_are_not_masked_themselves() -> None:
    assert parse_scan(recording("scan_with_agents")).agents == ("ansible-pull", "puppet")
    assert parse_scan(recording("scan_as_booted")).agents == ()


def test_every_folder_that_systemd_searches_is_scanned_also_where_it_is_a_link() -> None:
    scan = parse_scan(recording("scan_in_every_folder"))
    found = [(mask.unit, mask.folder) for mask in scan.masks if mask.unit != "handmade.service"]
    folders = ("/run/systemd/system.control", "/run/systemd/system.attached", "/usr/local/lib/systemd/system")
    assert sorted(found) == sorted(
        [
            ("a.service", "/etc/systemd/system.control"),
            ("b.service", "/etc/systemd/system.attached"),
            *(("b.service", folder) for folder in folders),
            ("c.service", ETC),  # a link to an empty file; one that leads to itself is none
        ]
    )


def test_a_host_without_a_bus_says_so() -> None:
    with pytest.raises(HostError, match="D-Bus does not answer") as refused:
        parse_scan(recording("scan_without_bus"))
    assert refused.value.code == "no_bus"


def test_folders_that_cannot_be_searched_are_no_empty_ones() -> None:
    with pytest.raises(HostError, match="could not be searched"):
        parse_scan("@maskbot-scan 1\n@host\n@failed\nno_list\n@end\n")


def many(listed: int, counted: int) -> str:
    files = (f"symbolic link|9|{n}:1795635504.340108091|'{ETC}/m{n}.service' -> '/dev/null'" for n in range(listed))
    states = (f"Id=m{n}.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n" for n in range(listed))
    text = recording("scan_as_booted").replace("masks=1\n", f"masks={counted}\n")
    head, rest = text.split("@masks\n")
    return "\n".join([f"{head}@masks", *files, "@states", *states]) + "\n@agents\n" + rest.split("@agents\n")[1]


def test_what_is_beyond_the_most_is_counted() -> None:
    scan = parse_scan(many(listed=MOST, counted=1200))

    assert (len(scan.masks), scan.total, scan.is_whole) == (MOST, 1200, False)


def test_a_host_that_counts_too_few_is_believed_what_it_lists() -> None:
    assert parse_scan(many(listed=3, counted=1)).total == 3


HANDMADE = f"'{ETC}/handmade.service' -> '/dev/null'"


@pytest.mark.parametrize(
    "answer",
    [
        many(listed=MOST + 1, counted=MOST + 1),
        changed("scan_as_booted", HANDMADE, "'/etc/shadow.service' -> '/dev/null'"),
        changed("scan_as_booted", HANDMADE, "'/usr/lib/systemd/system/handmade.service' -> '/dev/null'"),
        changed("scan_as_booted", HANDMADE, f"'{ETC}/sub/handmade.service' -> '/dev/null'"),
        changed("scan_as_booted", HANDMADE, f"'{ETC}/<!channel>.service' -> '/dev/null'"),
        changed("scan_as_booted", HANDMADE, f"'{ETC}/handmade.conf.d.x' -> '/dev/null'"),
        changed("scan_as_booted", "symbolic link|9", "regular file|9"),
        changed("scan_as_booted", "symbolic link|9", "directory|9"),
        changed("scan_as_booted", "symbolic link|9", "symbolic link|nine"),
        changed("scan_as_booted", "symbolic link|9|135:1795886288.536774312", "symbolic link|9|135:."),
        changed("scan_as_booted", "symbolic link|9|135:1795886288.", "symbolic link|9|135:9999999999999."),
        changed("scan_as_booted", "LoadState=masked", "LoadState=hidden"),
        changed("scan_as_booted", "ActiveState=inactive", "ActiveState=asleep"),
        changed("scan_as_booted", "UnitFileState=masked", "UnitFileState=<!here>"),
        changed("scan_as_booted", "LoadState=masked", "ExecStart=/bin/sh"),
        changed("scan_as_booted", "machine_id=", "machine_id=x"),
        changed("scan_as_booted", "boot_id=", "boot_id=x"),
        changed("scan_as_booted", "vendor=8", "vendor=many"),
        changed("scan_as_booted", "vendor=8", "vendor=8\nroot=yes"),
        changed("scan_as_booted", "@failed-units\n", "@failed-units\nwhatever\n"),
        changed("scan_as_booted", "@failed-units\n", "@failed-units\nId=../x\n"),
        changed("scan_as_booted", "@failed-units\n", "@failed-units\n" + "Id=a.service\n" * (MOST + 1)),
        changed("scan_as_booted", "@maskbot-scan 1", "@maskbot-look 1"),
        changed("scan_as_booted", "@states", "@masks"),
        changed("scan_of_ours", "/worker.service' ->", "/handmade.service' ->"),
    ],
)  # fmt: skip
def test_what_the_script_cannot_have_printed_is_not_believed(answer: str) -> None:
    with pytest.raises(HostileOutput):
        parse_scan(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        recording("scan_as_booted").removesuffix("@end\n"),
        "@maskbot-scan 1\n@end\n",
        changed("scan_as_booted", "masks=1\n", ""),
        changed("scan_as_booted", "LoadState=masked\n", ""),
        changed("scan_as_booted", "boot_id=", "@counts\nboot_id=").partition("@counts")[0] + "@end\n",
        changed(
            "scan_of_ours", "Id=worker.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n", ""
        ),
        changed("scan_as_booted", "Id=puppet.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n", ""),
    ],
)
def test_an_answer_that_lacks_something_is_incomplete_and_never_a_host_without_masks(answer: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_scan(answer)
    assert (refused.value.code, refused.value.passing) == ("incomplete_observation", True)


@given(st.data())
@settings(max_examples=3 * settings().max_examples)
def test_a_mangled_answer_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    lines = recording(data.draw(st.sampled_from(["scan_of_every_kind", "scan_with_agents"]))).split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "change", "insert"])):
            case "drop":
                del lines[at : at + 1]
            case "twice":
                lines.insert(at, lines[at])
            case "change":
                cut = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + data.draw(st.text(max_size=5)) + lines[at][cut + 1 :]
            case _:
                lines.insert(at, data.draw(st.text(max_size=20)))
        lines = lines or [""]
    try:
        scan = parse_scan("\n".join(lines))
    except HostError:
        return
    assert sane(scan)


def sane(scan: Scan) -> bool:
    """Whatever a host printed, this is what anybody gets to see of it."""
    places = {mask.folder for mask in scan.masks} <= set(FOLDERS)
    states = all(isinstance(mask.load, LoadState | None) for mask in scan.masks)
    times = all(mask.made_at.tzinfo is UTC for mask in scan.masks)
    return places and states and times and len(scan.masks) <= min(MOST, scan.total)


@given(st.text())
def test_any_text_at_all_is_refused(text: str) -> None:
    with pytest.raises(HostError):
        parse_scan(text)


def test_the_scan_has_no_word_of_anybodys() -> None:
    assert scan_argv() == ("maskbot-guard", "scan")


@pytest.mark.parametrize("name", SCANS)
def test_every_recording_is_read(name: str) -> None:
    try:
        assert sane(parse_scan(recording(name)))
    except HostError as error:
        assert name == "scan_without_bus", error
