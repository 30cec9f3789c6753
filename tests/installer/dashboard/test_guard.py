"""Hostile pages: everything but the user's own browser at exactly our address is refused."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from unittest import mock

import pytest
from claude_tier.dashboard import server
from claude_tier.dashboard.guard import Guard
from serving import Dashboard
from starlette.datastructures import Headers

FIGURES = ("/api/stats", "/api/usage", "/api/decisions", "/api/events", "/metrics")
EVERY = ("/", "/page/page.js", *FIGURES)
FORBIDDEN = {"access-control-allow-origin", "access-control-allow-credentials", "server"}


@pytest.fixture
def here(dashboard: Callable[[], Dashboard]) -> Dashboard:
    return dashboard()


@pytest.fixture
def bearer(here: Dashboard) -> str:
    return f"Bearer {here.token}"


@pytest.fixture
def cookie(here: Dashboard) -> str:
    return f"{here.keys.cookie}={here.keys.exchange(here.keys.code())}"


def refused(here: Dashboard, path: str, code: int, **headers: str | None) -> None:
    """With that code, and without a word of what it guards."""
    answer = here.ask(path, **headers)
    assert answer.status == code, answer
    assert set(answer.json()) == {"version", "error"}
    assert FORBIDDEN.isdisjoint(answer.headers)


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost", "[::1]:{port}",
             "127.0.0.1:{port}.evil.example", "127.0.0.1:{port}@evil", "0.0.0.0:{port}", ""],
)  # fmt: skip
def test_a_wrong_host_is_refused(here: Dashboard, bearer: str, host: str) -> None:
    """DNS rebinding: a name of theirs that resolves to 127.0.0.1, with our port or without."""
    for path in EVERY:
        refused(here, path, 421, host=host.format(port=here.port), authorization=bearer)


def test_without_a_port_the_host_is_that_of_port_80() -> None:
    """Browsers leave it out there, and only there."""
    for port, code in ((80, None), (8080, 421), (443, 421)):
        guard = Guard(mock.Mock(), port)
        for name in ("127.0.0.1", "localhost"):
            answer = guard._refused("GET", Headers({"host": name, "origin": f"http://{name}"}))
            assert (answer and answer.status_code) == code
        assert guard._refused("GET", Headers({"host": f"localhost:{port}"})) is None
        assert guard._refused("GET", Headers({"host": "evil.example"})) is not None


def raw(here: Dashboard, text: str) -> bytes:
    with socket.create_connection(("127.0.0.1", here.port), timeout=30) as wire:
        wire.sendall(text.encode())
        return wire.recv(4096).partition(b"\r\n")[0]


def test_a_missing_host_is_refused(here: Dashboard, bearer: str) -> None:
    """HTTP/1.0 may leave it out; HTTP/1.1 may not, nor give two."""
    key = f"Authorization: {bearer}\r\n\r\n"
    own = f"Host: 127.0.0.1:{here.port}\r\n"
    assert raw(here, f"GET /api/stats HTTP/1.0\r\n{own}{key}").endswith(b"200 OK")
    assert b" 421 " in raw(here, f"GET /api/stats HTTP/1.0\r\n{key}")
    assert b" 400 " in raw(here, f"GET /api/stats HTTP/1.1\r\n{key}")
    assert b" 400 " in raw(here, f"GET /api/stats HTTP/1.1\r\n{own}{own}{key}")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1",
               "https://127.0.0.1:{port}", "http://localhost:{port}", "", "file://"],
)  # fmt: skip
def test_a_foreign_origin_is_refused(here: Dashboard, cookie: str, origin: str) -> None:
    """Another port of this host is another origin."""
    for path in EVERY:
        refused(here, path, 403, cookie=cookie, origin=origin.format(port=here.port))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "same-origin, cross-site"])
def test_another_site_is_refused(here: Dashboard, cookie: str, site: str) -> None:
    """`same-site` is a page on another port of 127.0.0.1, which cookies are sent for."""
    for path in EVERY:
        refused(here, path, 403, cookie=cookie, sec_fetch_site=site)


@pytest.mark.parametrize("path", FIGURES)
def test_without_a_key_there_are_no_figures(here: Dashboard, path: str) -> None:
    """None, a wrong one, one in the wrong place."""
    code = here.keys.code()
    refused(here, path, 401)
    refused(here, path, 401, authorization=f"Bearer {here.token[:-1]}")
    refused(here, path, 401, authorization=here.token)
    refused(here, path, 401, cookie=f"{here.keys.cookie}={here.token}")
    refused(here, path, 401, cookie=f"{here.keys.cookie}={code}")
    refused(here, path, 401, x_claude_tier_code=code)


@pytest.mark.parametrize("name", ["token", "code", "key", "access_token"])
def test_a_token_in_the_address_is_refused(here: Dashboard, cookie: str, name: str) -> None:
    """Even beside a cookie that holds: addresses end up in histories and logs."""
    for path in EVERY:
        refused(here, f"{path}?{name}={here.token}", 400, cookie=cookie)


def test_the_cookie_of_another_port_is_refused(here: Dashboard) -> None:
    """Cookies know no ports: another dashboard's comes along, under its own name or under ours."""
    from claude_tier.dashboard.keys import Keys

    other = Keys(here.token, here.port - 1)
    theirs = other.exchange(other.code())
    assert other.cookie != here.keys.cookie
    refused(here, "/api/stats", 401, cookie=f"{other.cookie}={theirs}")
    refused(here, "/api/stats", 401, cookie=f"{here.keys.cookie}={theirs}")


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]
)
def test_only_reading_is_allowed(here: Dashboard, cookie: str, method: str) -> None:
    """A preflight gets no permission either; the exchange of a code is the one POST."""
    for path in EVERY if method == "POST" else (*EVERY, "/api/session"):
        answer = here.ask(path, method, cookie=cookie)
        assert answer.status == 405
        assert FORBIDDEN.isdisjoint(answer.headers)


