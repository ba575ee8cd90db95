"""Files laid out on disk by company and client, so that they can be judged whole before anything is written."""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from types import TracebackType
from typing import BinaryIO, Self, TypeAlias, final

import orjson
from attrs import define, evolve, field, frozen

from portal_adapters.records.helpers import Helpers
from portal_adapters.records.newcomers import Account
from portal_adapters.records.outlines import Owner, load_outline
from portal_adapters.records.preparing import PLACES, Ready, forms_of, prepare
from portal_adapters.records.reading import read_line
from portal_core.domain.errors import InvalidInput, Refusal
from portal_core.domain.ids import ClientId, CompanyId, InvoiceId
from portal_core.domain.money import CURRENCIES, Currency
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Newcomer, Pack, Packed
from portal_core.use_cases.records import Change, Deletion, Outline, OutlinedChange, Upsert

LONGEST_LINE = 32 * 1024 * 1024
MOST_PROBLEMS = 100
"""How many problems are told; the others are counted."""

_BATCH = 500

_WORTH_ASKING = 8
"""A file whose first batches, so many, hold nothing that is known is not compared with what is kept any further."""

_BOM = b"\xef\xbb\xbf"
_TYPES = tuple(RecordType)

Progress: TypeAlias = Callable[[str, int], None]
"""Is told what is being done, "reading" say, and how many records of it are done."""


@frozen(kw_only=True)
class LineProblem:
    """What is wrong, and where: the file, the line (None: in no line of these files), the field as a JSON pointer."""

    file: str
    line: int | None
    pointer: str
    detail: str

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        return f"{self.file}{line}: {self.pointer + ': ' if self.pointer else ''}{self.detail}"


@define
class Problems:
    """The first problems, in the order of being found, and how many there are in all."""

    told: list[LineProblem] = field(factory=list[LineProblem])
    total: int = 0
    most: int = MOST_PROBLEMS

    def add(self, problem: LineProblem) -> None:
        """Take note of a problem."""
        self.total += 1
        if len(self.told) < self.most:
            self.told.append(problem)

    def add_each(self, problems: Iterable[LineProblem]) -> None:
        """Take note of some problems."""
        for problem in problems:
            self.add(problem)

    def add_all(self, others: "Problems") -> None:
        """Take note of what was found elsewhere."""
        self.told += others.told[: self.most - len(self.told)]
        self.total += others.total


class FileRefused(Refusal):
    """The files hold something wrong, and nothing of them was kept."""

    code = "file_refused"

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join(map(str, problems.told[:10])))
        self.problems = tuple(problems.told)
        self.total = problems.total


@frozen
class ClientShare:
    """How many of the records are one client's."""

    company_id: CompanyId
    client_id: ClientId
    count: int


@frozen(kw_only=True)
class StagedLine:
    """One line by itself. A deletion of what is not kept has no client, nor has a company's record."""

    line: int
    ref: RecordRef
    client_id: ClientId | None
    change: OutlinedChange


NumberedLine: TypeAlias = tuple[int, bytes]

Recognise: TypeAlias = Callable[[Sequence[bytes]], Sequence[Ready | None]]
"""Returns those of some lines ready to be staged, but for outline and form, that are kept just as they are."""

Where: TypeAlias = tuple[str, int]
"""A file and a line of it."""


