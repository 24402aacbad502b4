"""The audit chain of the job runner: how its lines are made, and what proves them whole."""
