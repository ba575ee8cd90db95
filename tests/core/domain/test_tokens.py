import hashlib
import re
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.tokens import PATTERN, digest_of, hint_of, is_token, token_of

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase

randoms = st.binary(min_size=32, max_size=32)


def number_of(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + ALPHABET.index(digit)
    return number


def digits_of(number: int) -> str:
    return "".join(ALPHABET[number // 62**place % 62] for place in reversed(range(6)))


@given(randoms)
def test_a_token_is_a_prefix_the_random_bytes_and_their_checksum_in_base_62(secret: bytes) -> None:
    token = token_of(secret)

    prefix, body, checksum = token[:4], token[4:47], token[47:]

    assert prefix == "cpt_"
    assert number_of(body).to_bytes(32) == secret
    assert number_of(checksum) == zlib.crc32(body.encode())
    assert (len(body), len(checksum)) == (43, 6)


@given(randoms)
def test_every_token_is_recognised_and_found_by_scanners(secret: bytes) -> None:
    token = token_of(secret)

    found = re.search(PATTERN, f"see https://example.com/p/{token}/quotes")

    assert is_token(token)
    assert found is not None
    assert found.group() == token


@given(randoms, st.integers(4, 52), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_refused(secret: bytes, place: int, character: str) -> None:
    token = token_of(secret)

    typed = token[:place] + character + token[place + 1 :]

    assert is_token(typed) == (typed == token)


@given(randoms, st.integers(4, 51))
def test_two_neighbours_swapped_are_refused(secret: bytes, place: int) -> None:
    token = token_of(secret)

    typed = token[:place] + token[place + 1] + token[place] + token[place + 2 :]

    assert is_token(typed) == (typed == token)


@given(randoms, st.integers(0, 62**6 - 1))
def test_every_other_checksum_is_refused(secret: bytes, number: int) -> None:
    token = token_of(secret)

    forged = token[:-6] + digits_of(number)

    assert is_token(forged) == (forged == token)


@given(randoms, st.integers(1, 12))
def test_a_number_that_overflows_to_the_checksum_is_refused(secret: bytes, times: int) -> None:
    token = token_of(secret)
    checksum = number_of(token[-6:])

    forged = [token[:-6] + digits_of(checksum + times * 2**bits) for bits in (31, 32)]

    assert not any(map(is_token, forged))


@pytest.mark.parametrize("checksum", ["000000", digits_of(2**32), digits_of(2**32 - 1), digits_of(62**6 - 1)])
def test_a_checksum_is_that_of_its_body_and_no_number_at_the_edge(checksum: str) -> None:
    body = token_of(bytes(32))[:-6]

    assert not is_token(body + checksum)


@given(randoms, st.integers(-3, 6).filter(bool))
def test_a_checksum_in_more_or_fewer_digits_is_refused(secret: bytes, more: int) -> None:
    token = token_of(secret)

    padded = token[:-6] + token[-6:].rjust(6 + more, "0")[-6 - more :]

    assert not is_token(padded)


@given(st.text())
def test_other_text_is_no_token(text: str) -> None:
    found = is_token(text)

    assert not found


@pytest.mark.parametrize("around", ["{}\n", " {}", "{}x", "x{}", "Bearer {}", "{}{}"])
def test_what_surrounds_a_token_is_no_part_of_it(around: str) -> None:
    token = token_of(bytes(31) + b"\x01")

    typed = around.format(token, token)

    assert not is_token(typed)


def test_the_smallest_and_the_largest_have_the_same_length() -> None:
    smallest, largest = token_of(bytes(32)), token_of(b"\xff" * 32)

    lengths = len(smallest), len(largest)

    assert lengths == (53, 53)
    assert smallest.startswith("cpt_" + "0" * 43)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_token_is_made_of_32_bytes_and_no_other_number(length: int) -> None:
    secret = bytes(length)

    with pytest.raises(ValueError, match="32 random bytes"):
        token_of(secret)


def test_only_the_digest_and_the_last_four_characters_are_kept() -> None:
    token = token_of(bytes(range(32)))

    digest, hint = digest_of(token), hint_of(token)

    assert digest == hashlib.sha256(token.encode()).digest()
    assert hint == token[-4:]
