"""A provider that is never the limit: one thread, raw asyncio, pages patched in memory.

`GET /items?offset=O&limit=N` answers records O to O+N of `--records`, each 4 KB; `GET /idle` an empty list.
The record at index i has the id i, so that every page is news until it was read once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

STAMP = "2026-01-01 00:00:00"
ID_WIDTH = 32


def record(number: int) -> dict:
    """An incident-like record: 95 fields, 12 references, about 4 KB."""
    fields = {
        "sys_id": f"{number:0{ID_WIDTH}x}",
        "sys_updated_on": STAMP,
        "sys_created_on": STAMP,
        "sys_mod_count": "3",
    }
    for index in range(12):
        value = f"{index:032x}"
        link = f"https://provider.example.test/api/now/table/sys_user/{value}"
        fields[f"reference_{index}"] = {"link": link, "value": value}
    for index in range(78):
        fields[f"field_{index:02}"] = f"a value of some length, number {index}"[: 12 + index % 24]
    fields["description"] = "x" * max(0, 4096 - len(json.dumps(fields)) - 20)
    return fields


class Pages:
    """Builds the body of any page by patching the ids into one prepared page."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._prepared: dict[int, tuple[bytearray, list[int]]] = {}

    def body(self, offset: int, limit: int) -> bytes:
        count = max(0, min(limit, self.total - offset))
        page, places = self._prepare(count)
        for index, place in enumerate(places):
            page[place : place + ID_WIDTH] = b"%032x" % (offset + index)
        return bytes(page)

    def _prepare(self, count: int) -> tuple[bytearray, list[int]]:
        if count not in self._prepared:
            page = bytearray(json.dumps({"result": [record(0)] * count}).encode())
            places, start = [], 0
            for _ in range(count):
                place = page.index(b'"sys_id": "', start) + len(b'"sys_id": "')
                places.append(place)
                start = place
            self._prepared[count] = page, places
        return self._prepared[count]


class Connection(asyncio.Protocol):
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._buffer = b""

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._answer(head.split(b" ", 2)[1].decode())

    def _answer(self, target: str) -> None:
        url = urlsplit(target)
        body = b'{"result":[]}'
        if url.path == "/items":
            query = parse_qs(url.query)
            body = self._pages.body(int(query["offset"][0]), int(query["limit"][0]))
        date = formatdate(usegmt=True)
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: {date}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


async def serve(records: int, ports: int, certificate: str | None) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop, pages, opened = asyncio.get_running_loop(), Pages(records), []
    for _ in range(ports):
        server = await loop.create_server(lambda: Connection(pages), "127.0.0.1", 0, ssl=context, backlog=256)
        opened.append(server.sockets[0].getsockname()[1])
    print(json.dumps(opened), flush=True)
    # The process that started this one closes our standard input when it ends, however it ends.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=0)
    parser.add_argument("--ports", type=int, default=1)
    parser.add_argument("--certificate")
    options = parser.parse_args()
    asyncio.run(serve(options.records, options.ports, options.certificate))
