"""A large import while a server answers: records a second, memory, and how long those who read and write have to wait.

    python benchmarks/importing.py [RECORDS] [DATABASE_URL]

A million records, unless told otherwise, into a SQLite file of its own, or into a PostgreSQL database that is empty.
Prints the row of the table in docs/explanation/performance.md.
"""

import http.client
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

PORTAL = str(Path(sys.executable).with_name("portal"))
PORT = 8123
BASE = "/api/v1/customer-portal/view"
PER_CLIENT = 50

Record = dict[str, Any]


def records(count: int) -> Iterator[Record]:
    """Yield a company, and clients of fifty documents each: quotes, orders, invoices, and payments of them."""
    yield {"type": "company", "id": "bulk", "name": "Bulk", "timezone": "UTC", "currency": "EUR"}
    chance = random.Random(1)  # noqa: S311 - the same figures each time
    for client in range(count // (PER_CLIENT + 1)):
        yield {"type": "client", "company_id": "bulk", "id": f"C{client}", "name": f"Client {client}"}
        for place in range(PER_CLIENT):
            yield _document(place, f"{client}-{place}", f"C{client}", f"{chance.randint(10, 5_000)}.50")


def _document(place: int, own: str, client_id: str, amount: str) -> Record:
    owned = {"company_id": "bulk", "client_id": client_id, "id": own, "number": own, "currency": "EUR"}
    sums = {"subtotal": amount, "tax": "0.00", "total": amount}
    line = {"id": "1", "kind": "item", "description": "Work on site", "quantity": "1", "unit": "day"}
    line |= {"unit_price": amount, "subtotal": amount, "total": amount}
    match place % 5:
        case 0:
            return {"type": "quote", **owned, **sums, "state": "sent", "issued_on": "2026-05-01", "lines": [line]}
        case 1:
            own_fields = {"state": "confirmed", "ordered_on": "2026-05-02", "delivery_status": "pending"}
            return {"type": "order", **owned, **sums, **own_fields, "lines": [line]}
        case 4:
            paid = {"invoice_id": own.replace(f"-{place}", f"-{place - 1}"), "amount": "5.00"}
            own_fields = {"state": "paid", "received_on": "2026-07-01", "amount": "5.00", "allocations": [paid]}
            return {"type": "payment", **owned, **own_fields}
        case _:
            own_fields = {"kind": "invoice", "state": "posted", "issued_on": "2026-06-01", "due_on": "2026-07-01"}
            return {"type": "invoice", **owned, **sums, **own_fields, "lines": [line]}


class Caller(threading.Thread):
    """Asks the server one thing again and again, and notes how long each answer took."""

    def __init__(self, method: str, path: str, body: Record | None, pause: float) -> None:
        super().__init__(daemon=True)
        self._asked = method, path, None if body is None else json.dumps(body)
        self._pause = pause
        self.stopped = threading.Event()
        self.seconds: list[float] = []
        self.refused = 0

    def run(self) -> None:
        """Ask until `stopped` is set."""
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        method, path, body = self._asked
        since = time.perf_counter()
        while not self.stopped.wait(self._pause):
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            now = time.perf_counter()
            if answer.status < http.client.BAD_REQUEST:
                # A refusal is no answer: who was told to come again has waited since the first time.
                self.seconds.append(now - since - self._pause)
                since = now
            else:
                self.refused += 1

    def figures(self) -> str:
        """Return how many answers there were, their median, the 99th percentile and the longest, in milliseconds."""
        taken = sorted(self.seconds)
        parts = median(taken), taken[len(taken) * 99 // 100], taken[-1]
        return " | ".join([f"{len(taken):,}", *(f"{each * 1000:,.0f}" for each in parts), f"{self.refused}"])


def peak_of(process: "subprocess.Popen[str]") -> int:
    """Wait for a process to end, and return the most memory that it and its helpers held at once, in MiB."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, [process.pid, *_children(process.pid)])))
        time.sleep(0.2)
    return peak // 1024


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    lines = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return sum(int(line.split()[1]) for line in lines)


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    except OSError:
        return []


def portal(*words: str, text: str | None = None) -> str:
    """Run a command of the portal's and return what it prints."""
    done = subprocess.run([PORTAL, *words], input=text, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Import beside a server, and print a row of the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        url = sys.argv[2] if len(sys.argv) > 2 else "sqlite:///portal.sqlite3"
        limits = dict.fromkeys(("PORTAL_READS_PER_MINUTE", "PORTAL_WRITES_PER_MINUTE"), "0")
        os.environ.update(limits, PORTAL_DATABASE_URL=url, PORTAL_ADMIN_JWT_KEY=secrets.token_hex(32))
        portal("migrate")
        Path("small.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records(PER_CLIENT + 1)), "utf-8")
        portal("import", "small.jsonl")
        link = portal("token", "create", "--company", "bulk", "--client", "C0").strip()
        with Path("large.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in records(count))
        with subprocess.Popen([PORTAL, "serve", "--port", f"{PORT}"], stderr=subprocess.DEVNULL) as server:
            try:
                _measure(count, urlsplit(url).scheme, link.rsplit("/", 1)[1])
            finally:
                server.terminate()


def _await_server() -> None:
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        with suppress(OSError):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def _measure(count: int, kind: str, token: str) -> None:
    _await_server()
    callers = [
        Caller("GET", f"{BASE}/{token}/dashboard", None, 0.05),
        Caller("POST", f"{BASE}/{token}/feedback", {"subject": "Hello", "message": "Anybody there?"}, 0.05),
    ]
    for caller in callers:
        caller.start()
    started = time.perf_counter()
    with subprocess.Popen([PORTAL, "import", "large.jsonl"], text=True, stderr=subprocess.DEVNULL) as process:
        peak = peak_of(process)
    seconds = time.perf_counter() - started
    for caller in callers:
        caller.stopped.set()
        caller.join()
    print("| database | records | seconds | records/s | MiB | who | answers | median ms | p99 | longest | refused |")
    for who, caller in zip(("reading", "writing"), callers, strict=True):
        print(f"| {kind} | {count:,} | {seconds:.0f} | {count / seconds:,.0f} | {peak} | {who} | {caller.figures()} |")


if __name__ == "__main__":
    main()
