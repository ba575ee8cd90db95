"""From a request to the page that answers it: every check, in the order of the contract."""

import re
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, final
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

from portal_core.domain.access import Visit
from portal_core.domain.errors import AlreadyDecided, DeadLink, InvalidInput, MovedOn, NotOpen, Refusal
from portal_core.domain.tokens import digest_of, is_token
from portal_core.ports import Glance, Store
from portal_core.use_cases.access import open_link
from portal_http.answers import NOSNIFF, Answer, Header
from portal_http.errors import PROBLEM, MethodNotAllowed, refused, status_of
from portal_http.incoming import Incoming
from portal_http.pages import PREFIX, theme
from portal_http.pages.asked import Asked, html, query_of
from portal_http.pages.forms import read_body, read_form
from portal_http.pages.languages import Languages, spoken_in
from portal_http.pages.origin import require_own_form
from portal_http.pages.refusals import words_for
from portal_http.pages.rendering import Look, Templates
from portal_http.pages.routes import Route, route_of
from portal_http.pages.static_files import STATIC, static_file
from portal_http.pages.views.display import LANGUAGE, SCHEME
from portal_http.pages.voice import Voice, voice_of
from portal_http.rate_limiting import Budgets
from portal_http.services import Services

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

FIELDS: tuple[Header, ...] = (
    (b"cache-control", b"private, no-store"),
    (b"referrer-policy", b"same-origin"),
    (b"x-robots-tag", b"noindex"),
    (b"content-security-policy", POLICY.encode()),
    NOSNIFF,
)
"""The fields of every page."""

_AGAIN = (AlreadyDecided, InvalidInput, MovedOn, NotOpen)
_COOKIES = {
    SCHEME: re.compile(rf"(?:^|;\s*){SCHEME}=(light|dark)(?:;|$)"),
    LANGUAGE: re.compile(rf"(?:^|;\s*){LANGUAGE}=([a-z]{{2,3}})(?:;|$)"),
}
_READING = frozenset({"GET", "HEAD"})


@final
@frozen(eq=False)
class Pages:
    """The pages of the portal, as one function from a request to an answer."""

    services: Services
    templates: Templates
    languages: Languages

    async def answer(self, request: Incoming, *, root: str = "") -> Answer:
        """Return the answer to a request for a path under `/p`; `root` is where the portal is mounted."""
        try:
            request.require_host(self.services.options.allowed_hosts)
            token, *parts = request.path.removeprefix(PREFIX).strip("/").split("/")
            if token == STATIC:
                return static_file(request, parts)
            route = route_of(parts)
            if request.method not in route.views:
                raise MethodNotAllowed(", ".join(route.views))
            return await self._answer_visitor(request, f"{root}{PREFIX}", token, route)
        except Refusal as refusal:
            return self.refuse(request, refusal, root=root)

    def refuse(self, request: Incoming, refusal: Refusal, *, root: str = "") -> Answer:
        """Return the page for who has no link that works: it tells nothing of anybody."""
        voice = self._voice(request, None, ZoneInfo("UTC"))
        look = _look(request, f"{root}{PREFIX}", theme.PLAIN_ACCENT, self.languages)
        support = self.services.options.support_text
        content = {"look": look, "words": words_for(refusal), "support": support}
        return _with_fields(_refused(self.templates.render("outside.html", voice=voice, **content), refusal))

    async def _answer_visitor(self, request: Incoming, base: str, token: str, route: Route) -> Answer:
        now = self.services.clock()
        budgets = Budgets(self.services.limits, self.services.options)
        visit, seen = await self._enter(request, budgets, token, route, now)
        asked = self._asked(request, visit, seen, f"{base}/{token}", now)
        spent: list[Header] = []
        try:
            if not route.free:
                spent = await budgets.spend(visit.grant.id, writes=request.method not in _READING, now=now)
            answer = await self._view(request, asked, route)
        except Refusal as refusal:
            answer = _refused(asked.rendered("refused.html", words=words_for(refusal)), refusal)
        answer.headers += spent
        answer.afterwards = partial(self.services.uses.note, visit, now)
        return _with_fields(answer)

    async def _enter(
        self, request: Incoming, budgets: Budgets, token: str, route: Route, now: datetime
    ) -> tuple[Visit, Any]:
        """Return the visit that a token opens, and what the route sees or reads together with the link."""

        def enter(store: Store) -> tuple[Visit, Any]:
            visit, seen = open_link(store, token=token, now=now), None
            # What is refused is read again by the page, which knows how to tell whoever holds the link.
            with suppress(Refusal):
                seen = None if route.read is None else route.read(store, visit, now)
            return visit, seen

        try:
            glance = await self._glance(token, route, now)
            return await self.services.runner.read(enter) if glance is None else (glance.visit, glance.seen)
        except DeadLink:
            await budgets.count_guess(request.address(self.services.trusted))
            raise

    async def _glance(self, token: str, route: Route, now: datetime) -> Glance[Any] | None:
        """Return what can be seen of a page at once, or nothing: then a link is opened as it always is."""
        glances = self.services.glances
        if glances is None or route.look is None or not is_token(token):
            return None
        return await route.look(glances, digest_of(token), now)

    async def _view(self, request: Incoming, asked: Asked, route: Route) -> Answer:
        if request.method not in _READING:
            require_own_form(request, self.services.options.public_url)
            asked.visit.grant.require(*route.needs, at=asked.now)
            asked = evolve(
                asked,
                form=read_form(await read_body(request, most=route.most)),
                query={},
                ip=request.address(self.services.trusted),
                user_agent=request.user_agent(),
            )
        try:
            return await route.views[request.method](asked, route.document_id)
        except _AGAIN as refusal:
            if route.show is None:
                raise
            return await route.show(evolve(asked, refusal=refusal), route.document_id)

    def _asked(self, request: Incoming, visit: Visit, seen: object, link: str, now: datetime) -> Asked:
        accent = theme.accent_of(visit.company.accent_colour)
        return Asked(
            visit=visit,
            now=now,
            runner=self.services.runner,
            templates=self.templates,
            look=_look(request, link.rpartition("/")[0], accent, self.languages),
            voice=self._voice(request, visit, visit.company.timezone),
            link=link,
            shop=self.services.shop,
            here=request.path.removeprefix(PREFIX).strip("/").partition("/")[2],
            query=query_of(request.query_string),
            signer=self.services.receipts,
            keys_address=self.services.options.keys_address,
            seen=seen,
        )

    def _voice(self, request: Incoming, visit: Visit | None, zone: ZoneInfo) -> Voice:
        accepted = ",".join(request.fields(b"accept-language"))
        return voice_of(self.languages, visit, accepted, zone, chosen=_chosen(request, LANGUAGE))


def _look(request: Incoming, base: str, accent: str, languages: Languages) -> Look:
    return Look(
        stylesheet=f"{base}/{STATIC}/{theme.address('css', accent)}",
        icon=f"{base}/{STATIC}/{theme.address('svg', accent)}",
        scheme=_chosen(request, SCHEME),
        languages=spoken_in(languages),
    )


def _chosen(request: Incoming, cookie: str) -> str | None:
    found = _COOKIES[cookie].search("; ".join(request.fields(b"cookie")))
    return None if found is None else found[1]


def _refused(page: str, refusal: Refusal) -> Answer:
    fields = tuple(each for each in refused(refusal).headers if each != PROBLEM)
    return html(page, status=status_of(type(refusal)).code, headers=fields)


def _with_fields(answer: Answer) -> Answer:
    answer.headers += FIELDS
    return answer
