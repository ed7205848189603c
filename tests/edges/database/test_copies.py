"""Copies of a SQLite file: whole or not at all, for their owner alone, and never in the place of something else."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.edges.database.copies import back_up, restore
from bot.edges.database.file import sole_use
from bot.errors import ConfigError


def made(path: Path, *words: str) -> Path:
    """A database in WAL mode with these words in it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE words (word)")
        connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in words])
        connection.commit()
    return path


def words(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM words")]


def fine(copy: Path) -> None:
    assert words(copy)


def refused(copy: Path) -> None:
    raise ConfigError(f"{copy} is not what was expected")


def test_what_is_not_in_the_file_itself_yet_is_copied_too(tmp_path: Path) -> None:
    with closing(sqlite3.connect(made(tmp_path / "db", "old"))) as open_one:
        open_one.execute("INSERT INTO words VALUES ('new')")
        open_one.commit()  # it stands in the -wal file now
        back_up(tmp_path / "db", tmp_path / "copy", fine)
    assert words(tmp_path / "copy") == ["old", "new"]
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_a_copy_that_is_not_right_is_not_there(tmp_path: Path) -> None:
    database = made(tmp_path / "db", *("word" for _ in range(5000)))
    with pytest.raises(ConfigError, match="not what was expected"):
        back_up(database, tmp_path / "copy", refused)
    page = bytearray(database.read_bytes())
    page[8192:12288] = b"\0" * 4096
    database.write_bytes(page)
    with pytest.raises(ConfigError, match="is damaged|cannot be copied"):
        back_up(database, tmp_path / "copy", fine)
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []


def test_what_cannot_be_restored_leaves_the_database_alone(tmp_path: Path) -> None:
    database = made(tmp_path / "db", "kept")
    (tmp_path / "junk").write_bytes(b"no database" * 100)
    for copy, said in ((tmp_path / "junk", "cannot be copied"), (tmp_path / "nowhere", "There is no backup")):
        with pytest.raises(ConfigError, match=said):
            restore(copy, database, fine, aside=".before")
    with sole_use(database), pytest.raises(ConfigError, match=r"Another maskbot .* Stop it first\.$"):
        restore(made(tmp_path / "copy", "new"), database, fine, aside=".before")
    assert words(database) == ["kept"]


def test_the_old_one_is_kept_beside_it_and_a_lost_one_is_no_obstacle(tmp_path: Path) -> None:
    copy, database = made(tmp_path / "copy", "copied"), made(tmp_path / "db", "older")
    assert restore(copy, database, fine, aside=".before") == tmp_path / "db.before"
    assert (words(database), words(tmp_path / "db.before")) == (["copied"], ["older"])
    database.unlink()
    assert restore(copy, database, fine, aside=".again") is None
    with sole_use(database) as lock:
        assert lock.is_marked
    assert words(database) == ["copied"]


def test_what_a_killed_process_left_beside_the_old_one_does_not_get_into_the_new_one(tmp_path: Path) -> None:
    """A file that comes from a backup is not in WAL mode until a bot has opened it."""
    copy = made(tmp_path / "copy", *("copied" for _ in range(5000)))
    with closing(sqlite3.connect(made(tmp_path / "running", *("older" for _ in range(5000))))) as running:
        running.execute("PRAGMA journal_mode=DELETE").close()
        running.execute("PRAGMA cache_size=1")
        running.execute("UPDATE words SET word = 'half'")
        for ending in ("", "-journal"):
            shutil.copy(tmp_path / f"running{ending}", tmp_path / f"db{ending}")
    restore(copy, tmp_path / "db", fine, aside=".before")
    assert set(words(tmp_path / "db")) == {"copied"}
    assert set(words(tmp_path / "db.before")) == {"older"}
