"""The audit of dependencies, with the real tools and stand-ins of their services."""

from __future__ import annotations

import gzip
import json
import runpy
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

AUDIT = runpy.run_path(str(Path(__file__).parents[2] / "scripts/audit.py"))
TODAY = date(2026, 12, 1)
ADVISORY = "GHSA-aaaa-bbbb-cccc"
OSV = {
    "vulns": [
        {
            "id": ADVISORY,
            "aliases": ["CVE-2026-1"],
            "summary": "bad",
            "details": "bad",
            "affected": [
                {
                    "package": {"name": "six", "ecosystem": "PyPI"},
                    "versions": ["1.16.0"],
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.17.0"}]}
                    ],
                }
            ],
        }
    ]
}
NPM = {
    "left-pad": [
        {
            "id": 1,
            "url": f"https://github.com/advisories/{ADVISORY}",
            "title": "bad",
            "severity": "high",
            "vulnerable_versions": "<2.0.0",
        }
    ]
}


class Service(BaseHTTPRequestHandler):
    """OSV's query and npm's bulk advisories."""

    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body)
        answer: Any = NPM if "left-pad" in asked else {}
        if asked.get("package", {}).get("name") == "six":
            answer = OSV
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(params=[200, 404])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Service, "status", request.param)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("service", [200], indirect=True)
def test_findings_of_both_tools_are_read(service: str, tmp_path: Path) -> None:
    found = [*_python(tmp_path, service), *_npm(tmp_path, service)]
    assert [ADVISORY in one.ids for one in found] == [True, True]
    assert len(AUDIT["problems"](found, [], TODAY)) == 2
    allowed = AUDIT["allowances"](
        f'[[allowed]]\nid = "{ADVISORY}"\nreason = "not reached"\nexpires = 2026-12-01\n'
    )
    assert AUDIT["problems"](found, allowed, TODAY) == []
    assert len(AUDIT["problems"](found, allowed, date(2026, 12, 2))) == 3  # and it expired


@pytest.mark.parametrize("service", [404], indirect=True)
@pytest.mark.parametrize("tool", ["python", "npm"])
def test_a_service_that_is_not_there_is_no_clean_result(
    service: str, tool: str, tmp_path: Path
) -> None:
    with pytest.raises(AUDIT["NotMade"]):
        _python(tmp_path, service) if tool == "python" else _npm(tmp_path, service)


@pytest.mark.parametrize("severity", ["info", "low", "moderate", "high", "critical", "unknown"])
def test_minor_findings_are_shown_and_stop_nothing(severity: str) -> None:
    one = AUDIT["Finding"]("p", frozenset({"x"}), severity, "t")
    assert bool(AUDIT["problems"]([one], [], TODAY)) is (severity not in {"info", "low"})


@pytest.mark.parametrize("row", ['id = "x"', 'id = "x"\nreason = "y"', "reason = 'y'"])
def test_an_exception_needs_a_reason_and_an_end(row: str) -> None:
    with pytest.raises(AUDIT["NotMade"]):
        AUDIT["allowances"](f"[[allowed]]\n{row}\n")


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--if-reachable",), 0)])
def test_an_audit_that_was_not_made_says_so(
    arguments: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def away(*_: object) -> None:
        raise AUDIT["NotMade"]("no route")

    for name in ("python_findings", "npm_findings"):
        monkeypatch.setitem(AUDIT["main"].__globals__, name, away)
    monkeypatch.setattr("sys.argv", ["audit.py", *arguments])
    assert AUDIT["main"]() == code
    assert capsys.readouterr().out.count("NOT AUDITED") == 2


def _python(folder: Path, url: str) -> list[Any]:
    requirements = folder / "requirements.txt"
    requirements.write_text("six==1.16.0\nidna==3.10\n")
    return AUDIT["python_findings"](requirements, url=f"{url}/v1/query")


def _npm(folder: Path, url: str) -> list[Any]:
    package = {"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}
    packages = {"": package, "node_modules/left-pad": {"version": "1.3.0"}}
    lock = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    return AUDIT["npm_findings"](folder, registry=url)
