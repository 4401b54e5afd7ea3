import click


@click.group("clients")
def group() -> None:
    """Commands on clients."""
