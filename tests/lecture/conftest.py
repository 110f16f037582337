"""Makes `shared` and `breaking` importable, and the fixtures of `shared` known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from shared import drawn, nothing_remembered, verdict  # noqa: F401
