"""Programs that run on the machine itself: Python >= 3.11, its standard library, nothing else."""
