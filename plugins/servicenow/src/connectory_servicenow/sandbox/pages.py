"""The pages a person sees on the way to a token."""

from html import escape

from werkzeug.wrappers import Response

from connectory.sandbox import html_reply


def login(action: str, complaint: str = "") -> Response:
    return html_reply(
        "Log in | ServiceNow",
        f"""<h1>Log in</h1>
<p class="outputmsg_error" role="alert">{escape(complaint)}</p>
<form method="post" action="{escape(action)}">
<label>User name <input id="user_name" name="user_name" autocomplete="username"></label>
<label>Password <input id="user_password" name="user_password" type="password"></label>
<button type="submit" id="sysverb_login" name="sysverb_login" class="btn btn-primary">Log in</button>
</form>""",
    )


def consent(action: str, application: str, user: str, guard: str) -> Response:
    return html_reply(
        "Allow access | ServiceNow",
        f"""<h1>{escape(application)} would like to connect to your account</h1>
<p>Logged in as {escape(user)}</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="sysparm_ck" value="{escape(guard)}">
<button type="submit" class="btn btn-default" name="answer" value="deny">Deny</button>
<button type="submit" class="btn btn-primary" name="answer" value="allow">Allow</button>
</form>""",
    )


def message(text: str, status: int = 200) -> Response:
    return html_reply("ServiceNow", escape(text), status)


def hibernating() -> Response:
    return html_reply(
        "Instance Hibernating page",
        "<h1>Your instance is hibernating</h1><p>Sign in to the developer site to wake it.</p>",
    )


def wake_up_elsewhere() -> Response:
    return Response(status=302, headers={"Location": "https://developer.servicenow.com/dev.do#!/home?wu=true"})


def bad_gateway() -> Response:
    return html_reply("502 Bad Gateway", "<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>", 502)


def server_error(status: int) -> Response:
    return html_reply(f"{status} Error", f"<h1>{status}</h1><p>The server could not answer.</p>", status)


def too_long() -> Response:
    return html_reply("414 Request-URI Too Large", "<center><h1>414 Request-URI Too Large</h1></center>", 414)
