"""Entry points, each a short story that pyinfra reads from top to bottom."""
