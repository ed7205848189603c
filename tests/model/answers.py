"""The output of the bot's scripts, written by the model in the host's words."""

from collections.abc import Iterable, Iterator

from bot.core.systemd.config_management import AGENTS
from bot.core.systemd.guard import NEVER, RIGHTS
from bot.core.systemd.properties import RELATIONS, SHOWN, SHOWN_OF_MASK, SHOWN_OF_RELATED
from bot.core.systemd.search_path import SYSTEM
from tests.model.files import CONTROL, ETC, NULL, RUN, Entry
from tests.model.loading import seconds
from tests.model.manager import Manager

_FOLDERS = (CONTROL, "/run/systemd/system.control", ETC, RUN)
_NEAR = (ETC, RUN, "/lib/systemd/system")
_ROOT = "directory|80|2:1700000000.000000000|'/'"


def look(manager: Manager, asked: str, *, size: str, hostname: str, machine_id: str) -> str:
    """The output of `look_script`."""
    if "@." in asked:
        return _lines("@maskbot-look 1", "@failed", "not_a_unit", "@end")
    with manager.lock:
        name = manager.resolve(asked)
        others = [each for each in [*manager.names(name), *manager.files.aliases(name)] if each != name]
        if asked not in ([name, *others]):
            others.append(asked)
        others = [*dict.fromkeys(others)]
        layers = {"control": f"{CONTROL}/{name}", "persistent": f"{ETC}/{name}", "runtime": f"{RUN}/{name}"}
        lines = ["@maskbot-look 1", "@unit", *_show(manager, name, asked), "@names"]
        if others:
            lines += [f" {' '.join(others)}", "", *_names(manager, others)]
        lines += ["@layers", *(f"{layer}={path}" for layer, path in layers.items()), "@files", _ROOT]
        places = dict.fromkeys([*layers.values(), *(f"{folder}/{name}" for folder in SYSTEM)])
        lines += [_stat(path, manager.files.entries[path]) for path in places if path in manager.files.entries]
        lines += ["@host", f"machine_id={machine_id}"]
        lines += _around(manager, name, hostname) if size != "short" else []
        lines += _for_a_decision(manager, name) if size in ("full", "acting") else []
        return _lines(*lines, "@end")


def scan(manager: Manager, *, machine_id: str) -> str:
    """The output of `scan_script`."""
    with manager.lock:
        files = manager.files.entries
        places = [path for path in files if path.rpartition("/")[0] in _FOLDERS and _is_mask(files[path])]
        vendor = [path for path in files if path.startswith("/lib/systemd/system/") and _is_mask(files[path])]
        units = [path.rpartition("/")[2] for path in places]
        failed = [name for name in manager.units if manager.running(name).active == "failed"]
        return _lines(
            *("@maskbot-scan 1", "@host", f"machine_id={machine_id}", f"boot_id={manager.boot_id}"),
            *("@counts", f"masks={len(places)}", f"vendor={len(vendor)}"),
            *("@masks", *(_stat(path, files[path]) for path in places)),
            *("@states", *_blocks(manager, [name for name in units if "@." not in name])),
            *("@agents", *_blocks(manager, list(AGENTS))),
            *("@failed-units", *(f"Id={name}" for name in failed)),
            "@end",
        )


def unit_list(manager: Manager) -> str:
    """The output of the script of `unit_list`."""
    with manager.lock:
        files = {path.rpartition("/")[2] for path in manager.files.entries if path.rpartition("/")[0] in _NEAR}
        return _lines("@maskbot-look 1", "@unit_names", *sorted(files | {*manager.units}), "@end")


def properties(manager: Manager, name: str) -> dict[str, str]:
    """The output of `systemctl show` for a unit, by its real name."""
    unit, running = manager.load(name), manager.running(name)
    kind = name.rpartition(".")[2]
    with_process = {
        "MainPID": str(running.pid),
        "ControlGroup": f"/system.slice/{name}" if running.active in ("active", "deactivating") else "",
        "NotifyAccess": unit.last("NotifyAccess", "none"),
        "WatchdogUSec": unit.last("WatchdogSec", "0") + ("s" if unit.last("WatchdogSec") else ""),
        "TimeoutStopUSec": _span(unit.last("TimeoutStopSec", "90")),
        "KillMode": unit.last("KillMode", "control-group"),
        "Restart": unit.last("Restart", "no"),
        "NRestarts": "0",
    }
    return {
        "Id": name,
        "Names": " ".join(manager.names(name)),
        "LoadState": unit.state,
        "ActiveState": running.active,
        "SubState": running.sub,
        "FragmentPath": unit.fragment,
        "SourcePath": "",
        "DropInPaths": " ".join(unit.drop_ins),
        "UnitFileState": unit.file_state,
        "CanStart": "yes" if unit.state == "loaded" and unit.last("RefuseManualStart") != "yes" else "no",
        "CanStop": "yes",
        "Job": "7" if running.job else "",
        "RefuseManualStart": unit.last("RefuseManualStart", "no"),
        "RefuseManualStop": unit.last("RefuseManualStop", "no"),
        "NeedDaemonReload": "no",
        "Transient": "yes" if name in manager.transient else "no",
        "Perpetual": "no",
        "InvocationID": running.invocation,
        "Result": running.result,
        "RequiredBy": _listed(manager.related(name, "Requires")),
        "BoundBy": _listed(manager.related(name, "BindsTo")),
        "ConsistsOf": _listed(manager.related(name, "PartOf")),
        "TriggeredBy": " ".join(each for each in sorted(manager.loaded) if name in manager.triggers(each)),
        "Triggers": " ".join(manager.triggers(name)),
        **(with_process if kind == "service" else {}),
        **({"KillMode": "control-group"} if kind == "socket" else {}),
    }


