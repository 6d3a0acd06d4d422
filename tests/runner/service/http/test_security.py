"""Who may ask: tokens, rates, names of the server, origins of pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.service.errors import BadRequest, Overloaded, SettingsError, Unauthorized
from runner.service.http.security import Bucket, Callers, list_hosts, read_tokens
from runner.service.settings import ServiceSettings
from tests.runner.service.http.conftest import RunningServer, start

TOKEN, OTHER, IDLE = "a" * 32, "b" * 32, "c" * 32
PAGE = "https://lab.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server with tokens, a rate, one allowed origin and room for four connections."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text(f"{TOKEN}\n\n{OTHER}\n{IDLE}\n")
    options = ("--token-file", "tokens", "--rate", 0.01, "--origin", PAGE)
    yield from start((*options, "--max-connections", 4), folder)


def bear(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "headers", [{}, bear("wrong"), bear(""), {"Authorization": f"Basic {TOKEN}"}, bear("é")]
)
def test_without_a_token_nothing_is_told(guarded: RunningServer, headers: dict[str, str]) -> None:
    """A missing or wrong token gets 401, with the scheme that is wanted."""
    answer = guarded.ask("GET", "/v2", headers={k: v.encode() for k, v in headers.items()})  # type: ignore[misc]
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    expected = "token: missing or wrong; send the header 'Authorization: Bearer TOKEN'"
    assert answer.error == expected


def test_a_token_is_used_at_its_rate(guarded: RunningServer) -> None:
    """A token that is used too often gets 429 and when to come again; others are not touched."""
    assert guarded.ask("GET", "/v2", headers=bear(TOKEN)).status == 200
    answer = guarded.ask("GET", "/v2", headers=bear(TOKEN))
    assert answer.status == 429
    assert answer.error.startswith("token: used more than 0.01 times a second; wait ")
    assert 90 <= int(answer.headers["retry-after"]) <= 100
    assert guarded.ask("GET", "/v2", headers=bear(OTHER)).status == 200


def test_probes_need_no_token(guarded: RunningServer) -> None:
    """An orchestrator asks without a token whether the server lives, and learns nothing else."""
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert guarded.ask("GET", path).status == 200
    for path in ("/v2/models/lenet5/ready", "/metrics", "/v3"):
        assert guarded.ask("GET", path).status == 401


def test_an_allowed_page_may_read_answers(guarded: RunningServer) -> None:
    """Its browser asks first, without a token, and every answer names the page, errors too."""
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "authorization,inference-header-content-length"}
    answer = guarded.ask("OPTIONS", "/v2/models/lenet5/infer", headers=asked | wanted)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    answer = guarded.ask("GET", "/v2", headers={"Origin": PAGE})
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == PAGE


def test_other_pages_may_neither_send_nor_read(guarded: RunningServer) -> None:
    """A page of another origin is refused before its token is looked at."""
    page = {"Origin": "https://evil.example"}
    answer = guarded.ask("POST", "/v2/repository/index", headers=page)
    assert answer.status == 400
    assert "pages of this origin may not send requests; start the server with" in answer.error
    assert "access-control-allow-origin" not in answer.headers
    asked = page | {"Access-Control-Request-Method": "POST"}
    answer = guarded.ask("OPTIONS", "/v2/repository/index", headers=asked)
    assert answer.status == 400
    assert "Disallowed CORS origin" in answer.error


def test_no_page_may_read_by_default(server: RunningServer) -> None:
    """Without origins there is no word of CORS, and other pages may not send."""
    answer = server.ask("GET", "/v2", headers={"Origin": PAGE})
    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]
    answer = server.ask("POST", "/v2/repository/index", headers={"Origin": PAGE})
    assert answer.status == 400
    own = {"Origin": f"http://{server.url}"}
    assert server.ask("POST", "/v2/repository/index", headers=own).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_another_name_is_refused(server: RunningServer, host: str) -> None:
    """A page that binds its own name to this machine's address is not served."""
    answer = server.ask("GET", "/v2", headers={"Host": host})
    assert answer.status == 400
    assert "this server answers to 127.0.0.1, [::1], localhost" in answer.error


def test_control_is_off_by_default(guarded: RunningServer) -> None:
    """Models are neither loaded nor unloaded over HTTP unless that is allowed."""
    for verb in ("load", "unload"):
        answer = guarded.ask("POST", f"/v2/repository/models/lenet5/{verb}", headers=bear(IDLE))
        assert answer.status in (501, 429)
    assert guarded.ask("GET", "/v2/health/ready").status == 200


def test_answers_carry_security_headers(server: RunningServer) -> None:
    """Every answer forbids sniffing, framing and caching, and does not name the server."""
    for path in ("/v2", "/nowhere", "/v2/health/live"):
        headers = server.ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


