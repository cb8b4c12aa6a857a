"""The helper that makes the field of one configuration key."""

from __future__ import annotations

import pytest
from marshmallow import Schema, ValidationError, fields

from connectory import Secret
from connectory.schemas import CallbackURL, SecretField, config_field


class Configuration(Schema):
    url = config_field(fields.String, "acme.url", "URL", "The address.", required=True)
    token = config_field(SecretField, "acme.token", "Token", "The token.")
    size = config_field(fields.Integer, "acme.size", "Size", "The size.", load_default=5)


def test_a_key_has_its_label_and_description():
    field = Configuration().fields["token"]
    assert (field.data_key, field.metadata) == (
        "acme.token",
        {"secret": True, "label": "Token", "description": "The token."},
    )


def test_a_key_that_is_not_required_may_be_left_out_or_null():
    assert Configuration().load({"acme.url": "x"}) == {"url": "x", "token": None, "size": 5}
    assert Configuration().load({"acme.url": "x", "acme.token": None})["token"] is None
    assert Configuration().load({"acme.url": "x", "acme.token": "t"})["token"] == Secret("t")


@pytest.mark.parametrize("wrong", [{}, {"acme.url": None}, {"acme.url": "x", "acme.size": None}])
def test_a_required_key_and_one_with_a_default_may_not_be_null(wrong):
    with pytest.raises(ValidationError):
        Configuration().load(wrong)


@pytest.mark.parametrize("url", ["https://a", " http://a:8080/b?c=d ", "https://[::1]/"])
def test_urls_that_can_be_called(url):
    assert CallbackURL().deserialize(url) == url.strip()


@pytest.mark.parametrize(
    "url", ["/x", "ftp://a", "https://", "https://a:0/", "https://a:x/", "https://a/#b", "https://a/ b", "https://[a/"]
)
def test_urls_that_cannot_be_called(url):
    with pytest.raises(ValidationError, match="is not a URL that can be called"):
        CallbackURL().deserialize(url)
