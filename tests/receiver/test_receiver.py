"""The receiving end: what it verifies, refuses, knows again, and finds out of order."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from datetime import UTC, datetime, timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from connectory.delivery.poster import HttpPoster
from connectory.receiver import Receiver, memory
from connectory.receiver.bodies import MOST_BODY
from connectory.signature import headers_for

KEY = b"MySecretEventSignatureKey"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def event(object_id, sequence, object_type="incidents"):
    return {
        "date": "2026-03-01T12:00:00Z",
        "elementKey": "servicenowoauth",
        "eventType": "UPDATED",
        "objectId": object_id,
        "objectType": object_type,
        "sequence": sequence,
    }


def envelope(*events, instance=1):
    raw = {"objectType": "incidents", "incidents": [{}], "instance_id": instance}
    message = {"elementKey": "servicenowoauth", "instanceId": instance, "raw": raw, "events": list(events)}
    return json.dumps({"severity": "medium", "id": "7", "message": message, "user": "connectory"}).encode()


class Listener:
    """A receiver, called as a server would call it."""

    def __init__(self, keys=(KEY,), **options):
        self.received = []
        self.failing = False
        self.receiver = Receiver(keys, self._take, now=lambda: NOW, **options)

    def _take(self, received):
        if self.failing:
            raise RuntimeError("the disk is full")
        self.received.append(received)

    def post(self, number, body, *, keys=(KEY,), at=NOW, **changes):
        signed = headers_for(keys, number, at, body) if number is not None else {}
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.items()}
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **headers,
            **changes,
        }
        answers = []
        self.text = b"".join(self.receiver(environ, lambda status, headers: answers.append((status, dict(headers)))))
        self.headers = answers[0][1]
        return int(answers[0][0].split()[0])

    @property
    def last(self):
        return self.received[-1]


def test_a_signed_notification_is_accepted_and_passed_on():
    listener, body = Listener(), envelope(event("a", 1))
    assert listener.post(7, body) == 200
    assert (listener.last.id, listener.last.verified, listener.last.reason) == ("7", True, "")
    assert listener.last.events == [event("a", 1)]
    assert (listener.last.duplicate, listener.last.out_of_order, listener.last.body) == (False, [], body)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"keys": (b"another",)}, "Elements-Webhook-Signature does not match"),
        ({"keys": ()}, "the header Elements-Webhook-Signature is missing"),
        ({"at": NOW - timedelta(hours=1)}, "webhook-timestamp is 3600 s old"),
        ({"HTTP_WEBHOOK_SIGNATURE": "v1,AAAA"}, "webhook-signature does not match"),
        ({"HTTP_ELEMENTS_WEBHOOK_ID": "8"}, "Elements-Webhook-Id and webhook-id differ"),
        ({"wsgi.input": io.BytesIO(envelope(event("b", 1)))}, "Elements-Webhook-Signature does not match"),
    ],
)
def test_what_is_not_signed_as_it_should_be_is_refused_with_the_reason(changes, reason):
    listener = Listener()
    assert listener.post(7, envelope(event("a", 1)), **changes) == 401
    assert listener.text.decode().startswith(reason)
    assert not listener.last.verified
    assert listener.last.reason.startswith(reason)


def test_a_forgery_does_not_make_the_true_one_a_repeat_nor_late():
    listener = Listener()
    assert listener.post(7, envelope(event("a", 99)), keys=(b"another",)) == 401
    assert listener.post(7, envelope(event("a", 1))) == 200
    assert (listener.last.duplicate, listener.last.out_of_order) == (False, [])


def test_both_keys_are_accepted_while_one_is_changed():
    listener = Listener(keys=(KEY, b"older"))
    assert listener.post(7, envelope(), keys=(b"older",)) == 200
    assert listener.post(8, envelope(), keys=(b"newest", KEY), HTTP_ELEMENTS_WEBHOOK_SIGNATURE="sha256=") == 401
    assert listener.post(8, envelope(), keys=(KEY, b"older")) == 200


def test_without_a_key_nothing_is_verified_and_nothing_refused():
    listener = Listener(keys=())
    assert listener.post(7, envelope(event("a", 1))) == 200
    assert (listener.last.verified, listener.last.reason) == (False, "there is no signature key to check with")
    assert listener.post(7, envelope(event("a", 1)), keys=()) == 200
    assert listener.last.duplicate


def test_a_repeat_is_accepted_and_known():
    listener = Listener()
    for _ in range(2):
        assert listener.post(7, envelope(event("a", 1))) == 200
    assert [received.duplicate for received in listener.received] == [False, True]
    # A repeat is no event out of order.
    assert listener.last.out_of_order == []


def test_the_order_is_watched_per_object():
    listener = Listener()
    listener.post(1, envelope(event("a", 1), event("b", 5), event("a", 2)))
    listener.post(2, envelope(event("a", 3), event("c", 1)))
    listener.post(3, envelope(event("a", 1, "users"), event("b", 6)))
    listener.post(4, envelope(event("a", 1), instance=2))
    assert [received.out_of_order for received in listener.received] == [[]] * 4
    listener.post(5, envelope(event("a", 2), event("b", 7), event("c", 1)))
    assert listener.last.out_of_order == [event("a", 2), event("c", 1)]
    # What came late does not set the object back.
    listener.post(6, envelope(event("a", 3)))
    assert listener.last.out_of_order == [event("a", 3)]
    listener.post(7, envelope(event("d", 2), event("d", 1)))
    assert listener.last.out_of_order == [event("d", 1)]


def test_the_answer_can_be_set():
    listener = Listener(status=503)
    assert listener.post(7, envelope()) == 503
    listener = Listener(status=204)
    assert listener.post(7, envelope()) == 204
    assert (listener.text, listener.headers) == (b"", {})
    assert Listener(status=299).post(7, envelope()) == 299


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b'{"message": []}',
        b'{"message": {"events": {}}}',
        b'{"message": {"events": [1]}}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_a_notification_is_a_bad_request(body):
    listener = Listener()
    assert listener.post(7, body) == 400
    assert listener.received == []


def test_a_notification_without_an_id_is_a_bad_request():
    assert Listener(keys=()).post(None, envelope()) == 400


def test_events_without_a_sequence_have_no_order():
    listener = Listener()
    other = {"objectId": "a", "objectType": "incidents", "sequence": "x"}
    assert listener.post(7, envelope(other, {})) == 200
    assert (listener.last.events, listener.last.out_of_order) == ([other, {}], [])


def test_only_post_is_answered():
    listener = Listener()
    assert listener.post(7, b"", REQUEST_METHOD="GET") == 405
    assert listener.headers["Allow"] == "POST"


def test_a_body_is_bounded():
    listener, untouched = Listener(), io.BytesIO(b"{}")
    assert listener.post(7, b"", CONTENT_LENGTH=str(MOST_BODY + 1), **{"wsgi.input": untouched}) == 413
    # Chunked: the length shows while it is read.
    endless = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(bytes(MOST_BODY + 9))}
    assert listener.post(7, b"", **endless) == 413
    assert endless["wsgi.input"].tell() == MOST_BODY + 1
    # No length, and a server that cannot tell where it ends.
    assert listener.post(7, b"", CONTENT_LENGTH="", **{"wsgi.input": untouched}) == 400
    assert untouched.tell() == 0


def test_a_chunked_body_is_read():
    assert Listener().post(7, envelope(), CONTENT_LENGTH="", **{"wsgi.input_terminated": True}) == 200


def test_what_could_not_be_taken_in_is_new_when_it_comes_again():
    listener = Listener()
    listener.failing = True
    with pytest.raises(RuntimeError):
        listener.post(7, envelope(event("a", 1)))
    listener.failing = False
    assert listener.post(7, envelope(event("a", 1))) == 200
    assert (listener.last.duplicate, listener.last.out_of_order) == (False, [])


def test_it_remembers_so_much_and_no_more(monkeypatch):
    monkeypatch.setattr(memory, "MOST_REMEMBERED", 3)
    listener = Listener()
    for number in range(1, 6):
        listener.post(number, envelope(event(f"object {number}", 1)))
    listener.post(5, envelope(event("object 5", 1)))
    assert listener.last.duplicate
    listener.post(1, envelope(event("object 1", 1)))
    assert (listener.last.duplicate, listener.last.out_of_order) == (False, [])


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


@contextlib.contextmanager
def serving(app):
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_what_the_poster_sends_verifies_over_a_socket():
    received = []
    poster, body = HttpPoster(), envelope(event("é", 1))
    with serving(Receiver([KEY], received.append)) as url, contextlib.closing(poster):
        now = datetime.now(UTC)
        assert poster.post(url, headers_for([KEY], 7, now, body), body).status == 200
        refused = poster.post(url, headers_for([b"another"], 8, now, body), body)
        assert (refused.status, refused.head[:26]) == (401, b"Elements-Webhook-Signature")
    assert [(one.id, one.verified, one.body == body) for one in received] == [("7", True, True), ("8", False, True)]