@final
class Staging:
    """A temporary SQLite file of the lines that were read, gone with the block that it is made for.

    Several threads may use it, one after the other.
    """

    def __init__(self, pack: Pack | None = None) -> None:
        self._pack = pack
        # SQLite's own kind of temporary file: it has no name, so that nothing is left of it however this process ends.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._files: list[str] = []
        self._done = 0
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def read(
        self,
        name: str,
        file: BinaryIO,
        problems: Problems,
        progress: Progress,
        helpers: Helpers | None = None,
        recognise: Recognise | None = None,
    ) -> None:
        """Stage the lines of a file, and take note of what is wrong with any."""
        self._files.append(name)
        place = len(self._files) - 1
        lines = _lines_of(name, file)
        self._database.execute("BEGIN")
        unknown = lines if recognise is None else self._unknown(lines, place, progress, recognise)
        reading = partial(prepare, pack=self._pack)
        for batch, ready in (helpers or Helpers()).done(reading, _batches(unknown), _texts_of):
            rows: list[tuple[object, ...]] = []
            for (number, text), each in zip(batch, ready, strict=True):
                if isinstance(each, list):
                    for pointer, detail in each:
                        problems.add(LineProblem(file=name, line=number, pointer=pointer, detail=detail))
                else:
                    rows.append((*each, place, number, text, False))
            self._database.executemany(_INSERT, rows)
            self._done += len(rows)
            progress("reading", self._done)
        self._database.execute("COMMIT")

    def _unknown(
        self, lines: Iterator[NumberedLine], place: int, progress: Progress, recognise: Recognise
    ) -> Iterator[NumberedLine]:
        """Yield the lines that are not kept as they are, and stage the others; a file that begins new is all new."""
        is_new = True
        for asked, batch in enumerate(_batches(lines), start=1):
            found = recognise([text for _, text in batch])
            rows = [(*known, place, *line, True) for line, known in zip(batch, found, strict=True) if known is not None]
            self._database.executemany(_INSERT, rows)
            self._done += len(rows)
            progress("reading", self._done)
            yield from (line for line, known in zip(batch, found, strict=True) if known is None)
            is_new = is_new and not rows
            if is_new and asked == _WORTH_ASKING:
                break
        yield from lines

    def index(self, problems: Problems) -> None:
        """Make the lines ready to be looked up; take note of records that come more than once."""
        self._database.executescript(_INDEXES)
        kind: int
        for company, kind, record_id, lines in self._database.execute(_REPEATED):
            places: list[tuple[int, int]] = orjson.loads(lines)
            (file, first), *others = places
            for again, line in others:
                detail = f"{_TYPES[kind].value} {record_id!r} of company {company!r} comes before, in line {first}"
                where = "" if file == again else f" of {self._files[file]}"
                problems.add(LineProblem(file=self._files[again], line=line, pointer="/id", detail=detail + where))

    def count(self) -> int:
        """Return how many records are to be judged."""
        count: int = self._database.execute(_COUNT).fetchone()[0]
        return count

    def count_clients(self) -> int:
        """Return how many clients there are records to be judged of."""
        count: int = self._database.execute(_COUNT_CLIENTS).fetchone()[0]
        return count

    def passed_over(self) -> Mapping[RecordType, int]:
        """Return how many records of each type are not to be judged, since every line of their clients is known."""
        return {_TYPES[place]: count for place, count in self._database.execute(_COUNT_PASSED_OVER)}

    def company_ids(self) -> list[CompanyId]:
        """Return the companies that any record is of."""
        return [CompanyId(each) for (each,) in self._database.execute("SELECT DISTINCT company FROM record ORDER BY 1")]

    def clients(self) -> Generator[ClientShare]:
        """Yield whose records there are to be judged, by company and client: not those of whom every line is known."""
        with closing(self._database.cursor()) as cursor:
            for company, client, count in cursor.execute(_CLIENTS):
                yield ClientShare(CompanyId(company), ClientId(client), count)

    def company(self, company_id: CompanyId) -> Change | None:
        """Return the record of a company itself, if there is one."""
        place = PLACES[RecordType.COMPANY]
        row = self._database.execute(_ONE, (company_id, place, company_id)).fetchone()
        return None if row is None else read_line(row[0]).change

    def refuse_others(self, company_id: CompanyId, problems: Problems) -> None:
        """Take note of the lines that are another company's."""
        file: int
        for file, line in self._database.execute(_OF_OTHERS, (company_id,)):
            detail = f"is not the company {company_id!r} that this is for"
            problems.add(LineProblem(file=self._files[file], line=line, pointer="/company_id", detail=detail))

    def each(self) -> Iterator[StagedLine]:
        """Yield all lines by themselves, in their order, with what the store keeps of each."""
        with closing(self._database.cursor()) as cursor:
            for row in cursor.execute(_EACH):
                rowid, line, company, client, place, record_id, deleted, checksum, outline, form = row
                ref = _ref(place, record_id)
                if deleted:
                    change: OutlinedChange = Deletion(ref)
                elif client is None:
                    change = self._whole(rowid)
                else:
                    outlined = load_outline(outline, ref.type, record_id, (company, client))
                    change = Outline(ref, partial(self._whole, rowid), *outlined, checksum, form)
                yield StagedLine(line=line, ref=ref, client_id=client, change=change)

    def forget(self, line: int | None) -> None:
        """Pass a line over; it is of the only file."""
        self._database.execute("DELETE FROM record WHERE line = ?", (line,))

    def outlines(self, share: ClientShare, *, keeping: bool) -> Iterator[Outline | Deletion]:
        """Yield one client's records in the order of the files; with what the store keeps, if they are to be kept."""
        owner = share.company_id, share.client_id
        with closing(self._database.cursor()) as cursor:
            for row in cursor.execute(_OUTLINES_TO_KEEP if keeping else _OUTLINES, owner):
                rowid, place, record_id, deleted, checksum, outline, known, form = row
                ref = _ref(place, record_id)
                if deleted:
                    yield Deletion(ref)
                    continue
                if known:
                    read = self._whole(rowid, with_lines=False).outline()
                    yield evolve(read, whole=partial(self._whole, rowid), checksum=checksum)
                    continue
                outlined = load_outline(outline, ref.type, record_id, owner)
                yield Outline(ref, partial(self._whole, rowid), *outlined, checksum, form)

    def account(self, share: ClientShare) -> Account | None:
        """Return the outlines of one client's records; nothing where it can be no newcomer to the store."""
        rows = self._database.execute(_ACCOUNT, (share.company_id, share.client_id)).fetchall()
        if any(passed_over for *_, passed_over in rows):
            return None
        return share.company_id, share.client_id, [(place, own_id, outline) for place, own_id, outline, _ in rows]

    def keep_settled(self, settled: Mapping[Owner, bytes]) -> None:
        """Keep what follows from the records of some newcomers."""
        self._database.executemany(_KEEP_SETTLED, ((*owner, form) for owner, form in settled.items()))

    def newcomer(self, share: ClientShare) -> Newcomer | None:
        """Return a client with all of its records packed, if it was judged as a newcomer."""
        owner = share.company_id, share.client_id
        settled = self._database.execute(_SETTLED, owner).fetchone()
        if settled is None:
            return None
        facts = [
            Packed(ref=_ref(place, own_id), form=form, checksum=checksum, is_new=True)
            for place, own_id, checksum, form in self._database.execute(_PACKED, owner)
        ]
        return Newcomer(client_id=share.client_id, facts=facts, settled=settled[0])

    def _whole(self, rowid: int, *, with_lines: bool = True) -> Upsert:
        text, units = self._database.execute(_WHOLE, (rowid,)).fetchone()
        change = read_line(text, _units_of(units), whole=with_lines).change
        assert isinstance(change, Upsert)  # noqa: S101 - a deletion has no outline
        return change

    def first_line(self, company_id: CompanyId) -> Where:
        """Return where the first record of a company is."""
        return self._place(*self._database.execute(_FIRST, (company_id,)).fetchone())

    def first_upsert(self, company_id: CompanyId) -> Where | None:
        """Return where the first record of a company is that needs the company to be there, if there is any."""
        found = self._database.execute(_FIRST_UPSERT, (company_id, PLACES[RecordType.COMPANY])).fetchone()
        return None if found is None else self._place(*found)

    def leaving_clients(self, company_id: CompanyId) -> set[ClientId]:
        """Return the clients of a company that are to be deleted."""
        place = PLACES[RecordType.CLIENT]
        return {ClientId(each) for (each,) in self._database.execute(_LEAVING, (company_id, place))}

    def line_of(self, company_id: CompanyId, ref: RecordRef) -> Where | None:
        """Return where a record is, or nothing if it is in none of the files."""
        found = self._database.execute(_WHERE, (company_id, PLACES[ref.type], ref.id)).fetchone()
        return None if found is None else self._place(*found)

    def deletions(self, company_id: CompanyId) -> Iterator[Sequence[RecordRef]]:
        """Yield the documents of a company that are to be deleted, and of which it is not known whose they are."""
        rows = self._database.execute(_DELETIONS, (company_id, PLACES[RecordType.COMPANY])).fetchall()
        for start in range(0, len(rows), _BATCH):
            yield [_ref(*each) for each in rows[start : start + _BATCH]]

    def give(self, company_id: CompanyId, ref: RecordRef, client_id: ClientId) -> None:
        """Note whose record a deletion is of."""
        self._database.execute(_GIVE, (client_id, company_id, PLACES[ref.type], ref.id))

    def waiting(self, company_id: CompanyId) -> Iterator[tuple[str, Sequence[InvoiceId]]]:
        """Yield the payments of a company that can be read only once the currencies of some invoices are known."""
        for payment_id, text in self._database.execute(_WAITING, (company_id,)).fetchall():
            yield payment_id, [invoice_id for _, invoice_id in read_line(text).waits_for]

    def unit_of(self, company_id: CompanyId, invoice_id: InvoiceId) -> Currency | None:
        """Return the currency of an invoice in these files, or nothing if it is in none of them."""
        place = PLACES[RecordType.INVOICE]
        found = self._database.execute(_UNIT, (company_id, place, invoice_id)).fetchone()
        return None if found is None or found[0] is None else CURRENCIES[found[0]]

    def settle_units(
        self, company_id: CompanyId, payment_id: str, units: dict[InvoiceId, Currency], problems: Problems
    ) -> None:
        """Read a payment again with the currencies that it waited for, and take note of what is wrong with it.

        An invoice without a currency is one that there is none of.
        """
        place = PLACES[RecordType.PAYMENT]
        text, *where = self._database.execute(_LOCATED, (company_id, place, payment_id)).fetchone()
        file, line = self._place(*where)
        try:
            read, outline, form = forms_of(text, units, self._pack)
        except InvalidInput as wrong:
            for each in wrong.problems:
                problems.add(LineProblem(file=file, line=line, pointer=each.pointer or "", detail=each.detail))
            return
        for index, invoice_id in read.waits_for:
            pointer, detail = f"/allocations/{index}/invoice_id", f"the client has no invoice {invoice_id!r}"
            problems.add(LineProblem(file=file, line=line, pointer=pointer, detail=detail))
        kept = orjson.dumps({each: unit.code for each, unit in units.items()})
        self._database.execute(_SETTLE, (kept, outline, form, company_id, place, payment_id))

    def _place(self, file: int, line: int) -> Where:
        return self._files[file], line


