"""No token reaches a log."""

import io
import logging
import logging.config
from collections.abc import Iterator

import pytest

from portal_adapters.contract.builders import a_token
from portal_http import redact
from tests.http.world import bearer

TOKEN = a_token(12345)


@pytest.fixture(params=["module", "class", "config"])
def log(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger(f"tests.redact.{request.param}")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    match request.param:
        case "module":
            handler.addFilter(redact)
        case "class":
            handler.addFilter(redact.TokenFilter())
        case _:
            made = logging.config.DictConfigurator({"version": 1})
            handler.addFilter(made.configure_filter({"()": "portal_http.redact.TokenFilter"}))
    yield logger, written
    logger.removeHandler(handler)


def test_tokens_are_taken_out_wherever_they_stand(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log

    logger.info("GET /p/%s/quotes %d", TOKEN, 200)
    logger.info("%(path)s", {"path": f"/view/{TOKEN}"})
    logger.info("mistyped %s, escaped %s", TOKEN[:-3], TOKEN.replace("_", "%5F"))
    logger.info("Authorization: Bearer %s", bearer())
    logger.info(ValueError(TOKEN))
    try:
        int(f"at {TOKEN}")
    except ValueError:
        logger.exception("failed", stack_info=True)

    text = written.getvalue()
    assert "cpt_" not in text
    assert "eyJ" not in text
    assert TOKEN[4:20] not in text
    assert "GET /p/[token]/quotes 200" in text
    assert "base 10: 'at [token]'" in text


def test_what_holds_no_token_is_left_as_it_is(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log

    logger.info("%s has %d of %.1f and %r", "it", 3, 2.5, ["x"])

    assert written.getvalue() == "it has 3 of 2.5 and ['x']\n"
