"""Who may read: the token's file, links that work once, cookies that hold for one port."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier.dashboard import keys
from claude_tier.dashboard.keys import COOKIE_LASTS, LINK_LASTS, Keys
from claude_tier_hooks import state

START = 1_795_262_400.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(own: Keys, cookie: str | None) -> bool:
    return own.opens(cookie=cookie, authorization=None)


def test_the_token_is_its_owners_alone_and_stays(home: Path) -> None:
    """Mode 0600; a scrape configuration that names the file goes on working."""
    token = keys.token()
    assert Path(keys.token_file()).stat().st_mode & 0o777 == 0o600
    assert keys.token() == token
    assert len(token) == 43
    assert [path.name for path in Path(state.state_dir()).iterdir()] == ["dashboard.token"]


@pytest.mark.parametrize("spoil", ["readable", "short", "link"])
def test_a_token_that_others_may_know_is_replaced(home: Path, spoil: str) -> None:
    """Readable by others, cut off, or a link to somewhere else."""
    token, file = keys.token(), Path(keys.token_file())
    if spoil == "readable":
        file.chmod(0o644)
    elif spoil == "short":
        file.write_text("abc")
    else:
        file.rename(home / "elsewhere")
        file.symlink_to(home / "elsewhere")
    assert keys.token() != token
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.is_symlink()


def test_a_link_works_once(clock: Clock) -> None:
    """What stays in a history or a log opens nothing."""
    own = Keys("t", 7433, clock)
    code = own.code()
    assert opened(own, own.exchange(code))
    assert own.exchange(code) is None


def test_a_link_that_waited_too_long_is_void(clock: Clock) -> None:
    own = Keys("t", 7433, clock)
    code = own.code()
    clock.now += LINK_LASTS
    assert own.exchange(own.code()) is not None
    clock.now += 1
    assert own.exchange(code) is None


def test_a_link_from_before_a_restart_is_void(clock: Clock) -> None:
    """The server before this one may have exchanged it."""
    code = Keys("t", 7433, clock).code()
    clock.now += 1
    assert Keys("t", 7433, clock).exchange(code) is None


def test_another_process_with_the_token_makes_links(clock: Clock) -> None:
    """`dashboard --link`."""
    running = Keys("t", 7433, clock)
    clock.now += 60
    assert running.exchange(Keys("t", 7433, clock).code()) is not None


@pytest.mark.parametrize("other", [Keys("t", 7434), Keys("u", 7433)], ids=["port", "token"])
def test_links_and_cookies_hold_for_one_port_and_token(other: Keys) -> None:
    """Cookies are sent to every port of a host."""
    own = Keys("t", 7433)
    assert own.exchange(other.code()) is None
    assert not opened(own, other.exchange(other.code()))


def test_a_cookie_ends_in_time(clock: Clock) -> None:
    """After a week."""
    own = Keys("t", 7433, clock)
    cookie = own.exchange(own.code())
    clock.now += COOKIE_LASTS
    assert opened(own, cookie)
    clock.now += 1
    assert not opened(own, cookie)


def test_a_cookie_ends_with_its_server(clock: Clock) -> None:
    """In between, whoever had the port was sent it."""
    first = Keys("t", 7433, clock)
    cookie = first.exchange(first.code())
    assert opened(first, cookie)
    assert not opened(Keys("t", 7433, clock), cookie)


def test_the_token_for_metrics_opens_metrics_alone() -> None:
    """Prometheus sends it to whoever has the port."""
    own = Keys("secret", 7433, metrics="lesser")
    cookie = own.exchange(own.code())
    assert own.opens_metrics(cookie=None, authorization="Bearer lesser")
    assert own.opens_metrics(cookie=None, authorization="Bearer secret")
    assert own.opens_metrics(cookie=cookie, authorization=None)
    assert not own.opens(cookie=None, authorization="Bearer lesser")
    for header in (None, "", "Bearer ", "Basic lesser", "Bearer lesse"):
        assert not own.opens_metrics(cookie=None, authorization=header)
        assert not Keys("s", 1).opens_metrics(cookie=None, authorization=header)


def test_a_proof_shows_the_token_for_one_port_and_is_no_key() -> None:
    """Of a nonce that somebody else chose."""
    own, nonce = Keys("t", 7433), "0" * 32
    assert own.proof(nonce) == Keys("t", 7433).proof(nonce)
    assert own.proof(nonce) not in (Keys("t", 7434).proof(nonce), Keys("u", 7433).proof(nonce))
    assert own.proof(nonce) != own.proof("1" * 32)
    for text in ("", "0" * 31, "x" * 32, own.code().rpartition(".")[0]):
        assert own.proof(text) is None


def test_a_code_is_no_cookie_and_nothing_forged_is_either() -> None:
    """Each is signed for what it is."""
    own = Keys("t", 7433)
    code = own.code()
    cookie = own.exchange(code) or ""
    assert own.exchange(cookie) is None
    later = str(int(cookie.split(".")[0]) + 1) + cookie[13:]
    for text in (code, later, cookie[:-1], cookie + "0", "", "..", "\u0661.a.b"):
        assert not opened(own, text)
    assert opened(own, cookie)


@pytest.mark.parametrize(
    ("header", "opens"),
    [
        ("Bearer secret", True),
        ("bearer secret", True),
        ("Bearer secreT", False),
        ("Bearer ", False),
        ("secret", False),
        ("Basic secret", False),
        ("Bearer sécret", False),
        (None, False),
    ],
)
def test_the_bearer_is_the_token(header: str | None, *, opens: bool) -> None:
    """For scripts and Prometheus."""
    own = Keys("secret", 7433)
    assert own.opens(cookie=None, authorization=header) is opens
