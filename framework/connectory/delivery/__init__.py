"""Delivery: sends notifications to the callback URLs, signed, in order per object, and each at least once.

Each subscription has eight lanes, and the id of an object decides its lane. A lane sends one notification after
another, so the events of an object stay in order, and up to eight notifications of a subscription are sent at once.

1. `schedule` decides what follows from the answer to an attempt; it does no I/O.
2. `poster` makes one attempt over HTTP; `timed` limits how long its answer may take.
3. `lane` sends the oldest notifications of one lane and records how that went; `attempted` tells observers and the log.
4. `worker` claims lanes that are due (`claims`) and gives them to its threads (`crew`) until it must stop (`ending`).
   `outages` keeps a lasting failure from filling the log.

`connectory.signature` makes the headers. `connectory.receiver` is the other end: it verifies the signature, and
recognises repeats and wrong order.
"""
