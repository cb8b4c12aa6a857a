"""Delivery: sends what the engine announced to the callback URLs, signed, in order per object, at least once.

1. `signature` and `schedule` are pure: the headers of an attempt, and what follows from its answer.
2. `sender` makes one attempt over HTTP.
3. `worker` claims lanes that are due, sends their oldest notifications, and writes down what came of it.
4. `receiver` is the other end: it verifies, drops duplicates and watches the order.
"""