def _ref(place: int, record_id: str) -> RecordRef:
    return RecordRef(_TYPES[place], record_id)


def _units_of(kept: bytes | None) -> dict[InvoiceId, Currency]:
    if kept is None:
        return {}
    codes: dict[InvoiceId, str] = orjson.loads(kept)
    return {invoice_id: CURRENCIES[code] for invoice_id, code in codes.items()}


def _batches(lines: Iterator[NumberedLine]) -> Iterator[Sequence[NumberedLine]]:
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _texts_of(batch: Sequence[NumberedLine]) -> list[bytes]:
    return [text for _, text in batch]


def _lines_of(name: str, file: BinaryIO) -> Iterator[NumberedLine]:
    """Yield the lines that hold anything, each with its number."""
    for number, text in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), start=1):
        if len(text) > LONGEST_LINE:
            raise FileRefused(_too_long(name, number))
        bare = (text.removeprefix(_BOM) if number == 1 else text).strip(b" \t\r\n")
        if bare:
            yield number, bare


def _too_long(name: str, number: int) -> Problems:
    problems = Problems()
    detail = f"has more than {LONGEST_LINE:,} bytes: one record makes one line"
    problems.add(LineProblem(file=name, line=number, pointer="", detail=detail))
    return problems


def staged(
    staging: Staging,
    files: Iterable[tuple[str, BinaryIO]],
    problems: Problems,
    progress: Progress,
    helpers: Helpers | None = None,
    recognise: Recognise | None = None,
) -> None:
    """Stage all files; refuse with FileRefused when the form of any line is wrong."""
    for name, file in files:
        staging.read(name, file, problems, progress, helpers, recognise)
    staging.index(problems)
    if problems.total:
        raise FileRefused(problems)


