"""Users and groups with fixed ids, their keys, and their user managers."""
