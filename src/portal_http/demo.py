"""The portal to look at: a sample company in a temporary database, and a link that works."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from portal_http.endpoints import BASE
from portal_http.main import build
from portal_http.serving import end_in_order, listen, serve_on
from portal_http.wiring.samples import demo_settings, furnish

HOST = "127.0.0.1"


def serve_demo(port: int, *, at: datetime, say: Callable[[str], None]) -> None:
    """Furnish a fresh database as of a moment, say where to look, and serve until told to stop."""
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="portal-demo-") as folder, closing(listen(HOST, port)) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        settings = demo_settings(Path(folder), address)
        token = furnish(settings, at=at).token
        application = build(settings)
        for line in _welcome(address, token):
            say(line)
        serve_on(application, listening, settings)


def _welcome(address: str, token: str) -> list[str]:
    api = f"{address}{BASE}"
    return [
        "Alder & Finch Joinery shares its documents with Harbour Café. Open the link:",
        "",
        f"  {address}/p/{token}",
        "",
        f"The API: {api}",
        "",
        f"  curl {api}/view/{token}/dashboard",
        "",
        f"Every call: {address}/docs",
        "Stop with Ctrl+C; nothing is kept.",
    ]