# A row is about 1.4 kB: pages that hold a few dozen are filled, written and looked through with less work.
_SCHEMA = """
PRAGMA page_size = 32768;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32000;
CREATE TABLE record (
    company TEXT NOT NULL, client TEXT, type INTEGER NOT NULL, id TEXT NOT NULL,
    deleted INTEGER NOT NULL, unit TEXT, waiting INTEGER NOT NULL, checksum TEXT NOT NULL, outline BLOB, form BLOB,
    file INTEGER NOT NULL, line INTEGER NOT NULL, text BLOB NOT NULL, units BLOB, known INTEGER NOT NULL
);
CREATE TABLE newcomer (
    company TEXT NOT NULL, client TEXT NOT NULL, settled BLOB NOT NULL, PRIMARY KEY (company, client)
);
CREATE INDEX deletions ON record (company) WHERE deleted;
CREATE INDEX waiting ON record (company) WHERE waiting;
"""
_INDEXES = """
CREATE INDEX by_id ON record (company, type, id, file, line);
CREATE INDEX by_client ON record (company, client, file, line, known);
"""
_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)"
_REPEATED = """
SELECT company, type, id, json_group_array(json_array(file, line)) FROM
    (SELECT company, type, id, file, line FROM
        (SELECT company, type, id FROM record GROUP BY company, type, id HAVING count(*) > 1)
        JOIN record USING (company, type, id)
    ORDER BY company, type, id, file, line)
GROUP BY company, type, id
"""
_BY_CLIENT = """
SELECT company, client, count(*) AS records, min(known) AS passed_over FROM record WHERE client IS NOT NULL
GROUP BY company, client
"""
_CLIENTS = f"SELECT company, client, records FROM ({_BY_CLIENT}) WHERE NOT passed_over ORDER BY company, client"  # noqa: S608 - of constants alone, and so are those below
_COUNT_CLIENTS = f"SELECT count(*) FROM ({_CLIENTS})"  # noqa: S608
_PASSED_OVER = f"SELECT company, client, records FROM ({_BY_CLIENT}) WHERE passed_over"  # noqa: S608
_COUNT = f"SELECT count(*) - (SELECT coalesce(sum(records), 0) FROM ({_PASSED_OVER})) FROM record"  # noqa: S608
_COUNT_PASSED_OVER = f"""
SELECT type, count(*) FROM record WHERE (company, client) IN (SELECT company, client FROM ({_PASSED_OVER}))
GROUP BY type
"""  # noqa: S608
_ONE = "SELECT text FROM record WHERE company = ? AND type = ? AND id = ?"
_OUTLINES, _OUTLINES_TO_KEEP = (
    f"""
    SELECT rowid, type, id, deleted, checksum, outline, known, {form} FROM record WHERE company = ? AND client = ?
    ORDER BY file, line
    """  # noqa: S608
    for form in ("NULL", "form")
)
_ACCOUNT = """
SELECT type, id, outline, deleted OR known OR form IS NULL FROM record WHERE company = ? AND client = ?
ORDER BY file, line
"""
_KEEP_SETTLED = "INSERT INTO newcomer VALUES (?, ?, ?)"
_SETTLED = "SELECT settled FROM newcomer WHERE company = ? AND client = ?"
_PACKED = "SELECT type, id, checksum, form FROM record WHERE company = ? AND client = ? ORDER BY file, line"
_WHOLE = "SELECT text, units FROM record WHERE rowid = ?"
_FIRST = "SELECT file, line FROM record WHERE company = ? ORDER BY file, line LIMIT 1"
_FIRST_UPSERT = """
SELECT file, line FROM record WHERE company = ? AND type > ? AND NOT deleted ORDER BY file, line LIMIT 1
"""
_OF_OTHERS = "SELECT file, line FROM record WHERE company <> ? ORDER BY file, line"
_EACH = """
SELECT rowid, line, company, client, type, id, deleted, checksum, outline, form FROM record ORDER BY file, line
"""
_LEAVING = "SELECT id FROM record WHERE company = ? AND type = ? AND deleted"
_WHERE = "SELECT file, line FROM record WHERE company = ? AND type = ? AND id = ?"
_DELETIONS = "SELECT type, id FROM record WHERE company = ? AND deleted AND type > ? AND client IS NULL"
_GIVE = "UPDATE record SET client = ? WHERE company = ? AND type = ? AND id = ?"
_WAITING = "SELECT id, text FROM record WHERE company = ? AND waiting"
_UNIT = "SELECT unit FROM record WHERE company = ? AND type = ? AND id = ?"
_SETTLE = "UPDATE record SET units = ?, outline = ?, form = ? WHERE company = ? AND type = ? AND id = ?"
_LOCATED = "SELECT text, file, line FROM record WHERE company = ? AND type = ? AND id = ?"
