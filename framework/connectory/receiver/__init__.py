"""Verifies notifications in the application that receives them.

1. `receiver` is a WSGI application; it calls you for each notification.
2. `bodies` reads a notification, within a limit, and `connectory.signature` verifies it.
3. `memory` recognises repeats, and events that come after a later one of the same object.
"""

from .receiver import Received, Receiver

__all__ = ["Received", "Receiver"]
