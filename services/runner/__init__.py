"""The job runner: callers name a job from the catalogue; it asks the guard for the container."""
