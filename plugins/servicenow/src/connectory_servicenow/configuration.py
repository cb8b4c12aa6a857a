"""The configuration keys of a ServiceNow instance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from connectory.errors import ConfigurationError
from connectory.schemas import config_field

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
    """Column names, separated by commas."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        names = [name.strip() for name in super()._deserialize(value, attr, data, **options).split(",")]
        for name in filter(None, names):
            if not _COLUMN.fullmatch(name):
                raise ValidationError(f"{name[:80]!r} is not a column name, such as u_badge or manager.email")
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
    return config_field(
        fields.String,
        key,
        label,
        f"The table that these records are read from, e.g. {others}; {default} by default.",
        load_default=default,
        validate=validate.Regexp(_TABLE.pattern + r"\Z", error=f"{{input!r}} is not a table name, such as {default}"),
    )


def _filter(resource: str, example: str) -> EncodedQuery:
    return config_field(
        EncodedQuery,
        f"servicenow.{resource}.filter",
        f"{resource.capitalize()} Filter",
        f"An encoded query that every listed record must match, e.g. {example}.",
        load_default="",
    )


def _columns(resource: str) -> Columns:
    return config_field(
        Columns,
        f"servicenow.{resource}.fields",
        f"{resource.capitalize()} Fields",
        "Columns that your ServiceNow added to users and that the records must contain, e.g. u_badge,u_team.",
        load_default="",
    )


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE

    subdomain = config_field(
        Subdomain,
        SUBDOMAIN,
        "ServiceNow Subdomain",
        "Your instance: acme, acme.service-now.com or https://acme.service-now.com.",
        required=True,
    )
    display_value = config_field(
        DisplayValue,
        DISPLAY_VALUE,
        "Display Values",
        "What records contain: stored values (false), stored values and labels (all), or labels only (true). Labels "
        "only cannot be polled, because their dates are in the user's zone.",
        load_default="false",
        validate=validate.OneOf(["false", "all", "true"], error="{input!r} is not one of: {choices}"),
    )
    accounts_table = _table(ACCOUNTS_TABLE, "core_company", "Accounts Table", "customer_account")
    contacts_table = _table(CONTACTS_TABLE, "sys_user", "Contacts Table", "customer_contact")
    accounts_filter = _filter("accounts", "sys_class_name=core_company")
    contacts_filter = _filter("contacts", "active=true")
    agents_filter = _filter("agents", "active=true^roles=itil")
    incidents_filter = _filter("incidents", "active=true")
    contacts_fields = _columns("contacts")
    agents_fields = _columns("agents")
