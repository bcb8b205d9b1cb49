"""`python -m deep3d` is the `deep3d` command."""

from deep3d.cli import main

main()
