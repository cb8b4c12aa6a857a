"""How an instance is logged in with its provider, and how the login is kept alive.

`given` finds the login that a new instance brings with it. With OAuth2, `consent` sends a person to the provider,
`loopback` receives the answer on this machine, and `tokenendpoint` trades it for tokens. `tokens` keeps them valid,
`keepalive` renews those that nobody uses, `lostlogin` acts when the provider refuses them, `account` makes sure that a
new login is of the same account, and `revocation` ends the tokens of a deleted instance.
"""
