"""Images of services, built where no registry is reachable: from distribution packages alone.

name = images.ensure("guard", print)      # "clup-guard:trixie-3f6c0a1b2d4e"
"""

from clup.images.build import ensure

__all__ = ["ensure"]
