"""The configuration keys of a ServiceNow instance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from connectory.errors import ConfigurationError

from . import encoded
from .address import SUBDOMAIN, instance_url
from .users import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Mapping

DISPLAY_VALUE = "servicenow.display_value"
ACCOUNTS_TABLE = "servicenow.accounts.table"
CONTACTS_TABLE = "servicenow.contacts.table"

_TABLE = re.compile(r"[a-z][a-z0-9_]{0,79}\Z")
_COLUMN = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")


class Subdomain(fields.String):
    """A subdomain, a host or a whole URL; loopback addresses are for the sandbox."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **options).strip()
        _as_invalid(instance_url, text)
        return text


class EncodedQuery(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        return _as_invalid(encoded.checked, super()._deserialize(value, attr, data, **options), "")


class Columns(fields.String):
    """Names with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        names = [name.strip() for name in super()._deserialize(value, attr, data, **options).split(",")]
        for name in filter(None, names):
            if not _COLUMN.fullmatch(name):
                raise ValidationError(f"{name[:80]!r} is no column name: expected e.g. u_badge,manager.email")
            if name.rpartition(".")[2] == PASSWORD:
                raise ValidationError(f"{PASSWORD} never leaves ServiceNow")
        return ",".join(filter(None, names))


class DisplayValue(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        text = str(value).lower() if isinstance(value, bool) else value
        return super()._deserialize(text, attr, data, **options)


def _as_invalid(check: Any, *arguments: str) -> Any:
    try:
        return check(*arguments)
    except ConfigurationError as error:
        raise ValidationError(error.message) from None


def _table(key: str, default: str, label: str, others: str) -> fields.String:
    return fields.String(
        data_key=key,
        load_default=default,
        validate=validate.Regexp(
            _TABLE.pattern + r"\Z", error=f"{{input!r}} is no table name: expected e.g. {default}"
        ),
        metadata={"label": label, "description": f"The table they are read from, e.g. {others}; {default} by default."},
    )


def _filter(resource: str, example: str) -> EncodedQuery:
    return EncodedQuery(
        data_key=f"servicenow.{resource}.filter",
        load_default="",
        metadata={
            "label": f"{resource.capitalize()} Filter",
            "description": f"An encoded query that every listed record must match, e.g. {example}.",
        },
    )


def _columns(resource: str) -> Columns:
    return Columns(
        data_key=f"servicenow.{resource}.fields",
        load_default="",
        metadata={
            "label": f"{resource.capitalize()} Fields",
            "description": "Columns that your instance added to users and records shall hold, e.g. u_badge,u_team.",
        },
    )


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE

    subdomain = Subdomain(
        data_key=SUBDOMAIN,
        required=True,
        metadata={
            "label": "ServiceNow Subdomain",
            "description": "Your instance: acme, acme.service-now.com or https://acme.service-now.com.",
        },
    )
    display_value = DisplayValue(
        data_key=DISPLAY_VALUE,
        load_default="false",
        validate=validate.OneOf(["false", "all", "true"], error="{input!r} is not one of: {choices}"),
        metadata={
            "label": "Display Values",
            "description": "What records hold: stored values (false), both these and labels (all), or labels only "
            "(true, which cannot be polled, for its dates are in the user's zone).",
        },
    )
    accounts_table = _table(ACCOUNTS_TABLE, "core_company", "Accounts Table", "customer_account")
    contacts_table = _table(CONTACTS_TABLE, "sys_user", "Contacts Table", "customer_contact")
    accounts_filter = _filter("accounts", "sys_class_name=core_company")
    contacts_filter = _filter("contacts", "active=true")
    agents_filter = _filter("agents", "active=true^roles=itil")
    incidents_filter = _filter("incidents", "active=true")
    contacts_fields = _columns("contacts")
    agents_fields = _columns("agents")
