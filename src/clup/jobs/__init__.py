"""The operator's side of the job runner: what is asked of it, and how its answers are shown."""
