"""The machine itself: name, clock, locale, packages, journal, kernel settings, sshd."""
