"""`python -m tests.lab.slack --port 3000` runs the demo workspace alone, for people who want to look at it."""

import argparse
import sys
import threading
from contextlib import suppress

from tests.lab.endings import in_order, leave_alone
from tests.lab.machine import LabError
from tests.lab.slack.lab import SlackLab


def main() -> None:
    """Serve until somebody ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="of the page, on 127.0.0.1")
    port = parser.parse_args().port
    try:
        with in_order(), SlackLab(port) as slack:
            print(f"ready: {slack.url}")
            print(f"SLACK_API_URL={slack.api_url} SLACK_BOT_TOKEN={slack.bot_token} SLACK_APP_TOKEN={slack.app_token}")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
            leave_alone()
    except (LabError, OSError) as cannot:
        sys.exit(f"{cannot}")


if __name__ == "__main__":
    main()
