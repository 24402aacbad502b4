"""The job runner behind its guard: their socket, keys, tokens, jobs and stack."""
