"""Who calls: names of this server, web pages, bearer tokens and how often each may ask."""

import hashlib
import hmac
import ipaddress
import re
import time
from collections.abc import Iterable
from pathlib import Path

from starlette.types import Scope

from runner.service.errors import BadRequest, Overloaded, SettingsError, Unauthorized
from runner.service.http.answers import find_header
from runner.service.settings import ServiceSettings

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to
TOKEN = re.compile(r"[\x21-\x7e]{16,256}")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MAX_TOKENS = 1000


class Callers:
    """The checks that come before any work.

    Args:
        settings: of the service.

    Raises:
        SettingsError: the token file cannot be read, or a rate has no tokens to hold for.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._hosts = list_hosts(settings.host, settings.host_names)
        self._everywhere = settings.host in EVERYWHERE
        self._origins = frozenset(origin.lower() for origin in settings.origins)
        self._tokens = read_tokens(settings.token_file) if settings.token_file else ()
        if settings.rate is not None and not self._tokens:
            message = f"rate {settings.rate:g} per second is one of tokens; name a --token-file"
            raise SettingsError(message)
        self._buckets = [Bucket(settings.rate) for _ in self._tokens] if settings.rate else []

    def check_origin(self, scope: Scope) -> None:
        """Stop web pages that are not meant to use this server.

        A page can send here what it cannot read back, and by rebinding its own name to this
        machine's address it could read it too. The names of a server that listens on all
        addresses are known only where ``host_names`` tells them.

        Raises:
            BadRequest: the name in ``Host`` is not one of this server, or a page of another
                origin sends something.
        """
        host = (find_header(scope, b"host") or "").lower()
        if host and not self.is_ours(split_port(host)):
            message = (
                f"Host {host[:80]!r}: this server answers to {', '.join(sorted(self._hosts))}; use "
                "one of these names, or start it with --host-name and that one"
            )
            raise BadRequest(message)
        if scope["method"] in SAFE_METHODS:
            return
        origin = (find_header(scope, b"origin") or "").lower()
        if origin and origin.partition("://")[2] != host and not self.allows(origin):
            message = (
                f"Origin {origin[:80]!r}: pages of this origin may not send requests; start the "
                f"server with --origin {origin[:80]}"
            )
            raise BadRequest(message)

    def is_ours(self, name: str) -> bool:
        """Tell whether a name in ``Host`` is one of this server.

        Addresses are, where it listens on all: no page can give its own name to be one.
        """
        if not self._hosts or name in self._hosts:
            return True
        return self._everywhere and is_address(name)

    def allows(self, origin: str) -> bool:
        """Tell whether pages of an origin may use this server."""
        return origin in self._origins or "*" in self._origins

    def check_token(self, scope: Scope) -> None:
        """Check the bearer token and how often it was used, where tokens are wanted.

        Raises:
            Unauthorized: it is missing or wrong.
            Overloaded: it was used more often than it may.
        """
        if not self._tokens:
            return
        scheme, _, token = (find_header(scope, b"authorization") or "").partition(" ")
        place = self.find_token(token.strip()) if scheme.lower() == "bearer" else None
        if place is None:
            message = "token: missing or wrong; send the header 'Authorization: Bearer TOKEN'"
            raise Unauthorized(message)
        if self._buckets:
            self._buckets[place].take(time.monotonic())

    def find_token(self, token: str) -> int | None:
        """Return the place of a token in the file, in a time that tells nothing about it."""
        digest = digest_token(token)
        found = None
        for place, known in enumerate(self._tokens):
            if hmac.compare_digest(known, digest):
                found = place
        return found


class Bucket:
    """A token bucket: a second's worth may come at once, then one as often as the rate says.

    Args:
        rate: requests per second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._left = self._most
        self._filled_s = 0.0

    def take(self, now_s: float) -> None:
        """Take one request out.

        Args:
            now_s: seconds of a clock that never goes back.

        Raises:
            Overloaded: none is left.
        """
        gained = (now_s - self._filled_s) * self._rate
        self._left, self._filled_s = min(self._most, self._left + gained), now_s
        if self._left < 1:
            wait_s = int((1 - self._left) / self._rate) + 1
            message = f"token: used more than {self._rate:g} times a second; wait {wait_s} s"
            raise Overloaded(message, retry_after_s=wait_s)
        self._left -= 1


def list_hosts(host: str, names: Iterable[str] = ()) -> frozenset[str]:
    """Return the names that clients may call a server by; none when any will do.

    Args:
        host: it listens at.
        names: that it has besides, such as those of a proxy in front.
    """
    others = {name.lower() for name in names}
    name = f"[{host}]" if ":" in host else host.lower()
    if host in EVERYWHERE:
        return frozenset({*others, *LOOPBACK} if others else ())
    return frozenset({name, *others, *(LOOPBACK if name in LOOPBACK else ())})


def is_address(name: str) -> bool:
    """Tell whether a name in ``Host`` is an IP address."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def split_port(host: str) -> str:
    """Return the name in a ``Host`` header, without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def digest_token(token: str) -> bytes:
    """Return what is kept and compared instead of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def read_tokens(path: Path) -> tuple[bytes, ...]:
    """Return the digests of the tokens in a file, one a line.

    Raises:
        SettingsError: it cannot be read, is empty, or a line is no token.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8"
        message = f"token file {path}: cannot be read ({reason}); write one token a line"
        raise SettingsError(message) from None
    tokens = [line.strip() for line in lines if line.strip()]
    check_tokens(path, tokens)
    return tuple(digest_token(token) for token in dict.fromkeys(tokens))


def check_tokens(path: Path, tokens: Iterable[str]) -> None:
    """Check the tokens of a file.

    Raises:
        SettingsError: there are none, too many, or one is easily guessed.
    """
    listed = list(tokens)
    if not 1 <= len(listed) <= MAX_TOKENS:
        message = f"token file {path}: {len(listed)} tokens; write 1 to {MAX_TOKENS}, one a line"
        raise SettingsError(message)
    for place, token in enumerate(listed, start=1):
        if not TOKEN.fullmatch(token):
            message = (
                f"token file {path}: token {place} has {len(token)} characters; use 16 to 256 "
                "letters, digits and signs without spaces, such as: openssl rand -hex 32"
            )
            raise SettingsError(message)
