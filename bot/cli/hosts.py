"""`maskbot hosts ...`: import hosts from other inventories, and pin the keys that they show."""

from typing import Annotated

import typer

from bot.cli import options

hosts = typer.Typer(name="hosts", no_args_is_help=True, help="The inventory, hosts.yaml: import hosts, pin keys.")


@hosts.command("import")
def import_hosts(
    source: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]", help="`ansible-inventory --list`, ssh_config or known_hosts; `-`: from stdin."
        ),
    ] = "-",
    *,
    known_hosts: Annotated[
        str, typer.Option("--known-hosts", metavar="FILE", help="Pin the keys that this file has for the hosts.")
    ] = "",
    environment: Annotated[
        str, typer.Option("--environment", metavar="NAME", help="The environment of new hosts, if the source has none.")
    ] = "prod",
    yes: Annotated[
        bool, typer.Option("--yes", help="Write hosts.yaml without asking; the difference is shown.")
    ] = False,
) -> None:
    """Show what a source would change in hosts.yaml, and write it once you say yes."""
    from bot.cli import hosts_file

    raise typer.Exit(hosts_file.import_hosts(source, known_hosts, environment=environment, is_confirmed=yes))


@hosts.command()
def scan(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[HOST]...", help="Hosts; without one, those without a pinned key.")
    ] = None,
    *,
    expect: Annotated[
        str,
        typer.Option(
            "--expect", metavar="FILE", help="Pin, without asking, the keys whose fingerprints are in this file."
        ),
    ] = "",
    json: options.Json = False,
) -> None:
    """Show the keys that hosts have now, to compare with their consoles, and pin them once you say yes."""
    from bot.cli import hosts_scan

    raise typer.Exit(hosts_scan.scan(names or (), expect, as_json=json))
