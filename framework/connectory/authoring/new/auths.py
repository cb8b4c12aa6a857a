"""The kinds of auth that a new plugin can have, with the lines that each kind adds to the files.

The lines are `string.Template`s. `compose` fills in `$key`, `$name`, `$title`, `$CONSTANT`, `$package` and `$prefix`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Auth:
    """`label` describes the kind to the author who chooses. `settings` are the configuration keys with their meaning.

    In the plugin: `parts` are imported from `connectory`, and `typed` (module and name) only for the type checker;
    `fields` are lines of the configuration, `oauth` of the element, `helpers` are functions; `build` makes the auth.
    In the sandbox: `imports` are whole lines, `fakes` are imported from `connectory.sandbox`, `constants` and
    `functions` stand in the file, `login` in the function that opens it, and `configured` in its configuration.
    In the tests: `test_imports` (module and name), and `test`.
    """

    label: str
    settings: tuple[tuple[str, str], ...]
    parts: tuple[str, ...]
    fields: str = ""
    oauth: str = ""
    helpers: str = ""
    build: str
    typed: tuple[tuple[str, str], ...] = ()
    imports: tuple[str, ...] = ()
    fakes: tuple[str, ...]
    constants: str = ""
    functions: str = ""
    login: str
    configured: tuple[str, ...] = ()
    test_imports: tuple[tuple[str, str], ...] = ()
    test: str


def _text(name: str, label: str, description: str) -> str:
    return f"""    {name} = fields.String(
        data_key="$key.{name}",
        required=True,
        metadata={{"label": "{label}", "description": "{description}"}},
    )
"""


def _secret(name: str, label: str, description: str) -> str:
    return _text(name, label, description).replace("fields.String", "SecretField")


_REFUSED = """
def test_the_sandbox_wants_a_login() -> None:
    client = Client(open_sandbox())
    assert client.get(PATH).status_code == 401
"""

BASIC = Auth(
    label="a user name and a password (HTTP Basic)",
    settings=(("username", "the user's name"), ("password", "the user's password")),
    parts=("BasicAuth",),
    fields=_text("username", "User Name", "The user who logs in.") + _secret("password", "Password", "The password."),
    build='    return BasicAuth(config["$key.username"], config["$key.password"])',
    fakes=("basic",),
    constants='USERNAME, PASSWORD = "sandbox", "sandbox-password"\n',
    login="    sandbox.authenticate = basic({USERNAME: PASSWORD})\n",
    configured=('"$key.username": USERNAME', '"$key.password": PASSWORD'),
    test_imports=(("$package.sandbox", "PASSWORD"), ("$package.sandbox", "USERNAME")),
    test=_REFUSED
    + """    assert client.get(PATH, auth=(USERNAME, "another")).status_code == 401
    assert client.get(PATH, auth=(USERNAME, PASSWORD)).status_code == 200
