"""The configuration keys of a Sage instance. Keys of Cloud Elements that have no use here are kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from connectory.errors import ConfigurationError
from connectory.schemas import SecretField, config_field

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
            raise ValidationError(f"{value!r} is not one of: {', '.join(addresses.COUNTRIES)}")
        return country or None


def _address(key: str, label: str) -> Address:
    return config_field(Address, key, label, "Replaces Sage's own address, for example with that of a sandbox.")


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE

    sage_api = config_field(
        fields.String,
        addresses.API,
        "Sage API",
        "The version of Sage's API: v3.1, or its predecessor v3 while Sage still runs it.",
        load_default=addresses.V31,
        validate=validate.OneOf([addresses.V31, addresses.V3], error="{input!r} is not one of: {choices}"),
    )
    sage_business = config_field(
        fields.String,
        BUSINESS,
        "Business",
        "The id of the business to work with, if the user has several; by default the lead business.",
        validate=validate.Regexp(
            re.compile(r"[0-9A-Za-z-]*\Z"),
            error="{input!r} is not the id of a business: GET /businesses lists them",
        ),
    )
    sage_country = config_field(
        Country,
        addresses.COUNTRY,
        "Country",
        "Two letters, such as GB. With it, Sage does not ask the user for the country. API v3 needs it.",
    )
    sage_site = config_field(fields.String, SITE, "Site", "API v3: the id of the site, if the login does not bring it.")
    sage_subscription_key = config_field(
        SecretField, SUBSCRIPTION_KEY, "Subscription Key", "API v3: the key of your API subscription."
    )
    sage_signing_secret = config_field(
        SecretField,
        SIGNING_SECRET,
        "Signing Secret",
        "API v3: the secret that signs requests, if your application signs.",
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
                raise ConfigurationError("API v3 needs a subscription key", where=SUBSCRIPTION_KEY)
        except ConfigurationError as error:
            text = f"{error.message}: {error.hint}" if error.hint else error.message
            raise ValidationError(text, error.where or addresses.API) from None
