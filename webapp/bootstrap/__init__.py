"""The door: what a newcomer's first command runs, before anything is installed. The standard library only."""
