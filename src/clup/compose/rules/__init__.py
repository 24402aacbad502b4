"""The invariants, one file for each thing that they guard."""
