"""Lines that nobody reads: whoever says them never waits, and what was dropped is counted and said."""

import os
import threading
from pathlib import Path

import pytest

from bot.edges import metrics
from bot.edges.ops.log_writer import LogWriter


def dropped() -> float:
    value = metrics.REGISTRY.get_sample_value("maskbot_log_dropped_lines_total")
    assert value is not None
    return value


@pytest.mark.fault("F62", how="a pipe that nobody reads")
def test_who_speaks_never_waits_and_what_is_dropped_is_counted_and_said() -> None:
    reading, writing = os.pipe()
    before, line = dropped(), "x" * 1000
    with os.fdopen(writing, "w") as stream, os.fdopen(reading) as reader:
        writer = LogWriter(stream, most=100)
        for _ in range(1000):
            writer.say(line)
        lost = dropped() - before
        assert lost >= 1000 - 100 - 200  # what waits, and what the pipe and the writer hold
        assert not writer.settle(0.01)

        heard: list[str] = []
        hearing = threading.Thread(target=lambda: heard.extend(reader.read().splitlines()))
        hearing.start()
        assert writer.settle(30)
        stream.close()
        hearing.join(30)
    counts = [
        int(words.split()[0]) for words in heard if words.endswith(" lines were dropped here: nobody read them in time")
    ]
    assert sum(counts) == lost  # in one line, or in several where the writer came to write meanwhile
    assert heard.count(line) == 1000 - lost


def test_lines_come_whole_and_in_order(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        writer = LogWriter(stream)
        for number in range(500):
            writer.say(f"line {number} ä\udcff")
        assert writer.settle(30)
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1] for line in lines] == [str(number) for number in range(500)]


def test_a_reader_who_has_gone_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        writer = LogWriter(stream)
        writer.say("to nobody")
        assert writer.settle(30)
