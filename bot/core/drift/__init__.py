"""The ledger: every mask on the hosts, ours and foreign, as the watch over each host saw it last."""

from bot.core.drift.compare import Findings, compare, loss, owned, settled
from bot.core.drift.host_view import Away, Page, read_page, write_page
from bot.core.drift.mask_inventory import Book, Entry

__all__ = [
    "Away",
    "Book",
    "Entry",
    "Findings",
    "Page",
    "compare",
    "loss",
    "owned",
    "read_page",
    "settled",
    "write_page",
]
