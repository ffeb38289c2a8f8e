"""What an administrator types: `python -m admin COMMAND`."""
