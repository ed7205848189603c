"""The units of the cycles: one for each kind that a mask and its undo treat in their own way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VENDOR, ETC, RUN = "/usr/lib/systemd/system", "/etc/systemd/system", "/run/systemd/system"
_SLEEP = "[Service]\nExecStart=/usr/bin/sleep infinity\n"


def _unit(text: str = "", service: str = "", install: str = "") -> str:
    return f"[Unit]\n{text}\n{_SLEEP}{service}\n" + (f"[Install]\n{install}\n" if install else "")


FILES: Mapping[str, str] = {
    f"{VENDOR}/cyc-idle.service": _unit(),
    f"{VENDOR}/cyc-plain.service": _unit(),
    f"{VENDOR}/cyc-enabled.service": _unit(install="WantedBy=multi-user.target\nAlias=cyc-second.service"),
    f"{VENDOR}/cyc-failed.service": "[Service]\nExecStart=/bin/false\n",
    f"{VENDOR}/cyc-once.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
    f"{VENDOR}/cyc-frozen.service": _unit(),
    f"{VENDOR}/cyc-moved.service": _unit(),
    f"{VENDOR}/cyc-tuned.service": _unit(),
    f"{ETC}/cyc-tuned.service.d/more.conf": "[Service]\nNice=3\n",
    f"{VENDOR}/cyc-main.service": _unit(),
    f"{VENDOR}/cyc-bound.service": _unit("BindsTo=cyc-main.service\nAfter=cyc-main.service"),
    f"{VENDOR}/cyc-part@.service": _unit("PartOf=cyc-main.service"),
    f"{VENDOR}/cyc-needs.service": _unit("Requires=cyc-main.service\nAfter=cyc-main.service"),
    f"{VENDOR}/cyc-helped.service": _unit("Wants=cyc-helper.service\nAfter=cyc-helper.service"),
    f"{VENDOR}/cyc-helper.service": _unit("StopWhenUnneeded=yes"),
    f"{VENDOR}/cyc-t@.service": _unit(install="WantedBy=multi-user.target"),
    f"{ETC}/cyc-own.service": _unit(install="WantedBy=multi-user.target"),
    f"{ETC}/cyc-own-idle.service": _unit(),
    f"{RUN}/cyc-run.service": _unit(),
    "/opt/cyc-linked.service": _unit(install="WantedBy=multi-user.target"),
    f"{VENDOR}/cyc-a\\x2db.service": _unit(),
    f"{VENDOR}/cyc-talk.socket": "[Socket]\nListenStream=/run/cyc-talk.sock\n",
    f"{VENDOR}/cyc-talk.service": _unit(),
    f"{VENDOR}/cyc-job.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    f"{VENDOR}/cyc-calendar.timer": "[Timer]\nOnCalendar=*-02-03 04:05\nUnit=cyc-job.service\n",
    f"{VENDOR}/cyc-persistent.timer": "[Timer]\nOnCalendar=*-02-03 04:05\nPersistent=yes\nUnit=cyc-job.service\n",
    f"{VENDOR}/cyc-boot.timer": "[Timer]\nOnBootSec=9h\nUnit=cyc-job.service\n",
    f"{VENDOR}/cyc-active.timer": "[Timer]\nOnActiveSec=9h\nUnit=cyc-job.service\n",
    f"{VENDOR}/cyc-random.timer": "[Timer]\nOnCalendar=*-02-03 04:05\nRandomizedDelaySec=5h\nUnit=cyc-job.service\n",
    f"{VENDOR}/cyc-again.timer": "[Timer]\nOnActiveSec=9h\nOnUnitActiveSec=7h\nUnit=cyc-again.service\n",
    f"{VENDOR}/cyc-shot.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/sleep 9\n",
    f"{VENDOR}/cyc-again.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    f"{VENDOR}/cyc-watch.path": "[Path]\nPathChanged=/var/lib/lab/inbox\nUnit=cyc-job.service\n",
}
PREPARED = f"""
systemctl stop beat.timer crashloop.service restless.service
cd {ETC}; mkdir -p multi-user.target.wants worker.service.requires
ln -s {ETC}/cyc-moved.service multi-user.target.wants/cyc-moved.service
ln -s ../cyc-moved.service worker.service.requires/cyc-moved.service
systemctl daemon-reload
systemctl enable --quiet cyc-enabled cyc-own cyc-t@two /opt/cyc-linked.service
systemctl set-property cyc-plain.service CPUWeight=50
systemctl start cyc-plain cyc-enabled cyc-once cyc-frozen cyc-moved cyc-tuned cyc-main cyc-bound cyc-part@1 cyc-needs \\
  cyc-helped cyc-t@one cyc-t@two cyc-own cyc-run cyc-linked 'cyc-a\\x2db' cyc-talk.socket cyc-calendar.timer \\
  cyc-persistent.timer cyc-boot.timer cyc-active.timer cyc-again.timer cyc-watch.path cyc-random.timer
