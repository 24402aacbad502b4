"""pyinfra's project file: `pyinfra inventories/NAME.py deploys/site.py` behaves as `clup` does.

pyinfra appends this folder to the module path; it must come first, or an installed package called
`roles` would be taken for ours.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE / "src")]

from clup import transport  # noqa: E402  the path comes first

transport.install()
