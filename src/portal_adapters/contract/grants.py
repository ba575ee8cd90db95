"""Grants and the links that open them."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    COMPANY,
    NOW,
    OTHER_COMPANY,
    a_client,
    a_company,
    a_grant,
    a_secret,
    a_token,
    moment,
)
from portal_adapters.contract.feeding import prepare
from portal_core.domain.access import Grant, Permission, Use, Visit
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import GrantId
from portal_core.domain.paging import Listing
from portal_core.domain.tokens import digest_of, hint_of
from portal_core.ports import Store, Transactions

TWO_SECRETS = a_grant("G1", expires_at=moment(10), secrets=(a_secret(1, dies_at=moment(5)), a_secret(2)))


class GrantsContract:
    """Who may come in, and until when."""

    @pytest.mark.parametrize("seed", [1, 2])
    def test_a_living_secret_opens_its_grant(self, transactions: Transactions, seed: int) -> None:
        _grant(transactions, TWO_SECRETS)

        with transactions.begin() as store:
            visit = _open(store, seed)

        assert visit is not None
        assert visit == Visit(
            grant=evolve(TWO_SECRETS, secrets=visit.grant.secrets),
            company=a_company(),
            client=a_client(),
            secret_hint=hint_of(a_token(seed)),
        )

    @pytest.mark.parametrize("second, opens", [(-1, [True, True]), (5, [False, True]), (10, [False, False])])
    def test_a_secret_dies_at_its_moment_and_a_grant_at_its_end(
        self, transactions: Transactions, second: int, opens: list[bool]
    ) -> None:
        _grant(transactions, TWO_SECRETS)

        with transactions.begin() as store:
            at = [_open(store, seed, at=moment(second)) for seed in (1, 2)]
            just_before = [_open(store, seed, at=moment(second) - timedelta(microseconds=1)) for seed in (1, 2)]

        assert [each is not None for each in at] == opens
        assert [each is not None for each in just_before] == [second <= 5, True]

    def test_an_unknown_digest_opens_nothing(self, transactions: Transactions) -> None:
        _grant(transactions, TWO_SECRETS)

        with transactions.begin() as store:
            assert _open(store, 3) is None
            assert store.links.open(b"", at=NOW) is None

    def test_a_revoked_grant_opens_nothing_at_once(self, transactions: Transactions) -> None:
        _grant(transactions, TWO_SECRETS)

        with transactions.begin() as store:
            store.grants.update(TWO_SECRETS.revoke(at=moment(1)))

        with transactions.begin() as store:
            assert [_open(store, seed) for seed in (1, 2)] == [None, None]

    def test_a_link_shows_its_company_and_client_as_they_are_now(self, transactions: Transactions) -> None:
        _grant(transactions, TWO_SECRETS)
        prepare(transactions, a_company(name="New name"), a_client(name="New client"))

        with transactions.begin() as store:
            visit = _open(store, 2)

        assert visit is not None
        assert (visit.company.name, visit.client.name) == ("New name", "New client")

    def test_a_rotated_grant_opens_by_its_new_secret_and_by_the_old_until_it_dies(
        self, transactions: Transactions
    ) -> None:
        grant = a_grant(secrets=(a_secret(1),))
        _grant(transactions, grant)

        with transactions.begin() as store:
            rotated = grant.rotate(a_secret(2), others_die_at=moment(60))
            assert store.grants.update(rotated)

        with transactions.begin() as store:
            assert store.grants.get(COMPANY, grant.id) == evolve(rotated, version=2)
            assert [_open(store, seed, at=moment(59)) is not None for seed in (1, 2)] == [True, True]
            assert [_open(store, seed, at=moment(60)) is not None for seed in (1, 2)] == [False, True]

    def test_a_secret_that_is_left_out_is_forgotten(self, transactions: Transactions) -> None:
        _grant(transactions, TWO_SECRETS)

        with transactions.begin() as store:
            store.grants.update(evolve(TWO_SECRETS, secrets=TWO_SECRETS.secrets[1:]))

        with transactions.begin() as store:
            assert [_open(store, seed) is not None for seed in (1, 2)] == [False, True]

    def test_an_update_replaces_the_grant_and_raises_its_version(self, transactions: Transactions) -> None:
        _grant(transactions, a_grant(label="before"))
        changed = a_grant(
            label="after",
            permissions=frozenset({Permission.VIEW_ORDERS}),
            documents=frozenset(),
            expires_at=moment(3),
        )

        with transactions.begin() as store:
            updated = store.grants.update(changed)

        with transactions.begin() as store:
            assert updated
            assert store.grants.get(COMPANY, changed.id) == evolve(changed, version=2)
            assert _grants(store) == [evolve(changed, version=2)]

    def test_an_update_of_another_version_changes_nothing(self, transactions: Transactions) -> None:
        grant = a_grant(secrets=(a_secret(1),))
        _grant(transactions, grant)
        with transactions.begin() as store:
            assert store.grants.update(grant)

        with transactions.begin() as store:
            stale = [
                store.grants.update(evolve(grant, label="stale", secrets=(a_secret(2),), version=version))
                for version in (1, 3)
            ]

        with transactions.begin() as store:
            assert stale == [False, False]
            assert store.grants.get(COMPANY, grant.id) == evolve(grant, version=2)
            assert [_open(store, seed) is not None for seed in (1, 2)] == [True, False]

    def test_an_update_of_an_unknown_or_another_companys_grant_changes_nothing(
        self, transactions: Transactions
    ) -> None:
        _grant(transactions, a_grant("G1"))

        with transactions.begin() as store:
            unknown = store.grants.update(a_grant("G2"))
            theirs = store.grants.update(evolve(a_grant("G1"), company_id=OTHER_COMPANY, label="stolen"))

        with transactions.begin() as store:
            assert (unknown, theirs) == (False, False)
            assert _grants(store) == [a_grant("G1")]

    def test_the_latest_use_is_noted_without_a_new_version(self, transactions: Transactions) -> None:
        _grant(transactions, a_grant())

        noted: list[Grant | None] = []
        for used_at in (moment(5), moment(3), moment(9)):
            with transactions.begin() as store:
                store.links.touch(
                    [
                        Use(COMPANY, a_grant().id, used_at),
                        Use(OTHER_COMPANY, a_grant().id, moment(99)),
                        Use(COMPANY, GrantId("unknown"), moment(99)),
                    ]
                )
            with transactions.begin() as store:
                noted.append(store.grants.get(COMPANY, a_grant().id))

        assert noted == [a_grant(last_used_at=moment(second)) for second in (5, 5, 9)]

    def test_of_several_uses_that_are_noted_together_the_latest_counts_whatever_their_order(
        self, transactions: Transactions
    ) -> None:
        _grant(transactions, a_grant())
        with transactions.begin() as store:
            store.grants.add(a_grant("G2", secrets=()))

        with transactions.begin() as store:
            seconds = {a_grant().id: (5, 9, 3), GrantId("G2"): (2, 1)}
            store.links.touch([Use(COMPANY, each, moment(at)) for each, all_of in seconds.items() for at in all_of])
            store.links.touch([])

        with transactions.begin() as store:
            found = {grant.id: grant.last_used_at for grant in _grants(store)}
            assert found == {a_grant().id: moment(9), GrantId("G2"): moment(2)}

    def test_an_update_does_not_forget_a_use_that_came_between(self, transactions: Transactions) -> None:
        _grant(transactions, a_grant())
        with transactions.begin() as store:
            store.links.touch([Use(COMPANY, a_grant().id, moment(5))])

        with transactions.begin() as store:
            store.grants.update(a_grant(label="changed"))

        with transactions.begin() as store:
            assert _grants(store) == [a_grant(label="changed", last_used_at=moment(5), version=2)]

    def test_secrets_stay_in_their_order(self, transactions: Transactions) -> None:
        secrets = tuple(a_secret(seed) for seed in (9, 2, 5, 1))
        _grant(transactions, a_grant(secrets=secrets))

        with transactions.begin() as store:
            assert [grant.secrets for grant in _grants(store)] == [secrets]


def _grant(transactions: Transactions, grant: Grant) -> None:
    prepare(transactions)
    with transactions.begin() as store:
        store.grants.add(grant)


def _open(store: Store, seed: int, *, at: datetime = NOW) -> Visit | None:
    return store.links.open(digest_of(a_token(seed)), at=at)


def _grants(store: Store) -> list[Grant]:
    return list(store.grants.page(COMPANY, Listing(sort="created_at"), GrantFilter(), at=NOW).items)
