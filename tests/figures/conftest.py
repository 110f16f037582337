"""What tests of figures share; gone with the last figure that is not a topic's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lecture"))

from shared import drawn  # noqa: F401
