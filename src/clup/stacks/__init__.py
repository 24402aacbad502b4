"""Compose stacks, from what a role says of one to what runs: said, judged, compared, checked.

`spec` is what a role says and is imported by all; what renders and judges (`judged`) is imported
only where there is a stack.
"""