def test_the_exchange_takes_its_code_from_the_header_alone(here: Dashboard) -> None:
    """Which no form can send, and a script of another origin not without a preflight."""
    code = here.keys.code()
    assert here.ask(f"/api/session?code={code}", "POST").status == 400
    assert here.ask("/api/session", "POST", cookie=f"code={code}").status == 401
    assert here.ask("/api/session", "GET", x_claude_tier_code=code).status == 405
    foreign = {"x_claude_tier_code": code, "origin": "http://127.0.0.1:1"}
    assert here.ask("/api/session", "POST", **foreign).status == 403

    answer = here.ask("/api/session", "POST", x_claude_tier_code=code)
    assert answer.status == 204
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == f"claude_tier_{here.port}"
    parts = {part.strip().lower() for part in rest.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert here.ask("/api/stats", cookie=f"{name}={rest.split(';')[0]}").status == 200
    assert here.ask("/api/session", "POST", x_claude_tier_code=code).status == 401


@pytest.mark.parametrize(
    "path",
    ["/page/../keys.py", "/page/..%2fkeys.py", "/page/%2e%2e/keys.py", "/page//etc/passwd",
     "/page/keys.py", "/page/", "/page", "/../../etc/passwd", "/page/page.js%00", "/page/.",
     "/api", "/api/stats/", "/nothing"],
)  # fmt: skip
def test_there_is_nothing_beside_the_page(here: Dashboard, cookie: str, path: str) -> None:
    """Parts of the page have names; no path is ever looked up."""
    refused(here, path, 404, cookie=cookie)


@pytest.mark.parametrize("path", [*EVERY[:-2], "/metrics", "/nothing"])
def test_every_answer_tells_the_browser_to_be_strict(
    here: Dashboard, bearer: str, path: str
) -> None:
    """Errors as well."""
    for headers in ({"authorization": bearer}, {}, {"host": "evil.example"}):
        if path == "/api/events" and headers.get("authorization"):
            continue
        found = here.ask(path, **headers).headers
        assert found["cache-control"] == "no-store"
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "no-referrer"
        assert found["cross-origin-resource-policy"] == "same-origin"
        policy = {part.strip() for part in found["content-security-policy"].split(";")}
        assert {"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= policy
        assert "unsafe" not in found["content-security-policy"]
        assert FORBIDDEN.isdisjoint(found)


def test_the_browsers_own_requests_pass(here: Dashboard, cookie: str) -> None:
    """By both names of the host, typed or from the page."""
    for host in (f"127.0.0.1:{here.port}", f"localhost:{here.port}"):
        for site in ("none", "same-origin"):
            answer = here.ask("/api/stats", host=host, cookie=cookie, sec_fetch_site=site)
            assert answer.status == 200
        assert here.ask("/", host=host, origin=f"http://{host}").status == 200


def test_a_websocket_is_none(here: Dashboard, cookie: str) -> None:
    """There is no other way in."""
    headers = {"connection": "upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    assert here.ask("/api/events/", **headers, cookie=cookie).status == 404


def test_the_page_holds_no_inline_script_or_style_and_no_other_host(here: Dashboard) -> None:
    """What the policy of contents would refuse is not there in the first place."""
    text = here.ask("/").body.decode()
    assert " style=" not in text
    assert " on" + "click=" not in text
    assert "<script>" not in text
    for name in ("page.js", "style.css", "chart.js", "dom.js"):
        part = here.ask(f"/page/{name}").body.decode()
        assert "innerHTML" not in part
        assert "://" not in part.replace("http://www.w3.org/2000/svg", "")


def test_it_listens_on_loopback_alone() -> None:
    """Not on the machine's other addresses: what is bound is exactly 127.0.0.1."""
    with closing(server.listen(0).socket) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"
        assert bound.family == socket.AF_INET
