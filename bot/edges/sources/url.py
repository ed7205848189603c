"""Ask a URL that the configuration names: one GET without redirects, a deadline, and a limit on its answer."""

import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import IO
from urllib.parse import quote, urlsplit

from bot.core.people.on_call import LARGEST

SCHEDULE = "{schedule}"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CHUNK = 4096
# A server that never ends its answer keeps a thread; at most this many of them.
_open_questions = BoundedSemaphore(4)


def ask_url(url: str, schedule: str = "", *, deadline: float, token: str = "", largest: int = LARGEST) -> str:
    """The URL's answer. Raises `ValueError`, whose text contains neither the URL nor the token."""
    if not _open_questions.acquire(blocking=False):
        raise ValueError("earlier requests have no answer yet")
    request = urllib.request.Request(  # noqa: S310 - https, or http on loopback: config/policy_file.py
        url.replace(SCHEDULE, quote(schedule, safe="")), headers={"Accept": "application/json", "User-Agent": "maskbot"}
    )
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    found: SimpleQueue[str | ValueError] = SimpleQueue()
    Thread(target=_fetch, args=(request, deadline, largest, found), name="ask-url", daemon=True).start()
    try:
        answer = found.get(timeout=deadline)
    except Empty:
        raise ValueError(f"its URL gave no answer within {deadline:g} s") from None
    if isinstance(answer, ValueError):
        raise answer
    return answer


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuse redirects: only the configuration says where an answer comes from."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None refuses the redirect, and the answer counts as an error."""


def _fetch(
    request: urllib.request.Request, deadline: float, largest: int, found: "SimpleQueue[str | ValueError]"
) -> None:
    """Put the answer or the error into `found`. DNS and slow headers ignore the timeout: hence a thread."""
    try:
        found.put(_answer(request, deadline, largest))
    except urllib.error.HTTPError as error:
        found.put(ValueError(f"its URL answered with {error.code}"))
    except UnicodeDecodeError:
        found.put(ValueError("its answer is not UTF-8 text"))
    except (OSError, HTTPException) as error:
        found.put(ValueError(f"its URL could not be reached ({type(error).__name__})"))
    except ValueError:  # its text may contain what was to be sent
        found.put(ValueError("its URL cannot be used"))
    finally:
        _open_questions.release()


def _answer(request: urllib.request.Request, deadline: float, largest: int) -> str | ValueError:
    until = time.monotonic() + deadline
    is_near = urlsplit(request.full_url).hostname in LOOPBACK
    opener = urllib.request.build_opener(_NoRedirects, *([urllib.request.ProxyHandler({})] if is_near else []))
    read = b""
    with opener.open(request, timeout=deadline) as response:
        while chunk := response.read1(_CHUNK):
            read += chunk
            if len(read) > largest:
                return ValueError(f"its answer is longer than {largest} bytes")
            if time.monotonic() > until:
                return ValueError(f"its URL gave no answer within {deadline:g} s")
    return read.decode()
