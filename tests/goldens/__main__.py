"""Writes the goldens anew; see the package."""

from __future__ import annotations

import sys

from .book import STORED, write
from .scenarios import SCENARIOS, play

for name in sys.argv[1:] or SCENARIOS:
    changed = write(name, play(name))
    print(f"{name}: {', '.join(changed) or 'nothing has changed'}")
print(f"in {STORED}")
