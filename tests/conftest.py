"""pyinfra_cli patches the standard library for gevent: before any test module opens a socket."""

import pyinfra_cli  # noqa: F401
from hypothesis import settings

# How long an example takes says more about the machine, which others use too, than about the code.
settings.register_profile("clup", deadline=None)
settings.load_profile("clup")
