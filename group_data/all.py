"""What every machine has. A later layer (a group, a host) says only what differs.

Each name here is a role; what it may say is in docs/settings.md. What is left out has a default
that suits the site of the documentation.
"""

base = {
    "timezone": "Etc/UTC",
}
