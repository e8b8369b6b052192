"""Lets the modules of this folder share what they make, and says how long they look: `LABKIT_FUZZ` multiplies the number of tries."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
