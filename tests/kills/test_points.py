"""Where a bot dies: at the moment that was chosen, and not shortly before it by the hand of another thread."""

import os
import threading
from pathlib import Path

from tests.kills.points import Death


def test_no_other_thread_ends_the_process_between_a_change_and_the_moment_after_it(tmp_path: Path) -> None:
    death = Death(tmp_path / "deaths")
    death.wait_for(["after the change", "of another thread"])
    pid = os.fork()
    if not pid:
        other = threading.Thread(target=death.at, args=("of another thread",), daemon=True)
        with death.step():
            other.start()
            other.join(0.1)
            death.at("after the change")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert death.outlived() == ["of another thread"]
