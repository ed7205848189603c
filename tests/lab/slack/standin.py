"""The stand-in itself: one process that listens everywhere without a login, so it is started where there is nobody."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession

from tests.lab.machine import LabError

READY_SECONDS = 15.0


@asynccontextmanager
async def running(binary: Path, config: object, *, port: int, directory: Path) -> AsyncIterator[ClientSession]:
    """Start it on `port` of the calling thread's network, and yield a client to it once it answers.

    The port is the proxy's own, so every address that the stand-in makes up (response_url, permalinks) is right.
    """
    settings = directory / "workspace.json"
    settings.write_text(json.dumps(config))
    files = directory / "files"
    files.mkdir()
    # If we are killed it goes too (prctl(2), PR_SET_PDEATHSIG): nobody could find it in its network.
    argv = ("setpriv", "--pdeathsig", "KILL", binary, "--config", settings, "--port", str(port), "--files-dir", files)
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory)}
    with (directory / "output").open("w+b") as said:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment)
        try:
            async with ClientSession(f"http://127.0.0.1:{port}") as client:
                await _ready(process, client, directory / "output")
                yield client
        finally:
            process.kill()  # it holds nothing that would be missed, and takes its time over SIGTERM
            process.wait()


async def _ready(process: "subprocess.Popen[bytes]", client: ClientSession, output: Path) -> None:
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    while True:
        if process.poll() is not None:
            raise LabError(f"The Slack stand-in ended at once: {output.read_text(errors='replace').strip()[-500:]}")
        try:
            async with client.get("/_control/state"):
                return
        except ClientError:
            if asyncio.get_running_loop().time() > deadline:
                raise LabError(f"The Slack stand-in did not answer within {READY_SECONDS:.0f} s.") from None
            await asyncio.sleep(0.01)
