"""The built page: what is served, how it may be kept, what it may load."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from seatrial.server import page
from seatrial.store import SqlStore

from .running import running

ROUTES = Path(__file__).parents[3] / "web/src/routes"
HTML = {"accept": "text/html,application/xhtml+xml"}
SCRIPT = "assets/index-Ab12.js"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as the build leaves one."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Seatrial</title>")
    (folder / SCRIPT).write_text("plain")
    (folder / f"{SCRIPT}.gz").write_bytes(gzip.compress(b"gzipped"))
    (folder / "embed.js").write_text("element")
    (folder / "secret.txt").write_text("not a file of the page")
    return folder


@pytest_asyncio.fixture
async def client(store: SqlStore, folder: Path, built: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with running(store, folder, page_dir=built) as server, server.client() as client:
        yield client


async def test_every_address_of_the_page_is_the_page_and_no_other(
    client: httpx.AsyncClient,
) -> None:
    for address in page.ADDRESSES:
        answer = await client.get(address.format(test_id="t0"), headers=HTML)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
    for address in ("/nothing", "/tests/t0/more", "/api/v1/nothing", "/index.html"):
        answer = await client.get(address, headers=HTML)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_addresses_are_the_routes_of_the_page() -> None:
    def address(file: Path) -> str:
        name = file.stem.removesuffix("index").rstrip(".").replace(".", "/")
        return "/" + re.sub(r"\$testId", "{test_id}", name)

    routes = {address(file) for file in ROUTES.glob("*.tsx") if file.stem != "__root"}
    assert routes == set(page.ADDRESSES)


async def test_a_program_finds_the_way_to_the_api_where_a_browser_finds_the_page(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/")).json()["openapi"] == "/api/v1/openapi.json"
    assert "<title>" in (await client.get("/", headers=HTML)).text


async def test_no_script_runs_but_the_page_s_own_and_nothing_is_asked_of_others(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/", headers=HTML)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in answer.headers["content-security-policy"]


async def test_assets_may_be_kept_for_ever_and_come_compressed_where_that_is_understood(
    client: httpx.AsyncClient,
) -> None:
    plain = await client.get(f"/{SCRIPT}", headers={"accept-encoding": "identity"})
    packed = await client.get(f"/{SCRIPT}", headers={"accept-encoding": "br, gzip"})
    refused = await client.get(f"/{SCRIPT}", headers={"accept-encoding": "gzip;q=0"})

    assert (plain.text, packed.text, refused.text) == ("plain", "gzipped", "plain")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    for answer in (plain, packed):
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["index-other.js", "..%2Fsecret.txt", "..%2f..%2f..%2fetc%2fpasswd", "secret.txt"]
)
async def test_nothing_but_the_files_of_the_build_is_served(
    client: httpx.AsyncClient, name: str
) -> None:
    for address in (f"/assets/{name}", f"/{name}"):
        assert (await client.get(address)).status_code == 404


async def test_the_script_for_other_pages_may_be_loaded_there_and_is_asked_for_anew(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/embed.js", headers={"origin": "https://app.example"})
    assert (answer.status_code, answer.text) == (200, "element")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"

    known = await client.get("/embed.js", headers={"if-none-match": answer.headers["etag"]})
    other = await client.get("/embed.js", headers={"if-none-match": 'W/"other"'})
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == answer.headers["etag"]
    assert other.status_code == 200


async def test_a_page_built_anew_under_a_running_server_is_the_one_that_is_served(
    client: httpx.AsyncClient, built: Path
) -> None:
    before = await client.get("/embed.js")
    (built / SCRIPT).unlink()
    (built / f"{SCRIPT}.gz").unlink()
    (built / "assets/index-Cd34.js").write_text("newer")
    (built / "embed.js").write_text("newer element")

    assert (await client.get(f"/{SCRIPT}")).status_code == 404
    assert (await client.get("/assets/index-Cd34.js")).text == "newer"
    asked = {"if-none-match": before.headers["etag"]}
    after = await client.get("/embed.js", headers=asked)
    assert (after.status_code, after.text) == (200, "newer element")


async def test_a_server_without_a_built_page_is_the_api_alone(
    store: SqlStore, folder: Path, tmp_path: Path
) -> None:
    async with (
        running(store, folder, page_dir=tmp_path / "none") as server,
        server.client() as client,
    ):
        assert (await client.get("/", headers=HTML)).json()["api"] == "/api/v1"
        for address in ("/tests", "/embed.js"):
            assert (await client.get(address)).status_code == 404
