"""The kinds of unit whose masks are measured, each with a unit of the lab or one that is made for its row."""

from dataclasses import dataclass

ETC, RUN, CONTROL = "/etc/systemd/system", "/run/systemd/system", "/etc/systemd/system.control"
VENDOR = "/usr/lib/systemd/system"
_SLEEP = r"[Service]\nExecStart=/usr/bin/sleep infinity\n"
_RELOAD = "systemctl daemon-reload"

WAYS = {"mask": (), "mask --now": ("--now",), "--runtime": ("--runtime",), "--runtime --now": ("--runtime", "--now")}


@dataclass(frozen=True, slots=True)
class Kind:
    """A unit that stands for its kind; `before` makes and `after` removes it.

    `real` is the unit that runs, where it is another one, and `seen` what shows whether a template is masked.
    """

    what: str
    unit: str
    real: str = ""
    before: str = ""
    after: str = ""
    seen: str = ""

    @property
    def words(self) -> tuple[str, str, str, str, str]:
        """The arguments of the script."""
        return self.unit, self.real or self.unit, self.seen or self.unit, self.before, self.after


def _made(what: str, path: str, *, text: str = _SLEEP, start: bool = True, then: str = ":") -> Kind:
    """A unit file that is there for one row."""
    unit = path.rpartition("/")[2]
    started = f"systemctl start {unit}" if start else ":"
    before = f"printf '{text}' >{path}; {_RELOAD}; {started}; {then}"
    return Kind(what, unit, before=before, after=f"systemctl stop {unit}; rm -f {path}; {_RELOAD}")


KINDS = (
    Kind("vendor's, enabled, runs", "worker.service"),
    Kind("the same with a drop-in in /etc", "tuned.service"),
    _made("the same, does not run", f"{VENDOR}/row-idle.service", start=False),
    Kind("file in /etc/systemd/system", "local.service"),
    Kind("linked (`systemctl link`)", "linked.service"),
    _made("file in /run/systemd/system", f"{RUN}/row-run.service"),
    _made("file in /etc/systemd/system.control", f"{CONTROL}/row-control.service"),
    Kind("generated", "generated.service"),
    Kind("generated early", "early.service"),
    Kind("transient", "transient-one.service"),
    Kind("alias in /etc, by the alias", "secondary.service", real="primary.service"),
    Kind("alias in /etc, by the real name", "primary.service"),
    Kind("alias in /usr/lib, by the alias", "oldname.service", real="worker.service"),
    Kind("instance", "template@1.service"),
    Kind("template", "template@.service", real="template@1.service", seen="template@row.service"),
    Kind("does not exist", "nosuch.service"),
    Kind("masked already by a person", "handmade.service"),
    Kind("masked by its package", "vendormasked.service"),
    _made(
        "masked until the next boot",
        f"{VENDOR}/row-twice.service",
        then="systemctl mask --quiet --runtime row-twice.service",
    ),
    _made("empty file in /etc", f"{ETC}/row-empty.service", text="", start=False),
    _made(
        "bad setting",
        f"{VENDOR}/row-bad.service",
        text=r"[Service]\nType=oneshot\nRestart=always\nExecStart=x\n",
        start=False,
    ),
    _made("running, file deleted", f"{RUN}/row-gone.service", then=f"rm {RUN}/row-gone.service; {_RELOAD}"),
    Kind("RefuseManualStop=yes", "refusestop.service"),
    Kind("Restart=always", "restless.service"),
    Kind("required by another that runs", "worker.service", real="metrics.service"),
    Kind("socket", "echo.socket"),
    _made("timer", f"{VENDOR}/row.timer", text=r"[Timer]\nOnCalendar=*-02-03 04:05\nUnit=cron.service\n"),
    Kind("path", "watched.path"),
    _made("target", f"{VENDOR}/row.target", text=r"[Unit]\nDescription=row\n"),
    _made("slice", f"{VENDOR}/row.slice", text=r"[Unit]\nDescription=row\n"),
    Kind("part of systemd: `-.mount`", "-.mount"),
)

SCRIPT = """
unit=$1 real=$2 seen=$3 before=$4 after=$5
shift 5
show() { systemctl show -p "$2" --value -- "$1"; }
files() {
  find /etc/systemd /run/systemd/system /run/systemd/system.control ! -type d -printf '%p %l %s\\n' 2>/dev/null | sort
}
eval "$before" >/dev/null 2>&1
loaded=$(show "$seen" LoadState) kept=$(show "$seen" UnitFileState) had=$(files)
echo "was $(show "$real" ActiveState)"
timeout 20 systemctl mask "$@" -- "$unit" >/dev/null 2>&1
echo "code $?"
echo "load $(show "$seen" LoadState)"
echo "active $(show "$real" ActiveState)"
timeout 20 systemctl start -- "$seen" >/dev/null 2>&1
echo "start $?"
case " $* " in *--runtime*) layer=--runtime ;; *) layer= ;; esac
systemctl unmask $layer -- "$unit" >/dev/null 2>&1
if [ "$(show "$seen" LoadState)" != "$loaded" ]; then
  echo "undo $(show "$seen" LoadState)"
elif [ "$(show "$seen" UnitFileState)" != "$kept" ]; then
  echo "undo $(show "$seen" UnitFileState)"
elif [ "$(files)" != "$had" ]; then
  echo "undo other files"
fi
eval "$after" >/dev/null 2>&1
"""
"""What is done on the host for one cell, as root."""


def cell(said: str) -> str:
    """What one run of the script said, in a few words."""
    facts: dict[str, list[str]] = {}
    for line in said.splitlines():
        key, _, value = line.partition(" ")
        facts.setdefault(key, []).append(value)
    (was,), (code,), (load,), (active,), (start,) = (facts[key] for key in ("was", "code", "load", "active", "start"))
    is_refused = start != "0"
    if load == "masked" and is_refused:
        words = ["M"] if code == "0" else [f"M, rc {code}"]
    elif code != "0":
        words = ["E"] if code == "1" else [f"E, rc {code}"]
    else:
        words = ["**!**"]
    if was in ("active", "activating"):
        words.append("runs" if active in ("active", "activating", "reloading") else active)
    words += [f"undo: {change}" for change in facts.get("undo", ())]
    return ", ".join(words)