""",
)

BEARER = Auth(
    label="a token that never changes (Authorization: Bearer)",
    settings=(("token", "the access token"),),
    parts=("ApiKeyAuth",),
    fields=_secret("token", "Token", "The access token that the provider gave you."),
    build='    return ApiKeyAuth(config["$key.token"], header="Authorization", scheme="Bearer")',
    fakes=("api_key",),
    constants='TOKEN = "sandbox-token"\n',
    login='    sandbox.authenticate = api_key(f"Bearer {TOKEN}", header="Authorization")\n',
    configured=('"$key.token": TOKEN',),
    test_imports=(("$package.sandbox", "TOKEN"),),
    test=_REFUSED
    + """    assert client.get(PATH, headers={"Authorization": "Bearer another"}).status_code == 401
    assert client.get(PATH, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
""",
)

_KEY = _secret("key", "API Key", "The key that the provider gave you.")

KEY_IN_HEADER = Auth(
    label="a key in a header (X-Api-Key)",
    settings=(("key", "the API key"),),
    parts=("ApiKeyAuth",),
    fields=_KEY,
    build='    return ApiKeyAuth(config["$key.key"], header="X-Api-Key")',
    fakes=("api_key",),
    constants='KEY = "sandbox-key"\n',
    login='    sandbox.authenticate = api_key(KEY, header="X-Api-Key")\n',
    configured=('"$key.key": KEY',),
    test_imports=(("$package.sandbox", "KEY"),),
    test=_REFUSED
    + """    assert client.get(PATH, headers={"X-Api-Key": "another"}).status_code == 401
    assert client.get(PATH, headers={"X-Api-Key": KEY}).status_code == 200
""",
)

KEY_IN_QUERY = Auth(
    label="a key in the query (?api_key=)",
    settings=(("key", "the API key"),),
    parts=("ApiKeyAuth",),
    fields=_KEY,
    build='    return ApiKeyAuth(config["$key.key"], query="api_key")',
    fakes=("api_key",),
    constants='KEY = "sandbox-key"\n',
    login='    sandbox.authenticate = api_key(KEY, query="api_key")\n',
    configured=('"$key.key": KEY',),
    test_imports=(("$package.sandbox", "KEY"),),
    test=_REFUSED
    + """    assert client.get(PATH, query_string={"api_key": "another"}).status_code == 401
    assert client.get(PATH, query_string={"api_key": KEY}).status_code == 200
""",
)

OAUTH2 = Auth(
    label="OAuth2: the user allows the access in a browser (authorization code)",
    settings=(),
    parts=("BearerAuth", "OAuth2"),
    oauth='    oauth=OAuth2(authorize_url=at("/oauth/authorize"), token_url=at("/oauth/token")),\n',
    build="    return BearerAuth(tokens)",
    fakes=("Authority", "OAuth2Server"),
    login="    sandbox.oauth = OAuth2Server(authority=Authority(clock=sandbox.clock))\n",
    test=_REFUSED
    + """    assert client.get(PATH, headers={"Authorization": "Bearer made-up"}).status_code == 401
""",
)

HMAC = Auth(
    label="each request signed with a shared secret (HMAC)",
    settings=(("key", "the key that says who signs"), ("secret", "the shared secret that signs")),
    parts=("ApiKeyAuth", "SignedAuth"),
    fields=_KEY + _secret("secret", "Secret", "The shared secret that signs the requests."),
    helpers='''
def base_string(request: PreparedRequest, nonce: str) -> str:
    """What is signed of a request."""
    return f"{request.method}\\\\n{request.path_url}\\\\n{nonce}"

'''.replace("\\\\", "\\"),
    build="""    return SignedAuth(
        secret=config["$key.secret"],
        base_string=base_string,
        signature_header="X-Signature",
        nonce_header="X-Nonce",
        encoding="hex",
        inner=ApiKeyAuth(config["$key.key"], header="X-Api-Key"),
    )""",
    typed=(("requests", "PreparedRequest"),),
    imports=("import hashlib", "import hmac"),
    fakes=("ApiError", "api_key"),
    constants='KEY, SECRET = "sandbox-key", "sandbox-secret"\n',
    functions='''
def signature_of(request: Request) -> str:
    query = request.query_string.decode()
    address = f"{request.path}?{query}" if query else request.path
    signed = f"{request.method}\\n{address}\\n{request.headers.get('X-Nonce', '')}"
    return hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()


def check_signature(request: Request) -> str:
    """Who has signed a request; a 401 where nobody has."""
    signer = api_key(KEY, header="X-Api-Key")(request)
    if not hmac.compare_digest(request.headers.get("X-Signature", ""), signature_of(request)):
        raise ApiError(401, "the signature is missing or wrong")
    return signer

''',
    login="    sandbox.authenticate = check_signature\n",
    configured=('"$key.key": KEY', '"$key.secret": SECRET'),
    test_imports=(("$package", "base_string"), ("$package.sandbox", "KEY"), ("requests", "Request")),
    test="""
def test_what_is_signed() -> None:
    request = Request("GET", f"https://provider.example{PATH}?limit=5").prepare()
    assert base_string(request, "n0nce") == f"GET\\n{PATH}?limit=5\\nn0nce"


def test_the_sandbox_wants_a_signature() -> None:
    client = Client(open_sandbox())
    assert client.get(PATH).status_code == 401
    assert client.get(PATH, headers={"X-Api-Key": KEY, "X-Signature": "made-up"}).status_code == 401
""",
)

AUTHS = {
    "oauth2": OAUTH2,
    "bearer": BEARER,
    "api-key-header": KEY_IN_HEADER,
    "api-key-query": KEY_IN_QUERY,
    "basic": BASIC,
    "hmac": HMAC,
}
"""By the name that `--auth` takes."""
