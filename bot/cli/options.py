"""The options and arguments of the `maskbot` commands, each with its help."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object; its names stay as they are.")]
Host = Annotated[str, typer.Argument(help="A host by its name in hosts.yaml.")]
AnyHost = Annotated[str, typer.Argument(help="A host; without one, all of them.")]
Unit = Annotated[str, typer.Argument(help="A unit; `cron` means `cron.service`.")]
Reason = Annotated[list[str] | None, typer.Argument(help="The reason. Put `--` before it if a word has a dash.")]
Request = Annotated[str, typer.Argument(metavar="ID", help="A request, as in `r1a2b3c4d5`.")]
Runtime = Annotated[bool, typer.Option("--runtime", help="Until the next reboot.")]
KeepRunning = Annotated[bool, typer.Option("--keep-running", help="Mask it, but do not stop it.")]
Force = Annotated[bool, typer.Option("--force", help="Kill (SIGKILL) the unit whose stop a mask waits for.")]
For = Annotated[str, typer.Option("--for", metavar="LENGTH", help="It ends by itself after that long: `2h`, `1h30m`.")]
Until = Annotated[
    str, typer.Option("--until", metavar="TIME", help="It ends by itself then: `18:00`, `Tue 06:30 UTC`.")
]
Hold = Annotated[
    str,
    typer.Option(
        "--hold", metavar="OWNERS", help="A hold: it lasts, and only this group can lift it; HOST may be `@web`."
    ),
]
Review = Annotated[
    str, typer.Option("--review", metavar="DAY", help="With --hold: when they review it: `90d`, `2027-03-01`.")
]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="Approve now, run from then on: `Tue 22:00 UTC`.")]
Window = Annotated[str, typer.Option("--window", metavar="LENGTH", help="With --at: and for that long, `2h`.")]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="A unit of that user's own manager.")]
SPELLINGS = {"token_normalize_func": lambda name: {"alone": "break-glass"}.get(name, name)}  # accepted, never shown
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Without the missing approvals, if the policy lets you.")
]
ConsoleWorks = Annotated[
    bool, typer.Option("--console-works", help="For a guarded unit: confirm that console access works today.")
]
Said = Annotated[list[str], typer.Argument(help="The reason. Put `--` before it if a word has a dash.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Ask, print the request, and do not wait for its end.")]
CarryOut = Annotated[bool, typer.Option("--carry-out", help="Root only, while no bot runs: do it in this process.")]
Sudoers = Annotated[bool, typer.Option("--sudoers", help="The lines for /etc/sudoers.d/maskbot instead.")]
Login = Annotated[str, typer.Option("--login", metavar="NAME", help="The bot's login.")]
Users = Annotated[
    list[str] | None, typer.Option("--user", metavar="NAME", help="A user whose own manager the bot may use.")
]
