"""Makes `zoo`, the models that both engines are tried on, importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