systemctl restart cyc-persistent.timer
systemctl start cyc-failed; systemctl start cyc-again.service; true
"""
"""What makes them so; it is run once."""
_COUNTED = "after an undo its next run may come at once, later or never"


@dataclass(frozen=True, slots=True)
class Kind:
    """A unit, how it is masked, and what systemd cannot restore, each with the words of the card."""

    what: str
    unit: str
    options: Mapping[str, Any] = field(default_factory=dict)
    before: str = ""  # commands that run before each mask
    lost: Mapping[str, str] = field(
        default_factory=dict
    )  # a pattern of differences -> a pattern of the card's announcement


KINDS = (
    Kind("a vendor's, enabled, runs", "worker"),
    Kind("settings by set-property, runs", "cyc-plain"),
    Kind("with an alias, by its Id", "cyc-enabled"),
    Kind("with an alias, by the alias", "cyc-second"),
    Kind("does not run", "cyc-idle"),
    Kind("has failed", "cyc-failed"),
    Kind("oneshot that remains", "cyc-once"),
    Kind(
        "oneshot in the middle of its run",
        "cyc-shot",
        before="systemctl start --no-block cyc-shot.service",
        lost={"cyc-shot.service": "start it again, from the beginning"},
    ),
    Kind(
        "frozen",
        "cyc-frozen",
        before="systemctl freeze cyc-frozen.service",
        lost={"cyc-frozen.service FreezerState": "an undo does not freeze it again"},
    ),
    Kind("moved from /etc, links of it stayed", "cyc-moved"),
    Kind("drop-in in /etc", "cyc-tuned"),
    Kind("units with BindsTo=, PartOf=, Requires= on it", "cyc-main"),
    Kind("a helper with StopWhenUnneeded=", "cyc-helped"),
    Kind("instance", "cyc-t@one"),
    Kind("instance, enabled", "cyc-t@two"),
    Kind("own file in /etc, enabled, runs", "cyc-own"),
    Kind("own file in /etc, does not run", "cyc-own-idle"),
    Kind("file in /run", "cyc-run"),
    Kind("linked from /opt", "cyc-linked"),
    Kind("escaped name", r"cyc-a\x2db.service"),
    Kind("socket", "cyc-talk.socket"),
    Kind("service of a socket, does not run", "cyc-talk"),
    Kind("calendar timer", "cyc-calendar.timer"),
    Kind("calendar timer, persistent", "cyc-persistent.timer"),
    Kind("calendar timer, random delay", "cyc-random.timer"),
    Kind("timer with OnBootSec= ahead", "cyc-boot.timer"),
    Kind("timer with OnActiveSec=", "cyc-active.timer"),
    Kind("timer with OnUnitActiveSec=", "cyc-again.timer", lost={"turn of cyc-again.timer": _COUNTED}),
    Kind("service of timers", "cyc-job"),
    Kind("path", "cyc-watch.path"),
    Kind("generated", "generated"),
    Kind("--runtime", "cyc-tuned", {"runtime": True}),
    Kind("--keep-running", "cyc-enabled", {"keep_running": True}),
    Kind("--keep-running, socket", "cyc-talk.socket", {"keep_running": True}),
    Kind("--keep-running, timer", "cyc-calendar.timer", {"keep_running": True}),
    Kind("--runtime --keep-running", "worker", {"runtime": True, "keep_running": True}),
)

ALWAYS = {
    f"turn of {timer}": f"restarts the countdown of [^\n]*{timer}"
    for timer in (r"cyc-active\.timer", r"cyc-again\.timer")
}
"""What every reload changes, and what the card says of it before."""
