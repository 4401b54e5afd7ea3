import click


@click.group("users")
def group() -> None:
    """Commands on users."""
