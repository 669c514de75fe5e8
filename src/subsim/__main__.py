"""`python -m subsim`: the same as the command `subsim`."""

from subsim.cli.app import main

if __name__ == "__main__":
    main()