def _names(manager: Manager, names: list[str]) -> Iterator[str]:
    """The output of `show` for each further name: an alias that cannot be loaded stands for itself."""
    for number, name in enumerate(names):
        state = manager.load(name).state
        own = name if state == "error" else manager.resolve(name)
        yield "\n".join([*([""] if number else []), f"Id={own}", f"LoadState={state}"])


def _show(manager: Manager, name: str, asked: str) -> list[str]:
    found = properties(manager, name)
    if asked not in found["Names"].split() and manager.load(name).state == "loaded":
        found["Names"] = f"{found['Names']} {asked}"
    return [f"{key}={value}" for key, value in found.items() if key in (*SHOWN, *RELATIONS)]


def _around(manager: Manager, name: str, hostname: str) -> list[str]:
    files, unit = manager.files, manager.load(name)
    own = [path for path in (unit.fragment, *unit.drop_ins) if path in files.entries]
    devices = [path for path in own if files.entries[path].goal == NULL]
    hashed = [path for path in own if path not in devices]
    links = sorted({link for each in (name, *files.aliases(name)) for link in files.links_of(each)})
    near = sorted({path.rpartition("/")[2] for path in files.entries if path.rpartition("/")[0] in _NEAR})
    known = sorted(each for each in manager.loaded if manager.resolve(each) == each)
    found = {each: properties(manager, each) for each in known}
    states = (
        f"{each} {shown['LoadState']} {shown['ActiveState']} {shown['SubState']}" for each, shown in found.items()
    )
    return [
        *("@kernel", f"hostname={hostname}", f"boot_id={manager.boot_id}", "systemd=252.39-1~deb12u2"),
        *("@contents", *(f"c|0|{files.entries[path].identity}|{path}" for path in devices)),
        *(f"{files.digest(path)}  {path}" for path in hashed),
        *("@links", *(f"{_merged(path)}|{goal}" for path, goal in links)),
        *("@related", *_related(found)),
        *("@near", *(near if unit.state == "not-found" else [])),
        *("@states", *states),
    ]


def _related(found: dict[str, dict[str, str]]) -> Iterator[str]:
    """All loaded units: more than a host would print; units that are not related do not count."""
    for shown in found.values():
        yield from (f"{key}={shown[key]}" for key in SHOWN_OF_RELATED if shown.get(key))
        yield ""


def _for_a_decision(manager: Manager, name: str) -> list[str]:
    """A login over sshd from another machine, with all rights; no edits of others wait for a reload."""
    ours = "192.0.2.1:22 192.0.2.7:40000 cgroup:/system.slice/ssh.service"
    sshd, shown = properties(manager, "ssh.service"), properties(manager, name)
    is_gone = shown["LoadState"] == "not-found" and shown["ActiveState"] == "inactive"
    no = [f"{NEVER} there is no {name} on this host"] if is_gone else []
    return [
        *("@edited", "@edited-for-many", "@there"),
        *("@login_units", "/user.slice/user-2001.slice/session-1.scope", "/system.slice/ssh.service"),
        *("@way", "connection=192.0.2.7 40000 192.0.2.1 22", "@sockets", f"ESTAB 0 0 {ours}"),
        *("@listening", "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* cgroup:/system.slice/ssh.service", "@cgroups", "@starters"),
        *("@carriers", *(f"{key}={sshd[key]}" for key in SHOWN_OF_RELATED if sshd.get(key))),
        *("@rights", *RIGHTS, *no, *(one for one in remembered(manager) if one.startswith(f"mask {name} "))),
    ]


def rules(manager: Manager) -> str:
    """As much of the guard's own rules as the workflow asks for."""
    with manager.lock:
        masks = remembered(manager)
        return _lines(f"masks {len(masks)}", *masks)


def remembered(manager: Manager) -> list[str]:
    """What the guard remembers of its masks."""
    return [
        f"mask {unit} - {layer} {link} {request or '-'} {'ran' if unit in manager.stopped else 'did-not-run'}"
        for (layer, unit), (link, request) in manager.remembered.items()
    ]


def _blocks(manager: Manager, names: list[str]) -> Iterator[str]:
    """Several units as `show` prints them, with an empty line between two."""
    for number, name in enumerate(names):
        found = properties(manager, manager.resolve(name))
        yield "\n".join([*([""] if number else []), *(f"{key}={found[key]}" for key in SHOWN_OF_MASK)])


def _merged(path: str) -> str:
    """The path as systemd's search path has it: /lib is a link to /usr/lib."""
    return f"/usr{path}" if path.startswith("/lib/") else path


def _is_mask(entry: Entry) -> bool:
    return entry.goal == NULL or not (entry.goal or entry.text)


def _stat(path: str, entry: Entry) -> str:
    if entry.goal:
        return f"symbolic link|{len(entry.goal)}|{entry.identity}|'{path}' -> '{entry.goal}'"
    kind = "regular file" if entry.text else "regular empty file"
    return f"{kind}|{len(entry.text)}|{entry.identity}|'{path}'"


def _listed(names: Iterable[str]) -> str:
    """A list as `show` writes it: a name with a backslash is quoted, and the backslash doubled."""
    return " ".join('"{}"'.format(name.replace("\\", "\\\\")) if "\\" in name else name for name in names)


def _span(span: str) -> str:
    """A length of time as `show` writes it."""
    whole = seconds(span)
    if whole == float("inf"):
        return "infinity"
    minutes, rest = divmod(int(whole), 60)
    return " ".join([*([f"{minutes}min"] if minutes else []), *([f"{rest}s"] if rest else [])]) or "0"


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)
