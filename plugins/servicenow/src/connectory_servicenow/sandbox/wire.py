"""The last steps of every answer: headers and compression."""

import gzip
import secrets

from werkzeug.wrappers import Request, Response

from connectory.sandbox import Call

_COOKIES = ("JSESSIONID", "glide_user_route", "BIGipServerpool_sandbox")
_NEVER_STORE = {
    "Cache-Control": "no-cache,no-store,must-revalidate,max-age=-1",
    "Pragma": "no-store,no-cache",
    "Expires": "0",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Server": "ServiceNow",
}
_TYPES = {
    "application/json": "application/json;charset=UTF-8",
    "text/html; charset=utf-8": "text/html;charset=UTF-8",
}
_WORTH_COMPRESSING = 1000


def finish(reply: Response, call: Call) -> None:
    _label(reply, call.request)
    _compress(reply, call.request)


def _label(reply: Response, request: Request) -> None:
    # A file keeps its uploaded content type.
    if reply.content_type in _TYPES and not request.path.endswith("/file"):
        reply.content_type = _TYPES[reply.content_type]
    reply.headers.update(_NEVER_STORE)
    reply.headers["X-Transaction-ID"] = reply.headers.pop("X-Request-Id")
    for name in _COOKIES:
        reply.set_cookie(name, secrets.token_hex(16), httponly=True)


def _compress(reply: Response, request: Request) -> None:
    if not request.accept_encodings["gzip"] or "Content-Encoding" in reply.headers:
        return
    body = reply.get_data()
    if len(body) >= _WORTH_COMPRESSING:
        # The fastest level already compresses records to a tenth.
        reply.set_data(gzip.compress(body, compresslevel=1, mtime=0))
        reply.headers["Content-Encoding"] = "gzip"
        reply.headers["Vary"] = "Accept-Encoding"
