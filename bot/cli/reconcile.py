"""`maskbot reconcile`: what the hosts' guards remember, beside what the database says."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.app.compose import open_hosts, open_store
from bot.cli.status_line import line
from bot.core.drift import is_remembered
from bot.core.hosts.inventory import Host
from bot.core.requests import Request
from bot.core.systemd.remembered import RememberedMask
from bot.edges.database import Database
from bot.edges.database.engine import file_of, parse_url
from bot.edges.ops import log
from bot.errors import ConfigError, MaskbotError, NoSuchRequest
from bot.ports import Hosts, Query
from bot.workflow import Timings
from bot.workflow.hosts.remembered import remembered_masks
from config.loading import load
from config.settings import Settings, load_settings

_AT_ONCE, _MOST = 16, 1000


def reconcile(*, as_json: bool) -> int:
    """Compare what each guard remembers with the database. Raises `MaskbotError`."""
    log.set_up(level="error", as_json=False)
    settings = load_settings()
    hosts = load(settings).inventory.hosts
    remote = open_hosts(settings)
    with closing(remote), _on_record(settings) as store:
        found = _compare(store, hosts, _ask(remote, hosts))
    if as_json:
        unknown = [{"host": host, **asdict(mask)} for host, mask in found.unknown]
        typer.echo(json.dumps({"unknown": unknown, "undone": found.undone, "silent": found.silent}, indent=2))
    else:
        for said in _sentences(found, len(hosts)):
            typer.echo(line(said))
    return 1 if found.silent else 0


@contextmanager
def _on_record(settings: Settings) -> Iterator[Database | None]:
    """The database; none before the first start, and where its file is lost."""
    file = file_of(parse_url(settings.database_url.get_secret_value()))
    if file and not file.exists():
        yield None
        return
    with closing(open_store(settings)) as store:
        yield store


def hosts_that_know_more(settings: Settings, remote: Hosts, hosts: Sequence[Host]) -> list[str]:
    """Hosts whose guards remember masks that are not on record: the database is lost, or it is an older backup."""
    answers = {host.name: answer for host, answer in zip(hosts, _ask(remote, hosts), strict=True)}
    masks = {name: answer for name, answer in answers.items() if answer and not isinstance(answer, str)}
    try:
        file = file_of(parse_url(settings.database_url.get_secret_value()))
        with _on_record(settings) as store:
            try:
                return [name for name, answer in masks.items() if _not_on_record(store, name, answer)]
            except (SQLAlchemyError, MaskbotError):  # a file that is no database of a bot; a PostgreSQL may be down
                return list(masks) if file else []
    except ConfigError:  # the settings' findings say why
        return []


@dataclass(frozen=True, slots=True)
class Difference:
    """What hosts and the database say differently."""

    unknown: list[tuple[str, RememberedMask]]  # by host; their requests are not in the database
    undone: list[dict[str, str]]  # live masks of the database that their host's guard does not remember
    silent: list[str]  # why a host could not be asked


_Answer = tuple[RememberedMask, ...] | str  # what a guard remembers, or why that is not known


def _ask(remote: Hosts, hosts: Sequence[Host]) -> list[_Answer]:
    def ask(host: Host) -> _Answer:
        try:
            return remembered_masks(remote, host, deadline=Timings().look_deadline)
        except MaskbotError as error:
            return str(error)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, hosts))


def _compare(store: Database | None, hosts: Sequence[Host], answers: Sequence[_Answer]) -> Difference:
    unknown, undone, silent = list[tuple[str, RememberedMask]](), list[dict[str, str]](), list[str]()
    for host, answer in zip(hosts, answers, strict=True):
        if isinstance(answer, str):
            silent.append(answer)
            continue
        unknown += [(host.name, mask) for mask in _not_on_record(store, host.name, answer)]
        live = _live(store, host.name)
        gone = [one for one in live if not one.target.adopted and not is_remembered(one, answer)]
        undone += [{"host": host.name, "unit": str(one.target.unit), "request": one.id} for one in gone]
    return Difference(unknown, undone, silent)


def _live(store: Database | None, host: str) -> list[Request]:
    return store.find(Query(host=host, live_masks=True, limit=_MOST)) if store else []


def _not_on_record(store: Database | None, host: str, masks: Iterable[RememberedMask]) -> list[RememberedMask]:
    """Those of no request in the database, unless somebody has adopted them since."""
    made = {one.target.made.identity for one in _live(store, host) if one.target.made}
    return [mask for mask in masks if mask.identity not in made and not _is_known(store, mask.request)]


def _is_known(store: Database | None, request: str) -> bool:
    if store is None:
        return False
    try:
        store.get(request)
    except NoSuchRequest:
        return False
    return True


def _sentences(found: Difference, hosts: int) -> Iterator[str]:
    for host, mask in found.unknown:
        yield from _about(host, mask)
    for one in found.undone:
        yield (
            f"{one['host']}: request {one['request']} masked {one['unit']}, and the guard there remembers no mask of "
            "it: it has been undone since. The bot says so once it runs"
        )
    for why in found.silent:
        yield f"not asked: {why}"
    asked = hosts - len(found.silent)
    if asked and not found.unknown and not found.undone:
        yield f"{asked} of {hosts} hosts asked: the database knows every mask that the bot made there, and no other"


def _about(host: str, mask: RememberedMask) -> Iterator[str]:
    whose = f" of {mask.user}" if mask.user else ""
    unit = f"{host} {mask.unit}" + (f" --user {mask.user}" if mask.user else "")
    ran = "; it ran before" if mask.ran else ""
    yield (
        f"{host}: {mask.unit}{whose} was masked ({mask.layer}) for request {mask.request or '?'}, "
        f"which is not in the database{ran}"
    )
    adopt = "" if mask.user else f", and `maskbot mask {unit} --adopt --for 7d WHY` gives it an expiry"
    yield f"  If it was to expire, it no longer does. `maskbot unmask {unit}` undoes it{adopt}, both with approval"
    yield f"  `journalctl -u {mask.unit}` there says who asked, why, and until when"
