"""All invariants, in the order in which the documentation has them."""

from __future__ import annotations

from clup.compose.rules import isolation, limits, mounts, network, origin

CATALOGUE = (*mounts.RULES, *network.RULES, *isolation.RULES, *limits.RULES, *origin.RULES)
"""Every rule. Ids are unique and stay: waivers name them."""
