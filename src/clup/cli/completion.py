"""`clup completion`: the script that teaches a shell to complete clup's words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from clup.cli import group

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of SHELL: bash, zsh or fish.

    \b
    Example, once `clup` is on the PATH (ln -s "$PWD/clup" ~/.local/bin/clup), for the file that the
    shell reads when it starts:
      eval "$(clup completion bash)"             ~/.bashrc
      eval "$(clup completion zsh)"              ~/.zshrc
      clup completion fish | source              ~/.config/fish/config.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None, f"click has no completion for {shell}"
    click.echo(completion(group, {}, "clup", "_CLUP_COMPLETE").source())
