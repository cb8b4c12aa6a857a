"""The login that the body of a new instance brings with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectory.errors import AuthenticationError


def body(snow, code=None, **more):
    configuration = snow.configuration() | {"username": "integration", "password": "integration"} | more
    provider_data = {} if code is None else {"code": code}
    return {"element": {"key": "servicenowoauth"}, "configuration": configuration, "providerData": provider_data}


def grants(snow):
    return [entry.grant for entry in snow.sandbox.log.entries if entry.grant]


@pytest.mark.parametrize("code", [None, "", "1000"])
def test_a_name_and_a_password_need_no_code_or_the_one_that_the_element_documents(snow, code):
    snow.app.instances.create(body(snow, code))
    assert grants(snow) == ["password"]


def test_what_is_a_password_code_at_one_provider_is_a_plain_code_at_another(snow):
    element = snow.app.parts.plugins.element("servicenowoauth")
    other = replace(element, oauth=replace(element.oauth, password_code=None))
    snow.app.parts.plugins._registry._elements["servicenowoauth"] = other
    with pytest.raises(AuthenticationError):
        snow.app.instances.create(body(snow, "1000"))
    assert grants(snow) == ["authorization_code"]
