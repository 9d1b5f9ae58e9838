"""catalog.download: the rows a hospital needs to map its own items."""

from gateway.domain.commands import DownloadCatalogue
from gateway.domain.findings import Finding
from gateway.domain.results import CataloguePage
from gateway.flows.desk import Caller, Desk
from gateway.flows.line_codes import editions_of
from gateway.flows.plan import Plan, answered, refused
from gateway.rules.place import catalogue_regions

_PAGE = 500  # rows of one reply: it stays far below the largest message


async def download_catalogue(desk: Desk, caller: Caller, command: DownloadCatalogue) -> Plan:
    """At most 500 rows of the edition in force on the day, in order of code, of the catalogue by
    which the caller's bills are computed."""
    regions = catalogue_regions(caller.party, desk.policy)
    async with desk.database.reading() as reader:
        editions = await editions_of(desk, reader, [command.day], regions)
    edition = next((one for one in editions if one.kind is command.kind), None)
    if edition is None:
        return refused(Finding("EDITION_NOT_FOUND", "Day", command.day.isoformat()))
    codes = sorted(code for code in edition.rows if code > command.after_code)
    page = CataloguePage(
        digest=edition.digest,
        valid_from=edition.valid_from,
        valid_to=edition.valid_to,
        rows=tuple(edition.rows[code] for code in codes[:_PAGE]),
        more=len(codes) > _PAGE,
    )
    return answered(page, subject=edition.digest, action="catalog.download")
