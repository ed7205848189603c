"""The properties that a look reads: of units from systemd, and of files from stat(1)."""

from bot.core.systemd.host_rules import END_ACTIONS, END_STARTS, STOPS_TOO

Argv = tuple[str, ...]

_OF_HABITS: Argv = (
    "FreezerState", *END_STARTS, "Conflicts", "Accept", "Persistent", "ConditionResult", "AssertResult",
    "ConditionTimestampMonotonic",
)  # fmt: skip

OF_NETWORKS: Argv = ("PrivateNetwork", "NetworkNamespacePath", "Delegate")
"""Whether a unit may have a network namespace of its own; who manages its own control groups may run containers."""

OF_TURNS: Argv = (
    "NextElapseUSecRealtime", "NextElapseUSecMonotonic", "RandomizedDelayUSec", "LastTriggerUSecMonotonic",
)  # fmt: skip
"""When a timer fires next, and when it did last; other units have none of it."""

SHOWN: Argv = (
    "Id", "Names", "LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "SourcePath", "DropInPaths",
    "Transient", "Perpetual", "CanStart", "CanStop", "RefuseManualStart", "RefuseManualStop", "NeedDaemonReload",
    "MainPID", "ControlGroup", "InvocationID", "NotifyAccess", "WatchdogUSec", "TimeoutStopUSec", "KillMode", "Restart",
    "SendSIGKILL", "NRestarts", "Result", "Job", "UpheldBy", *END_ACTIONS, *_OF_HABITS, *OF_NETWORKS, *OF_TURNS,
)  # fmt: skip
"""What is asked of the unit itself. Nothing here is text that a unit's author writes freely."""

SHOWN_OF_NAME: Argv = ("Id", "LoadState")
"""What is asked by each further name of the unit."""

RELATIONS: Argv = (*STOPS_TOO, "TriggeredBy", "Triggers")
"""What is asked of the unit itself beside that, to find its related units."""

SHOWN_OF_RELATED: Argv = (
    "Id", "Names", "LoadState", "ActiveState", "SubState", "UnitFileState", "InvocationID", "Job", *END_ACTIONS,
    *END_STARTS, *OF_NETWORKS, *OF_TURNS, *RELATIONS,
)  # fmt: skip
"""What is asked of every unit that has to do with it."""

SHOWN_OF_EDITED: Argv = ("Id", "Names", "LoadState", "NeedDaemonReload", "FragmentPath", "DropInPaths")
"""Properties of a unit whose files changed since systemd read it: they tell which files systemd has read."""

SHOWN_OF_MANAGER: Argv = ("show", "--timestamp=us+utc", "-p", "Version", "-p", "UnitsLoadTimestamp")
"""What is asked of the manager itself; in whole seconds it would not tell an edit from the reload that read it."""

SHOWN_OF_OLDER: Argv = ("show", "-p", "Version")
"""What is asked of one that does not know that."""

STATES: Argv = ("list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager")
"""How all units of a manager are asked for their states: one call, 5 ms for 150 units, where `show '*'` takes 170."""

STATUS: Argv = ("--no-pager", "--full", "status", "-n", "0", "--")
"""What people know, without lines of the journal."""

SHOWN_OF_MASK: Argv = ("Id", "LoadState", "ActiveState", "UnitFileState")
"""What a scan asks of each unit that has a mask."""

# Without the device: on an overlay or a tmpfs its number changes with each boot, and the link is the same.
STAT_FORMAT = "%F|%s|%i:%.9Z|%N"
"""Kind, size, identity (inode and change time), and the quoted name with its target, of one layer's file: stat(1)."""
