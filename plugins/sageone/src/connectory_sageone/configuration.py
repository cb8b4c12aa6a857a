"""The configuration keys of a Sage instance. Those of the original platform that have no use here are kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from connectory.errors import ConfigurationError
from connectory.schemas import SecretField

from . import addresses

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSINESS = "sageone.business"
SITE = "resource_owner_id"
SUBSCRIPTION_KEY = "apim.subscription.key"
SIGNING_SECRET = "signature.secret"


class Address(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **options)
        try:
            return addresses.checked_address(text) if text.strip() else None
        except ConfigurationError as error:
            raise ValidationError(f"{error.message}: {error.hint}") from None


class Country(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        country: str = super()._deserialize(value, attr, data, **options).strip().upper()
        if country and country not in addresses.COUNTRIES:
            raise ValidationError(f"{value!r} is none of {', '.join(addresses.COUNTRIES)}")
        return country or None


def _address(key: str, label: str) -> Address:
    return Address(
        data_key=key,
        load_default=None,
        allow_none=True,
        metadata={"label": label, "description": "Another address than Sage's own, such as that of a sandbox."},
    )


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE

    sage_api = fields.String(
        data_key=addresses.API,
        load_default=addresses.V31,
        validate=validate.OneOf([addresses.V31, addresses.V3], error="{input!r} is not one of: {choices}"),
        metadata={"label": "Sage API", "description": "v3.1; or v3, its predecessor, while Sage still runs it."},
    )
    sage_business = fields.String(
        data_key=BUSINESS,
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(
            re.compile(r"[0-9A-Za-z-]*\Z"), error="{input!r} is no id of a business: GET /businesses lists them"
        ),
        metadata={
            "label": "Business",
            "description": "The id of the business to work with, where the user has several; else the lead business.",
        },
    )
    sage_country = Country(
        data_key=addresses.COUNTRY,
        load_default=None,
        allow_none=True,
        metadata={
            "label": "Country",
            "description": "Two letters, such as GB: spares the user the page with the flags. API v3 needs it.",
        },
    )
    sage_site = fields.String(
        data_key=SITE,
        load_default=None,
        allow_none=True,
        metadata={"label": "Site", "description": "API v3: the id of the site, where the login does not bring it."},
    )
    sage_subscription_key = SecretField(
        data_key=SUBSCRIPTION_KEY,
        load_default=None,
        allow_none=True,
        metadata={"label": "Subscription Key", "description": "API v3: the key of your API subscription."},
    )
    sage_signing_secret = SecretField(
        data_key=SIGNING_SECRET,
        load_default=None,
        allow_none=True,
        metadata={"label": "Signing Secret", "description": "API v3: signs requests, where your application does."},
    )
    sage_base_url = _address(addresses.BASE_URL, "API Address")
    sage_authorize_url = _address(addresses.AUTHORIZE_URL, "Consent Address")
    sage_token_url = _address(addresses.TOKEN_URL, "Token Address")
    sage_refresh_url = _address(addresses.REFRESH_URL, "Refresh Address")
    sage_revoke_url = _address(addresses.REVOKE_URL, "Revoke Address")

    @validates_schema
    def check_generation(self, data: Mapping[str, Any], **_: Any) -> None:
        keys = {field.data_key: data.get(name) for name, field in self.fields.items() if field.data_key}
        try:
            addresses.check_generation(keys)
            if addresses.is_v3(keys) and not keys.get(SUBSCRIPTION_KEY):
                raise ConfigurationError("API v3 wants a subscription key", where=SUBSCRIPTION_KEY)
        except ConfigurationError as error:
            text = f"{error.message}: {error.hint}" if error.hint else error.message
            raise ValidationError(text, error.where or addresses.API) from None
