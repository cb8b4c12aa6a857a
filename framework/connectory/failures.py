"""What sending a request may raise, and what it means in plain words."""

from __future__ import annotations

import zlib

import requests
from urllib3.exceptions import HTTPError as TransportError

from .errors import ConfigurationError, ConnectoryError, ProviderError, RetryLaterError

SENDING_ERRORS = (requests.RequestException, TransportError, OSError, ValueError, zlib.error)
"""Every error that sending and reading may raise; `unreachable` translates each of them."""


def unreachable(error: Exception, where: str, timeout: tuple[float, float]) -> ConnectoryError:
    """The failure in plain words, without the URL and the headers that the original texts repeat."""
    kinds = {type(cause).__name__ for cause in _causes(error)}
    innermost = _innermost(error)
    return (
        _misconfigured(kinds, where)
        or _insecure(kinds, innermost, where)
        or _late(kinds, innermost, where, timeout)
        or _refused(kinds, where)
        or _broken(error, innermost, where)
    )


def _misconfigured(kinds: set[str], where: str) -> ConnectoryError | None:
    if kinds & {"InvalidURL", "LocationParseError", "LocationValueError"}:
        return ConfigurationError("this is not an address that a request can be sent to", where=where)
    if "ProxyError" in kinds:
        return RetryLaterError("the proxy refused the connection", where=where, hint="check HTTPS_PROXY and NO_PROXY")
    return None


def _insecure(kinds: set[str], innermost: str, where: str) -> ConnectoryError | None:
    if kinds & {"SSLCertVerificationError", "CertificateError"}:
        return ProviderError(
            f"its certificate is not trusted: {innermost}",
            where=where,
            hint="set REQUESTS_CA_BUNDLE to a bundle that holds your own authorities",
        )
    if kinds & {"SSLError", "SSLEOFError", "SSLZeroReturnError"}:
        return RetryLaterError(f"no secure connection could be made: {innermost}", where=where)
    return None


def _late(kinds: set[str], innermost: str, where: str, timeout: tuple[float, float]) -> ConnectoryError | None:
    connect, read = (f"{seconds:g} s" for seconds in timeout)
    if kinds & {"ConnectTimeout", "ConnectTimeoutError"} or "handshake" in innermost:
        return RetryLaterError(f"no connection within {connect}", where=where, hint="check the address and the network")
    if kinds & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return RetryLaterError(f"no answer within {read}", where=where)
    return None


def _refused(kinds: set[str], where: str) -> ConnectoryError | None:
    if kinds & {"NameResolutionError", "gaierror"}:
        return RetryLaterError("there is no such host", where=where, hint="check the host's name and the network")
    if "ConnectionRefusedError" in kinds:
        return RetryLaterError("the connection was refused", where=where, hint="is it running, and is the port right?")
    return None


def _broken(error: Exception, innermost: str, where: str) -> ConnectoryError:
    if type(error) is zlib.error:
        return RetryLaterError(f"the answer is damaged: {error}", where=where)
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException):
        return ConfigurationError(
            "a header or the path holds a character that cannot be sent",
            where=where,
            hint="look for line breaks in keys and tokens",
        )
    return RetryLaterError(f"the connection broke: {innermost}", where=where)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and everything that caused it; urllib3 keeps some causes only in an argument."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        reason = getattr(following, "reason", None) or next(iter(following.args), None)
        following = (
            following.__cause__ or following.__context__ or (reason if isinstance(reason, BaseException) else None)
        )
    return found


def _innermost(error: BaseException) -> str:
    """The text of the first cause: the errors around it repeat the URL."""
    cause = _causes(error)[-1]
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
