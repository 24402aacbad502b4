"""How many faults are tried, and what chance begins with: a sample, or all of a campaign.

`./clup test faults --campaign` says so in the environment. CLUP_SEED repeats what chance chose.
"""

from __future__ import annotations

import os

CAMPAIGN = "CLUP_CAMPAIGN" in os.environ
SEED = int(os.environ.get("CLUP_SEED", "4"))
