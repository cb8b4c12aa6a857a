"""The body of `POST /instances`."""

from __future__ import annotations

import pytest

from connectory.errors import ConfigurationError
from connectory.schemas import load_instance_body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "expected a JSON object, the body of POST /instances"),
        ({"tags": "x"}, "instance: tags: Not a valid list."),
        ({"configuration": []}, "instance: configuration: Not a valid mapping type."),
        ({"externalAuthentication": "later"}, "instance: externalAuthentication: Must be one of: none, initial."),
        ({"element": "servicenowoauth"}, "instance: element: Invalid input type."),
    ],
)
def test_bad_bodies(body, message):
    with pytest.raises(ConfigurationError) as caught:
        load_instance_body(body)
    assert str(caught.value) == message
