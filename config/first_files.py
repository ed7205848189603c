"""The files of a new installation: the least that works, with comments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.hosts_edit import Entry, written

FIRST_SCRIPT = "host-install.sh"  # for the hosts, with the addresses from which the bot connects


@dataclass(frozen=True, slots=True)
class FirstPolicy:
    """Who and where, by Slack's ids, each with the name by which it was found; no name if the id was given."""

    channel: tuple[str, str]
    may_ask: Sequence[tuple[str, str]]
    approve: Sequence[tuple[str, str]]


def first_hosts(entries: Sequence[Entry]) -> str:
    """`hosts.yaml` with these hosts."""
    return _HOSTS + "\n".join(written(entry, "    ") for entry in entries)


def first_policy(policy: FirstPolicy) -> str:
    """`policy.yaml`: one channel, who may ask, who approves, and one rule for all hosts."""
    channel, name = policy.channel
    return _POLICY.format(
        channel=channel,
        channel_name=f"  # #{name}" if name else "",
        ask=_group(policy.may_ask),
        approve=_group(policy.approve),
    )


def _group(people: Sequence[tuple[str, str]]) -> str:
    """A user group if one is named, else a list of people."""
    (first, name), *_ = people
    if first.startswith("S"):
        return f"    slack_group: {first}{f'  # @{name}' if name else ''}"
    return "\n".join(["    users:", *(f"      - {one}{f'  # {name}' if name else ''}" for one, name in people)])


def first_environment(folder: Path, places: Mapping[str, Path]) -> str:
    """The settings, as `NAME=value`: for a shell, systemd's EnvironmentFile= and a container's --env-file."""
    lines = [
        f"MASKBOT_CONFIG_DIR={folder}",
        f"MASKBOT_SECRETS_DIR={places['secrets']}",
        f"MASKBOT_SSH_KEY_FILE={places['key']}",
        f"MASKBOT_DATABASE_URL=sqlite:///{places['database']}",
        f"MASKBOT_SOCKET={places['socket']}",
    ]
    return _ENVIRONMENT + "\n".join(lines) + "\n"


_HOSTS = """\
# The hosts that may be named in Slack: what people type, where it is, and the key by which the bot knows it.
# `maskbot hosts scan` shows and pins keys, `maskbot hosts import` imports more hosts.
#   port: 2222, login: maskbot, via: bastion, groups: [web] are allowed in each entry.
hosts:
"""

_POLICY = """\
# Who may ask for what, where, and who approves it. `maskbot check` reads this as strictly as the bot does.
# Ids are Slack's own. Names are comments: they decide nothing.

# For the first weeks: the bot checks, plans, has people approve, and says what it would have done, but changes no host.
# mode: observe

# Where the bot acts, once it is invited there. `prefixes: [inc-]` would add every channel whose name begins so.
channels:
  ids: [{channel}]{channel_name}

# Messages that belong to no request.
operations_channel: {channel}

# Groups: `users`, a user group (`slack_group: S...`), or the members of a private channel (`channel: C...`).
groups:
  may-ask:
{ask}
  approvers:
{approve}

# For `maskbot mask` and `approve` at a terminal: which login of the bot's machine is whom, and where their cards go.
# `maskbot doctor --verbose` shows the id of your workspace (T...).
# teams: [T...]
# people: {{root: U...}}
# shell_channel: {channel}

# A rule matches on environments, host_groups, units and verbs; without them it matches everything. Nobody approves what
# they asked for. If no rule matches, the answer is no.
rules:
  - name: everything
    ask: [may-ask, approvers]
    approve: [approvers]
    need: 1
    approve_within: 15m
    good_for: 10m

# Guarded units (ssh, networking and the like: `maskbot explain HOST UNIT`) need this many approvals.
guarded_need: 2
"""

_ENVIRONMENT = """\
# The settings of this installation. For a shell: set -a; . FILE; set +a. Secrets are files of their own.
"""
