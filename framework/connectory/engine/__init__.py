"""Polling: who is polled when (`scheduler`, `executor`, `owner`), what one poll does (`poller`: `plan`, `fetch`,
`changes`, `envelope`), and the instances it does that for (`instances`, `runtime`, `oauth`, `tokens`, `vault`).

`engine.Engine` opens a store and holds them together.
"""
