"""Requests that write: what callers give, in the shape that Sage takes.

Callers send what they would read: no wrapper, references as objects, fields that are Sage's own. Sage wants the record
wrapped in its singular name, references as `<field>_id`, and refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from connectory.errors import ConfigurationError
from connectory.model import Request

if TYPE_CHECKING:
    from connectory.model import Params

    from .resources import SageResource

_REFERENCE = {"id", "displayed_as", "$path"}
_READ_ONLY = {
    *_REFERENCE, "legacy_id", "created_at", "updated_at", "deleted_at", "lastModifiedDate", "deletable", "balance",
    "links", "system", "editable", "deactivatable",
}  # fmt: skip
# These belong to their record; a reference to one says nothing that could be written.
_PARTS = {"main_address", "delivery_address", "main_contact_person", "bank_account_details"}

_PLURALS = {"contact_types": "contact_type_ids"}
_VERBS = {"C": "created", "U": "updated", "D": "deleted"}


def create(resource: SageResource, record: Mapping[str, Any]) -> Request:
    _check(resource, "C")
    body = written(record)
    if resource.contact_type:
        body.setdefault("contact_type_ids", [resource.contact_type])
    return Request(method="POST", path=resource.path, body=_wrapped(resource, body))


def update(resource: SageResource, record_id: str, changes: Mapping[str, Any]) -> Request:
    """A partial record is fine: what it leaves out stays."""
    _check(resource, "U")
    path = resource.path if resource.is_single else f"{resource.path}/{record_id}"
    return Request(method="PUT", path=path, body=_wrapped(resource, written(changes)))


def delete(resource: SageResource, record_id: str, params: Params = ()) -> Request:
    """Sage keeps invoices and credit notes: deleting one makes it void, and wants a `void_reason` in the parameters."""
    _check(resource, "D")
    if resource.is_voided and not dict(params).get("void_reason"):
        raise ConfigurationError(
            f"{resource.name} are not deleted but made void, which needs a reason",
            where="void_reason",
            hint="add ?void_reason=...",
        )
    return Request(method="DELETE", path=f"{resource.path}/{record_id}", params=params)


def written(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it is written, from one as it is read.

    >>> written({"id": "1", "name": "Ann", "currency": {"id": "GBP", "displayed_as": "Pound", "$path": "/c/GBP"}})
    {'name': 'Ann', 'currency_id': 'GBP'}
    """
    body: dict[str, Any] = {}
    for name, value in record.items():
        if name in _READ_ONLY:
            continue
        key, converted = _field(name, value)
        if key:
            body.setdefault(key, converted)
    return body


def _field(name: str, value: Any) -> tuple[str, Any]:
    """The name and the value to write; no name where there is nothing to."""
    if isinstance(value, Mapping):
        if name in _PARTS:
            return ("" if value.keys() <= _REFERENCE else name), written(value)
        return (f"{name}_id", value.get("id")) if _is_reference(value) else (name, written(value))
    if not isinstance(value, list):
        return name, value
    if value and all(_is_reference(item) for item in value):
        return _PLURALS.get(name, f"{name.removesuffix('s')}_ids"), [item["id"] for item in value]
    return name, [written(item) if isinstance(item, Mapping) else item for item in value]


def _is_reference(value: Any) -> bool:
    return isinstance(value, Mapping) and "id" in value and value.keys() <= _REFERENCE


def _wrapped(resource: SageResource, body: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({resource.wrapper: body})


def _check(resource: SageResource, verb: str) -> None:
    if verb not in resource.verbs:
        raise ConfigurationError(f"{resource.name} cannot be {_VERBS[verb]} in Sage", where=resource.name)
