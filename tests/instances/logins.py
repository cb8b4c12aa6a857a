"""What the tests of lost logins share: how one is lost, given again, and told."""

from __future__ import annotations

import json

from sqlalchemy import select
from werkzeug.test import Client as WsgiClient

from connectory import Secret, Token
from connectory.delivery.poster import Posted
from connectory.store import tables

CALLBACK = {"event.notification.callback.url": "https://app.example/hook", "event.notification.signature.key": "k" * 20}


class Post:
    def __init__(self):
        self.sent = []

    def post(self, url, headers, body):
        self.sent.append((url, headers, body))
        return Posted(status=200, duration=3, head=b"ok")


def notices(world):
    with world.app.parts.database.read() as connection:
        rows = connection.execute(select(tables.notifications).order_by(tables.notifications.c.id)).all()
    return [body for row in rows if (body := json.loads(row.body))["message"].get("type")]


def kill_login(snow):
    snow.sandbox.authority.expire("all")


def login(snow, user="integration"):
    answer = WsgiClient(snow.sandbox).post(
        "/oauth_token.do",
        data={
            "grant_type": "password",
            "username": user,
            "password": user,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
        },
    )
    body = json.loads(answer.get_data())
    return Token(access_token=Secret(body["access_token"]), refresh_token=Secret(body["refresh_token"]))
