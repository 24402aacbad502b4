"""Images in one file, for machines that reach no registry: read, judged, compared with a machine.

bundle = bundles.open("bundle.tar")
bundle.images["guard"]                    # "sha256:..."
"""

from clup.bundles.bundle import Bundle, BundleError
from clup.bundles.bundle import read as open  # noqa: A004  as in tarfile

__all__ = ["Bundle", "BundleError", "open"]
