"""Where documents are asked for as PDF: a file that there is, else a paper that is printed now."""

from collections.abc import Callable
from datetime import date, datetime

from attrs import frozen

from portal_core.domain.access import DocumentRef, DocumentType, Visit
from portal_core.domain.errors import NotFound
from portal_core.domain.files import DocumentFile
from portal_core.domain.ids import DeliveryId, OrderId, QuoteId
from portal_core.domain.money import Currency
from portal_core.ports import Signer, Store
from portal_core.use_cases.deliveries import read_delivery
from portal_core.use_cases.orders import read_order
from portal_core.use_cases.quotes import read_quote
from portal_core.use_cases.receipts import read_decided, sign_receipt
from portal_core.use_cases.statement import read_statement
from portal_http.answers import Answer
from portal_http.files import pdf
from portal_http.pages.papers import delivery_paper, order_paper, quote_paper, receipt_paper, statement_paper
from portal_http.pages.voice import Voice
from portal_http.paper import Paper, require_printable
from portal_http.printing import PrintShop
from portal_http.whole_lists import Read


@frozen
class _Wanted:
    """A document as it was read: the name for its file, and either its file or what to print."""

    name: str
    paper: Callable[[], Paper]
    file: DocumentFile | None
    logo: bytes | None


@frozen(kw_only=True)
class Desk:
    """Serves one visitor. Without a shop nothing is printed, and only files that there are can be had."""

    read: Read
    visit: Visit
    now: datetime
    voice: Voice
    shop: PrintShop | None

    async def quote(self, quote_id: str) -> Answer:
        """Return a quote."""

        def look(store: Store) -> _Wanted:
            quote = read_quote(store, self.visit, QuoteId(quote_id), now=self.now)
            state = quote.state(self.visit.today(self.now))
            ref = DocumentRef(DocumentType.QUOTE, quote_id)
            name = f"quote-{quote.number}"
            return self._wanted(store, name, lambda: quote_paper(self.voice, self.visit, quote, state), ref)

        return await self._served(look)

    async def receipt(self, quote_id: str, signer: Signer, keys_address: str) -> Answer:
        """Return the receipt of the decision on a quote, with what is signed as a file in it."""

        def look(store: Store) -> _Wanted:
            decision = read_decided(store, self.visit, QuoteId(quote_id), now=self.now)
            signed = sign_receipt(decision, signer)
            name = f"receipt-{decision.quote_number}"
            return self._wanted(
                store, name, lambda: receipt_paper(self.voice, self.visit, decision, signed, keys_address)
            )

        return await self._served(look)

    async def order(self, order_id: str) -> Answer:
        """Return an order."""

        def look(store: Store) -> _Wanted:
            order = read_order(store, self.visit, OrderId(order_id), now=self.now).order
            ref = DocumentRef(DocumentType.ORDER, order_id)
            return self._wanted(store, f"order-{order.number}", lambda: order_paper(self.voice, self.visit, order), ref)

        return await self._served(look)

    async def delivery(self, delivery_id: str) -> Answer:
        """Return a delivery note."""

        def look(store: Store) -> _Wanted:
            view = read_delivery(store, self.visit, DeliveryId(delivery_id), now=self.now)
            ref = DocumentRef(DocumentType.DELIVERY, delivery_id)
            name = f"delivery-note-{view.delivery.number}"
            return self._wanted(store, name, lambda: delivery_paper(self.voice, self.visit, view), ref)

        return await self._served(look)

    async def statement(self, unit: Currency | None, since: date | None, until: date | None) -> Answer:
        """Return the statement of account of a period, in one currency or in each."""

        def look(store: Store) -> _Wanted:
            found = read_statement(store, self.visit, unit=unit, since=since, until=until, now=self.now)
            name = f"statement-{self.visit.today(self.now)}"
            return self._wanted(store, name, lambda: statement_paper(self.voice, self.visit, found))

        return await self._served(look)

    def _wanted(
        self, store: Store, name: str, paper: Callable[[], Paper], document: DocumentRef | None = None
    ) -> _Wanted:
        file = None if document is None else store.documents.find(self.visit.scope, document)
        wants_logo = file is None and self.shop is not None and self.visit.has_logo
        company = store.companies.get(self.visit.scope.company_id) if wants_logo else None
        return _Wanted(name, paper, file, None if company is None else company.logo)

    async def _served(self, look: Callable[[Store], _Wanted]) -> Answer:
        wanted = await self.read(look)
        if wanted.file is not None:
            return pdf(wanted.file.content, wanted.name, sha256=wanted.file.sha256)
        if self.shop is None:
            raise NotFound("There is no PDF of this here.")
        paper = wanted.paper()
        require_printable(paper)
        return pdf(await self.shop.print(paper, wanted.logo), wanted.name)
