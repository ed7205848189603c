"""Back up, destroy, restore, carry on: on a real host, with what was masked in between found again."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.cli.test_command_line_hosts import as_nobody, installation
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation

__all__ = ["installation"]
BETWEEN = "beat.timer"
WARNED = "database: masks: web-01: masks of maskbot's there are not on record."


def ended(installation: Installation, verb: str, unit: str) -> dict[str, Any]:
    """root asks and nobody approves; the request as it ends."""
    request = json.loads(installation.maskbot(verb, "web-01", unit, "--no-wait", "--json").stdout)["id"]
    shown, *_ = as_nobody(installation, {"do": "show", "id": request})
    while shown["request"]["stage"] == "asked":
        time.sleep(0.1)
        shown, *_ = as_nobody(installation, {"do": "show", "id": request})
    vote = {"do": "vote", "verdict": "approve", "id": request, "plan": shown["request"]["plan"], "wait": True}
    told: list[dict[str, Any]] = [one["request"] for one in as_nobody(installation, vote) if one["event"] == "request"]
    return told[-1]


def test_what_was_masked_between_backup_and_disaster_is_found_again(
    host: LabHost, installation: Installation, tmp_path: Path
) -> None:
    installation = replace(installation, environment={**installation.environment, "MASKBOT_WATCH_INTERVAL": "2"})
    copy, database = tmp_path / "copy.sqlite", installation.folder / "state/maskbot.sqlite"
    before = {unit: seen(host, unit) for unit in ("cron.service", BETWEEN)}
    with Bot(installation, is_warm=True):
        assert ended(installation, "mask", "cron")["outcome"] == "proven"
        undone_since = ended(installation, "mask", "metrics")
        backed_up(installation, copy)
        lost = ended(installation, "mask", BETWEEN)
        assert json.loads(installation.maskbot("unmask", "web-01", "metrics", "--json").stdout)["outcome"] == "restored"
        running = installation.maskbot("restore", str(copy))
        assert (running.returncode, "Stop it first." in running.stderr) == (1, True)

    destroyed(installation, database)
    restored_with_what_it_lacks(installation, copy, lost, undone_since)
    assert WARNED in installation.maskbot("doctor").stdout

    with Bot(installation, is_warm=True):
        assert installation.maskbot("audit", "verify").returncode == 0
        whose_is_whose(installation, lost, undone_since)
        undone = json.loads(installation.maskbot("unmask", "web-01", "cron", "--json").stdout)
        assert undone["outcome"] == "restored"
        assert ended(installation, "unmask", BETWEEN)["outcome"] == "unmasked"
        assert "the database knows every mask" in installation.maskbot("reconcile").stdout
        assert WARNED not in installation.maskbot("doctor").stdout
    assert seen(host, "cron.service") == before["cron.service"]
    assert seen(host, BETWEEN) == before[BETWEEN] | {"ActiveState": "inactive"}  # nobody knows any more what it was


def destroyed(installation: Installation, database: Path) -> None:
    """Lost, and then a file that is none."""
    for path in database.parent.glob("maskbot.sqlite*"):
        path.unlink()
    assert WARNED in installation.maskbot("doctor").stdout
    database.touch(mode=0o600)
    database.write_bytes(b"a disk that died")
    assert "The database file cannot be read" in installation.maskbot("doctor").stdout


def restored_with_what_it_lacks(
    installation: Installation, copy: Path, lost: dict[str, Any], undone_since: dict[str, Any]
) -> None:
    database = installation.folder / "state/maskbot.sqlite"
    restored = installation.maskbot("restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    said = f"web-01: {BETWEEN} was masked (persistent) for request {lost['id']}, which is not in the database; it ran"
    assert said in restored.stdout
    assert "If it was to expire, it no longer does." in restored.stdout
    assert (
        f"request {undone_since['id']} masked metrics.service, and the guard there remembers no mask" in restored.stdout
    )
    assert "cron.service" not in restored.stdout
    assert {path.stat().st_mode & 0o777 for path in database.parent.glob("maskbot.sqlite*")} == {0o600}


def whose_is_whose(installation: Installation, lost: dict[str, Any], undone_since: dict[str, Any]) -> None:
    """What the bot did after the copy is never told as the work of somebody else."""
    (gone,) = told_of(installation, "drift.mask_lost")
    assert (gone["request_id"], gone["reason_code"]) == (undone_since["id"], "undone")
    (kept,) = told_of(installation, "drift.mask_unrecorded")
    assert kept["data"]["requests"] == [lost["id"]]
    for words in (("list",), ("status", "web-01", BETWEEN)):
        said = installation.maskbot(*words).stdout
        assert f"by maskbot for request {lost['id']}, but not on record here" in " ".join(said.split())


def told_of(installation: Installation, kind: str) -> list[dict[str, Any]]:
    """What is on record of such events, once there is one."""
    found = list[dict[str, Any]]()
    while not found:
        time.sleep(0.1)
        records = map(json.loads, installation.maskbot("audit", "export").stdout.splitlines())
        found = [record for record in records if record["type"] == kind]
    return found


def seen(host: LabHost, unit: str) -> dict[str, str]:
    return host.show(unit, "LoadState", "ActiveState", "UnitFileState")


def backed_up(installation: Installation, copy: Path) -> None:
    """Back up while the bot runs."""
    made = installation.maskbot("backup", str(copy))
    assert (made.returncode, made.stdout.partition(",")[0]) == (0, f"wrote {copy}"), made.stderr
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert installation.maskbot("backup", str(copy)).returncode == 1  # it replaces nothing
