"""Allow local programs and the proxy's own page only; no other web page may act for anybody."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

HERE = {"localhost", "127.0.0.1"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def refuse_foreign_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign name (DNS rebinding) and a foreign page (cross-site requests say where they are from)."""
    if urlsplit(f"//{request.host}").hostname not in HERE:
        return web.Response(status=403, text="This page answers to localhost alone.\n")
    if _from_elsewhere(request):
        return web.Response(status=403, text="Another page may not act here.\n")
    return await handler(request)


def _from_elsewhere(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return True
    # A link from elsewhere may open the page; a picture or a script from elsewhere may not call what is behind it.
    return request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"} and request.path != "/"
