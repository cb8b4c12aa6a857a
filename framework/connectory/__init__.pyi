# The public names of Connectory, with the module that each is from: `__init__.py` reads them here.

from .app import App as App
from .app import open_app as _open
from .auth import ApiKeyAuth as ApiKeyAuth
from .auth import BasicAuth as BasicAuth
from .auth import BearerAuth as BearerAuth
from .auth import Token as Token
from .auth import TokenSource as TokenSource
from .ceql import parse as _parse_ceql
from .dates import Codec as Codec
from .dates import compile_pattern as compile_pattern
from .deletes import AuditLog as AuditLog
from .deletes import Counts as Counts
from .deletes import Feed as Feed
from .deletes import LogPart as LogPart
from .deletes import Sweep as Sweep
from .deletes import total_in_body as total_in_body
from .deletes import total_in_header as total_in_header
from .errors import AuthenticationError as AuthenticationError
from .errors import ConfigurationError as ConfigurationError
from .errors import ConnectoryError as ConnectoryError
from .errors import NotFoundError as NotFoundError
from .errors import PluginError as PluginError
from .errors import ProviderError as ProviderError
from .errors import QueryError as QueryError
from .errors import RetryLaterError as RetryLaterError
from .hookspecs import hookimpl as hookimpl
from .http import Client as Client
from .model import Action as Action
from .model import Config as Config
from .model import Element as Element
from .model import Endpoint as Endpoint
from .model import OAuth2 as OAuth2
from .model import Page as Page
from .model import Paginator as Paginator
from .model import Params as Params
from .model import Pkce as Pkce
from .model import Query as Query
from .model import Request as Request
from .model import Resource as Resource
from .model import Response as Response
from .model import Verdict as Verdict
from .model import Window as Window
from .model import judge_by_status as judge_by_status
from .paging import CursorInBody as CursorInBody
from .paging import Keyset as Keyset
from .paging import NextLinkInBody as NextLinkInBody
from .paging import NextLinkInHeader as NextLinkInHeader
from .paging import Offset as Offset
from .paging import PageNumber as PageNumber
from .paging import SinglePage as SinglePage
from .ratelimits import Limit as Limit
from .secrets import Secret as Secret
from .signing import SignedAuth as SignedAuth
from .translate import Encoder as Encoder
from .translate import to_params as to_params
from .verdicts import auth_error as auth_error
from .verdicts import error_array as error_array
from .verdicts import error_field as error_field
from .verdicts import judges as judges
from .verdicts import message_at as message_at
from .verdicts import page_instead_of_json as page_instead_of_json
from .verdicts import quota as quota
from .verdicts import statuses as statuses

__version__: str

# Only `import X as X` exports a name from a stub, so these two are renamed here.
open = _open  # noqa: A001 - `connectory.open` is what a program calls
parse_ceql = _parse_ceql
