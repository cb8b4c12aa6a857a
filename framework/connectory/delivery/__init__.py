"""Delivery: sends what the engine announced to the callback URLs, signed, in order per object, at least once.

1. `schedule` is pure: what follows from the answer to an attempt. Its headers are `connectory.signature`'s.
2. `sender` makes one attempt over HTTP.
3. `worker` claims lanes that are due, sends their oldest notifications, and writes down what came of it.

`connectory.receiver` is the other end: it verifies, drops duplicates and watches the order.
"""
