"""``python -m pathoview``: the same as the command ``pathoview``."""

from pathoview.cli import main

if __name__ == "__main__":
    main()
