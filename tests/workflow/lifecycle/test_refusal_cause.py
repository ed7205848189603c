"""A refusal's own cause, on a real host: what stops too is judged for what it is, and not for its type."""

import pytest

from bot.core.requests import Stage
from tests.workflow.fleet import Fleet
from tests.workflow.world import World

pytestmark = pytest.mark.ssh
APP = "/run/systemd/system/app.target"
MOUNT = "/run/systemd/system/srv.mount"


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd's relations are the subject."""
    return real_fleet


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (APP, "[Unit]\\nRequires=restless.service\\nAfter=restless.service\\n"),
        (
            MOUNT,
            "[Unit]\\nBindsTo=restless.service\\nAfter=restless.service\\n[Mount]\\nWhat=tmpfs\\nWhere=/srv\\nType=tmpfs\\n",
        ),
    ],
    ids=["target", "mount"],
)
def test_somebodys_own_target_or_mount_that_stops_too_is_named_as_what_it_is(
    world: World, path: str, text: str
) -> None:
    host, unit = world.hosts["web-01"], path.rpartition("/")[2]
    host.run("sh", "-c", f"printf '{text}' >{path}; systemctl daemon-reload; systemctl start {unit}")
    assert host.show(unit, "ActiveState")["ActiveState"] == "active"

    refused = world.mask("restless")
    assert refused.stage is Stage.REFUSED
    assert refused.because.startswith(
        f"{unit} would stop with restless.service, and the bot cannot start units of that type again"
    )
    assert "critical" not in refused.because

    host.run("systemctl", "stop", unit)
    assert world.mask("restless").stage is Stage.WAITING
