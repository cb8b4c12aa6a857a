"""The JSON body of `POST /instances`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from ..errors import ConfigurationError
from .problems import described, messages_of


class ElementReference(Schema):
    """The element of the new instance: its key, or its number in Cloud Elements."""

    class Meta:
        unknown = INCLUDE

    key = fields.String(load_default=None)
    id = fields.Integer(load_default=None)


class InstanceBody(Schema):
    class Meta:
        unknown = INCLUDE

    element = fields.Nested(ElementReference, load_default=dict)
    provider_data = fields.Dict(data_key="providerData", load_default=dict)
    configuration = fields.Dict(keys=fields.String(), load_default=dict)
    tags = fields.List(fields.String(validate=validate.Length(max=255)), load_default=None)
    name = fields.String(load_default=None, validate=validate.Length(max=255))
    external_authentication = fields.String(
        data_key="externalAuthentication", load_default="none", validate=validate.OneOf(["none", "initial"])
    )


def load_instance_body(body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise ConfigurationError("expected a JSON object, the body of POST /instances")
    try:
        loaded: dict[str, Any] = InstanceBody().load(dict(body))
    except ValidationError as error:
        raise ConfigurationError("; ".join(described("", messages_of(error))), where="instance") from None
    return loaded
