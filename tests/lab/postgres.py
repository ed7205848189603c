"""A throw-away PostgreSQL: Debian's binaries, a Unix socket in a temporary directory, removed when it is closed.

It does not wait for the disk (fsync off): a test may kill clients and even the server, but not the machine.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.lab.machine import LabError, NotHereError

OPTIONS = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=200"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running cluster; its directory holds data, log and socket."""

    folder: Path
    account: str  # PostgreSQL refuses to run as root, so root runs it as another account

    def make_database(self, name: str) -> str:
        """Create an empty database and return its URL."""
        self.ask(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://{self.account}@/{name}?host={self.folder}"

    def drop_database(self, name: str) -> None:
        """Drop the database, even with open connections."""
        self.ask(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def empty_database(self, name: str) -> None:
        """Empty the database, in a tenth of the time that a new one takes."""
        with self.connected(name) as connection:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def ask(self, question: sql.SQL | sql.Composed) -> None:
        """Run a statement in the cluster as its owner."""
        with self.connected("postgres") as connection:
            connection.autocommit = True
            connection.execute(question)

    def connected(self, name: str) -> psycopg.Connection:
        """A connection to one database, as its owner."""
        return psycopg.connect(f"host={self.folder} user={self.account} dbname={name}")

    def control(self, *words: str) -> None:
        """pg_ctl(1), which returns when it is done."""
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", *words)

    def start(self) -> None:
        """Start, and return when it accepts connections."""
        self.control("-o", f"{OPTIONS} -k {self.folder}", "start")

    def restart(self) -> None:
        """Restart in order, as a package upgrade would: running statements are aborted."""
        self.control("-m", "fast", "stop")
        self.start()

    def cut(self, name: str) -> None:
        """Close every connection to a database, also in the middle of a statement."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
        self.ask(sql.SQL(ended).format(sql.Literal(name)))

    def crash(self) -> None:
        """Stop like a crash, and start again: every connection is lost."""
        self.control("-m", "immediate", "stop")
        self.start()

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's own programs, as the account that owns the data."""
        account = pwd.getpwnam(self.account)
        own = os.getuid() == account.pw_uid
        done = subprocess.run(
            [_binaries() / program, *words],
            user=None if own else account.pw_uid,
            group=None if own else account.pw_gid,
            extra_groups=None if own else [],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,  # the server would keep a pipe open
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            raise LabError(f"{program} failed: {done.stdout or ''}{log.read_text() if log.exists() else ''}")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A cluster for the duration of the block."""
    account = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    # Not pytest's directory: a socket's path may have 107 characters (unix(7)), and another account must reach it.
    folder = Path(tempfile.mkdtemp(prefix="maskbot-pg-"))
    try:
        shutil.chown(folder, account)
        cluster = Postgres(folder, account)
        words = ("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", f"--username={account}")
        cluster.run("initdb", "-D", f"{folder}/data", *words)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.control("-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)


def _binaries() -> Path:
    """Debian keeps each major version in a directory of its own and puts none on the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda found: int(found.parts[4]))
    if versions:
        return versions[-1].parent
    if on_path := shutil.which("postgres"):
        return Path(on_path).parent
    raise NotHereError("PostgreSQL is not installed; script/setup test installs it.")
