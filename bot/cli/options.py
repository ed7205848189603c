"""The options and arguments of the `maskbot` commands, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

# The groups of commands in the help, in this order.
RUN, ASK, APPROVE, LOOK, OPERATE = "Run the bot", "Ask for a change", "Approve or stop", "Look", "Operate"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, with stable keys.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show each check, including those that passed.")]
Host = Annotated[
    str,
    typer.Argument(metavar="HOST", help="A host, by its name in hosts.yaml; or a list with groups: `web-01,@db`."),
]
AnyHost = Annotated[
    str, typer.Argument(metavar="HOST", help="A host, or a list with groups: `web-01,@db`; if omitted, all hosts.")
]
Unit = Annotated[
    str, typer.Argument(metavar="UNIT", help="A unit, or a list: `nginx,php-fpm`. `cron` means `cron.service`.")
]
Reason = Annotated[
    list[str] | None,
    typer.Argument(metavar="REASON", help="The reason. Put `--` before it if a word starts with a dash."),
]
Request = Annotated[str, typer.Argument(metavar="ID", help="The id of a request, such as `r1a2b3c4d5`.")]
Runtime = Annotated[bool, typer.Option("--runtime", help="Mask only until the next reboot.")]
KeepRunning = Annotated[bool, typer.Option("--keep-running", help="Mask the unit without stopping it.")]
Force = Annotated[bool, typer.Option("--force", help="Kill (SIGKILL) a unit whose mask still waits for it to stop.")]
Adopt = Annotated[bool, typer.Option("--adopt", help="With --for: adopt a mask that somebody else made.")]
For = Annotated[str, typer.Option("--for", metavar="LENGTH", help="The mask expires after this time: `2h`, `1h30m`.")]
Until = Annotated[
    str, typer.Option("--until", metavar="TIME", help="The mask expires at this time: `18:00`, `Tue 06:30 UTC`.")
]
Hold = Annotated[
    str,
    typer.Option(
        "--hold",
        metavar="OWNERS",
        help="Hold the mask until somebody of this group lifts it. HOST may be a group of hosts: `@web`.",
    ),
]
Review = Annotated[
    str, typer.Option("--review", metavar="DAY", help="With --hold: when the owners review it: `90d`, `2027-03-01`.")
]
At = Annotated[
    str,
    typer.Option(
        "--at", metavar="TIME", help="Scheduled window: approved now, carried out from this time on: `Tue 22:00 UTC`."
    ),
]
Window = Annotated[
    str, typer.Option("--window", metavar="LENGTH", help="With --at: how long the window stays open: `2h`.")
]
Waves = Annotated[
    str,
    typer.Option(
        "--waves",
        metavar="SIZES",
        help="With several hosts: how many in each wave, as numbers, shares and the rest: `1,10%,rest`.",
    ),
]
Set = Annotated[bool, typer.Option("--set", help="Also what triggers the unit: its sockets, timers and paths.")]
Order = Annotated[bool, typer.Option("--order", help="With several hosts: one after another, in the order given.")]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="A unit of this user's own systemd manager.")]
SPELLINGS = {"token_normalize_func": lambda name: {"alone": "break-glass"}.get(name, name)}  # accepted, never shown
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Go ahead without the missing approvals, if the policy allows it.")
]
ConsoleWorks = Annotated[
    bool, typer.Option("--console-works", help="For a guarded unit: confirm that console access works today.")
]
Code = Annotated[
    str,
    typer.Option(
        "--code", metavar="CODE", help="The code of your authenticator, if one is needed. Without it a terminal asks."
    ),
]
Text = Annotated[
    list[str], typer.Argument(metavar="TEXT", help="The text. Put `--` before it if a word starts with a dash.")
]
NeededReason = Annotated[
    list[str], typer.Argument(metavar="REASON", help="The reason. Put `--` before it if a word starts with a dash.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the request and exit; do not wait for its result.")]
CarryOut = Annotated[
    bool, typer.Option("--carry-out", help="Root only, while no bot runs: carry the request out in this process.")
]
Login = Annotated[str, typer.Option("--login", metavar="NAME", help="The bot's login on the host.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to put the files of the installation.")]
NewHosts = Annotated[
    list[str] | None,
    typer.Option("--host", metavar="NAME=ADDRESS", help="A host, as in `web-01=192.0.2.11`; once for each."),
]
Import = Annotated[
    Path | None,
    typer.Option(
        "--import", metavar="FILE", help="Import hosts: an ssh_config, `ansible-inventory --list` or known_hosts."
    ),
]
Environment = Annotated[str, typer.Option("--environment", metavar="NAME", help="The environment of these hosts.")]
Channel = Annotated[str, typer.Option("--channel", metavar="NAME", help="Where people ask and approve: `#incident`.")]
MayAsk = Annotated[
    list[str] | None,
    typer.Option("--ask", metavar="NAME", help="Who may ask: `@alice`, once for each, or one user group, `@eng`."),
]
Approvers = Annotated[
    list[str] | None,
    typer.Option("--approve", metavar="NAME", help="Who approves: `@bob`, once for each, or one user group, `@sre`."),
]
Expect = Annotated[
    str,
    typer.Option("--expect", metavar="FILE", help="Pin, without asking, the host keys whose fingerprints it has."),
]
From = Annotated[
    str, typer.Option("--from", metavar="ADDRESS", help="The addresses from which the bot connects to the hosts.")
]
