"""What `deploy/` holds: files for other programs, tried with them where they are there."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
import yaml
from attrs import fields

from portal_http.settings import Settings
from tests.security.served import KEY

DEPLOY = Path(__file__).parents[1] / "deploy"
TOKEN = "cpt_" + "a" * 49
LOCKED = r"^([a-z0-9._-]+)(?:\[\S+\])?==(\S+)"
KNOWN = {f"PORTAL_{each.name.upper()}" for each in fields(Settings)}

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


class Portal(BaseHTTPRequestHandler):
    """Stands where the portal would, and repeats what reached it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        said = f"{self.path} {self.headers['Host']} {self.headers['X-Forwarded-For']}"
        self.wfile.write(said.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Wait until somebody listens there."""
    for _ in range(300):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
            return
        time.sleep(0.1)
    pytest.fail(f"nobody listens at {port}")


@pytest.fixture
def proxy(tmp_path: Path) -> Generator[tuple[str, Path]]:
    """Serve by nginx with our file, its addresses and places changed, and give its address and its folder."""
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    Thread(target=behind.serve_forever, daemon=True).start()
    made = f"req -x509 -newkey rsa:2048 -nodes -subj /CN=portal.example.com -keyout {tmp_path}/portal.key"
    subprocess.run(["openssl", *made.split(), "-out", f"{tmp_path}/portal.pem"], check=True, capture_output=True)  # noqa: S603, S607 - ours
    port = free_port()
    ours = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for there, here in (
        ("127.0.0.1:8000", f"127.0.0.1:{behind.server_port}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/", f"{tmp_path}/"),
        ("/var/log/nginx/", f"{tmp_path}/"),
    ):
        assert there in ours
        ours = ours.replace(there, here)
    whole = tmp_path / "nginx.conf"
    places = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole.write_text(f"pid {tmp_path}/pid; daemon off; events {{}} http {{ {places}\n{ours} }}", encoding="utf-8")
    nginx = subprocess.Popen(["nginx", "-p", str(tmp_path), "-e", f"{tmp_path}/start.log", "-c", str(whole)])  # noqa: S603, S607 - as above
    wait_for(port)
    yield f"https://127.0.0.1:{port}", tmp_path
    nginx.terminate()
    nginx.wait(timeout=30)
    behind.shutdown()
    behind.server_close()


@needs_nginx
def test_the_proxy_hands_on_everything_and_logs_no_token(proxy: tuple[str, Path]) -> None:
    address, folder = proxy
    trusting = ssl.create_default_context(cafile=str(folder / "portal.pem"))
    trusting.check_hostname = False
    paths = (
        f"/p/{TOKEN}/quotes/Q1?a={TOKEN}",
        f"/api/v1/customer-portal/view/{TOKEN}/dashboard",
        f"/p/{TOKEN}",
        "/healthz?x=1",
    )

    told = []
    for path in paths:
        request = urllib.request.Request(address + path, headers={"X-Forwarded-For": "6.6.6.6"})  # noqa: S310 - https
        with urllib.request.urlopen(request, context=trusting) as answer:  # noqa: S310 - as above
            told.append(answer.read().decode())

    assert told == [f"{path} 127.0.0.1 127.0.0.1" for path in paths]
    log = _whole(folder / "portal.log", len(paths))
    assert re.findall(r"GET (\S+) 200", log) == [
        "/p/{token}/quotes/Q1",
        "/api/v1/customer-portal/view/{token}/dashboard",
        "/p/{token}",
        "/healthz",
    ]
    assert TOKEN not in "".join(each.read_text(encoding="utf-8") for each in folder.glob("*.log"))


def _whole(log: Path, lines: int) -> str:
    """Return a log once it has so many lines: a request is logged after it was answered."""
    for _ in range(100):
        if log.read_text(encoding="utf-8").count("\n") >= lines:
            break
        time.sleep(0.1)
    return log.read_text(encoding="utf-8")


@needs_systemd
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/portal/bin/portal", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")

    verify = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    told = subprocess.run(verify, check=False, capture_output=True, text=True)  # noqa: S603 - ours

    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_the_composition_sets_what_the_portal_knows_and_publishes_to_this_machine_alone() -> None:
    compose = cast("dict[str, Any]", yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    services = compose["services"]

    assert set(services) == {"migrate", "portal", "postgres", "redis"}
    assert set(services["portal"]["environment"]) <= KNOWN
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    needed = {name for service in services.values() for name in service.get("depends_on", {})}
    assert all("healthcheck" in services[name] for name in needed - {"migrate"})


def test_the_image_holds_no_tool_of_development() -> None:
    lock = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    whole = (DEPLOY.parent / "requirements.lock").read_text(encoding="utf-8")

    packages, known = (set(re.findall(LOCKED, each, re.MULTILINE)) for each in (lock, whole))
    assert packages <= known
    assert {"starlette", "sqlalchemy", "uvicorn"} <= {name for name, _ in packages}
    assert not {"pytest", "mypy", "ruff", "playwright"} & {name for name, _ in packages}
    assert "--index-url" not in lock
    assert "://" not in lock


def steps(kind: str) -> list[str]:
    """Return what the instructions of one kind, or of several, say in the container's file, in its order."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    return re.findall(rf"^(?:HEALTHCHECK )?(?:{kind}) (.+)$", text, re.MULTILINE)


def test_the_image_is_of_one_python_and_is_run_by_a_user_without_rights_who_may_write_in_one_place() -> None:
    user = next(step.split()[-1] for step in steps("RUN") if step.startswith("useradd --system"))

    assert len({base.split()[0] for base in steps("FROM")}) == 1
    assert steps("USER") == [user]
    assert steps("WORKDIR") == steps("VOLUME") == ["/data"]


@pytest.mark.long
def test_the_steps_of_the_image_make_a_portal_that_finds_itself_well(tmp_path: Path) -> None:
    """No engine of containers is needed: the steps are taken here, in folders of our own."""
    port = str(free_port())

    def here(text: str) -> str:
        return re.sub(r"(?<![\w.])/(build|portal|data)\b", rf"{tmp_path}/\1", text).replace("8000", port)

    (tmp_path / "data").mkdir()
    for copied in (step for step in steps("COPY") if not step.startswith("--from")):
        *sources, target = here(copied).split()
        for source in map(DEPLOY.parent.joinpath, sources):
            place = Path(target) / source.name if target.endswith("/") else Path(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, place)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for made in (step for step in steps("RUN") if not step.startswith("useradd")):
        subprocess.run(here(made), shell=True, check=True, env=environment)  # noqa: S602 - ours

    health, entry, command = (json.loads(here(step)) for step in steps("CMD|ENTRYPOINT"))
    folder, own = tmp_path / "data", os.environ | {"PORTAL_ADMIN_JWT_KEY": KEY}
    subprocess.run([*entry, "migrate"], check=True, cwd=folder, env=own)  # noqa: S603 - ours
    with subprocess.Popen([*entry, *command, "--port", port], cwd=folder, env=own) as portal:  # noqa: S603 - ours
        wait_for(int(port))
        healthy = subprocess.run(health, check=False).returncode  # noqa: S603 - ours
        portal.terminate()

    assert (healthy, portal.returncode) == (0, 0)
