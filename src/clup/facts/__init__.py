"""Facts that pyinfra lacks. Each reads many things of a kind in one remote command."""