@pytest.mark.parametrize(
    "name", ["..", "../lenet5", "%2e%2e%2flenet5", "lenet5%00", "lenet5.onnx", "%ff", "a" * 5000]
)
def test_names_of_models_are_names_only(server: RunningServer, name: str) -> None:
    """No path in a model's name reaches the file system."""
    for method, path in (
        ("GET", f"/v2/models/{name}"),
        ("POST", f"/v2/repository/models/{name}/load"),
    ):
        answer = server.ask(method, path)
        assert answer.status in (400, 404)
        assert len(answer.error) < 400


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 tokens; write 1 to 1000, one a line"),
        ("short\n", "token 1 has 5 characters; use 16 to 256"),
        (f"{TOKEN}\n{'x' * 8} {'y' * 8}\n", "token 2 has 17 characters"),
        (f"{TOKEN}\n" * 1001, "1001 tokens"),
    ],
)
def test_bad_token_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """A file that protects nothing is refused, and no token appears in the message."""
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        read_tokens(path)
    assert TOKEN not in str(caught.value)


def test_missing_token_files_are_refused(tmp_path: Path) -> None:
    """A file that is not there does not mean that everyone may ask."""
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file or directory\)"):
        read_tokens(tmp_path / "tokens")


def test_a_rate_needs_tokens() -> None:
    """A rate that holds for nobody is a mistake."""
    with pytest.raises(SettingsError, match="rate 5 per second is one of tokens"):
        Callers(ServiceSettings(rate=5))


def test_a_bucket_fills_at_its_rate() -> None:
    """A second's worth may come at once; then one comes as often as the rate says."""
    bucket = Bucket(2)
    bucket.take(100.0)
    bucket.take(100.0)
    with pytest.raises(Overloaded, match="used more than 2 times a second; wait 1 s"):
        bucket.take(100.25)
    bucket.take(100.5)
    with pytest.raises(Overloaded, match="wait 1 s"):
        bucket.take(100.5)


def test_a_bucket_never_holds_more_than_a_second() -> None:
    """A token that was idle for a day gains no more than one of a second."""
    bucket = Bucket(3)
    for _ in range(3):
        bucket.take(86_400.0)
    with pytest.raises(Overloaded, match="wait 1 s"):
        bucket.take(86_400.0)


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", {"127.0.0.1", "localhost", "[::1]"}),
        ("localhost", {"127.0.0.1", "localhost", "[::1]"}),
        ("::1", {"127.0.0.1", "localhost", "[::1]"}),
        ("Lab.example", {"lab.example"}),
        ("0.0.0.0", set()),  # noqa: S104 - not bound to
        ("::", set()),
    ],
)
def test_names_follow_the_address(host: str, names: set[str]) -> None:
    """A server on one address answers to its names, one on all addresses to any."""
    assert list_hosts(host) == names


def check_host(host: str, *names: str, name: str) -> None:
    """Let a server judge a name in ``Host``."""
    callers = Callers(ServiceSettings(host=host, host_names=names))
    callers.check_origin({"method": "GET", "headers": [(b"host", name.encode())]})


@pytest.mark.parametrize("name", ["paint.example", "Paint.Example:443", "localhost:80"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - not bound to
def test_a_proxys_name_is_taken(host: str, name: str) -> None:
    """Behind a proxy a server answers to the proxy's name too, in any case and at any port."""
    check_host(host, "paint.example", name=name)
    with pytest.raises(BadRequest, match="start it with --host-name and that one"):
        check_host(host, "paint.example", name="evil.example")


@pytest.mark.parametrize("name", ["10.1.2.3:8000", "[2001:db8::1]:8000"])
def test_addresses_are_taken_where_all_are_listened_at(name: str) -> None:
    """A probe that asks by address is answered; one address alone is not called by others."""
    check_host("0.0.0.0", "paint.example", name=name)  # noqa: S104 - not bound to
    with pytest.raises(BadRequest, match="this server answers to"):
        check_host("127.0.0.1", "paint.example", name=name)


def test_every_token_is_found(tmp_path: Path) -> None:
    """Each token of the file opens the server, with surrounding spaces of the header or not."""
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\r\n{OTHER}")
    callers = Callers(ServiceSettings(token_file=path))
    for value in (f"Bearer {TOKEN}", f"bearer  {OTHER} "):
        callers.check_token({"headers": [(b"authorization", value.encode())]})
    with pytest.raises(Unauthorized, match="missing or wrong"):
        callers.check_token({"headers": [(b"authorization", f"Bearer {TOKEN[:-1]}".encode())]})


def test_any_origin_may_be_allowed() -> None:
    """An asterisk allows every page."""
    scope = {
        "method": "POST",
        "headers": [(b"host", b"localhost:80"), (b"origin", b"https://any.example")],
    }
    Callers(ServiceSettings(origins=("*",))).check_origin(scope)
    with pytest.raises(BadRequest, match="may not send requests"):
        Callers(ServiceSettings()).check_origin(scope)
