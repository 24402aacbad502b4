"""The role stacks."""
