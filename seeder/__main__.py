"""`python -m seeder` is `seeder`."""

from seeder.cli import main

main()
