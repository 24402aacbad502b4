"""Programs of four example jobs: audit, build, test and verify. Each runs in a job's container."""
