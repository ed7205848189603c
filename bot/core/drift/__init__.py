"""The ledger: every mask on the hosts, ours and foreign, as the watch over each host saw it last."""

from bot.core.ledger.book import Book, Entry
from bot.core.ledger.compare import Findings, compare, loss, owned, settled
from bot.core.ledger.page import Away, Page, read_page, write_page

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
