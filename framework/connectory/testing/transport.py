"""Sends the requests of a client to a WSGI application in this process, without a socket."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import Client as WsgiClient

from ..http import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping


class WsgiAdapter(HTTPAdapter):
    """Sends each request to the application of its host (`127.0.0.1:8080`); unknown hosts refuse the connection."""

    def __init__(self, applications: Mapping[str, Any]) -> None:
        super().__init__()
        self.applications = applications

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        application = self.applications.get(parts.netloc)
        if application is None:
            raise requests.ConnectionError(f"Connection refused: {parts.netloc}")
        answer = WsgiClient(application, use_cookies=False).open(
            path=parts.path,
            query_string=parts.query,
            base_url=f"{parts.scheme}://{parts.netloc}/",
            method=request.method,
            headers=list(request.headers.items()),
            data=request.body or b"",
            buffered=True,
        )
        body = answer.get_data()
        if len(body) < int(answer.headers.get("Content-Length") or 0):
            # A socket would notice this too: the body is shorter than its Content-Length.
            raise requests.ConnectionError(f"the connection broke after {len(body)} bytes")
        return _response(request, answer.status_code, list(answer.headers), body)


def _response(
    request: requests.PreparedRequest, status: int, headers: list[tuple[str, str]], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict(headers)
    response.raw = HTTPResponse(io.BytesIO(body), headers=HTTPHeaderDict(headers), status=status, preload_content=False)
    response.url = str(request.url)
    response.request = request
    return response


def wsgi_sessions(applications: Mapping[str, Any]) -> Sessions:
    """HTTP sessions that reach only these applications, by their hosts.

    >>> from connectory import Client, Request
    >>> from connectory.sandbox import Sandbox
    >>> fake = Sandbox()
    >>> fake.route("/me", lambda call: {"login": "ann"})
    >>> client = Client(base_url="http://acme.example", sessions=wsgi_sessions({"acme.example": fake}))
    >>> client.send(Request(path="/me")).json()
    {'login': 'ann'}
    """
    return Sessions(adapter=lambda: WsgiAdapter(applications))
