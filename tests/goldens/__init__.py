"""Goldens: what Connectory says and sends in a few scripted worlds, stored byte for byte.

A scenario (`scenarios.py`) drives the command line against sandboxes on loopback ports, on a clock that stands still.
Everything that it prints, asks of a provider and sends to a receiver is compared with the files in `stored/`. A change
of the code that is not meant to change behaviour leaves all of them equal.

`python -m tests.goldens` writes the files anew, from the root of the repository. Read the difference before you commit
it. `python -m tests.goldens servicenow sageone` writes those scenarios only.

The modules of Connectory are imported in `driving.py` only: who moves a module changes that file, and no golden.

What cannot be fixed is replaced:

* the ports of the sandboxes and of the receiver, by ports of the same width (`:11111`, `:22222`, `:33333`; those that a
  command takes by itself by `44444`);
* the folders of this run and of the repository, where they are printed, by `FOLDER` and `ROOT`;
* tokens, codes, the credentials in `Authorization`, and Sage v3's nonce and signature, which are random, by `***`;
* in a request for a token, the length of the form, and what the HTTP library says of its own version, by `***`.

How long something took is fixed instead: `time.perf_counter` stands still while a command runs. The random pauses after
failures are seeded anew for each command. Log lines are left out.
Notifications are listed by their number and not by their arrival, because nothing promises an order between lanes.
"""
