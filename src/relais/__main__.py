"""`python -m relais` is `relais`."""

from relais.cli import main

if __name__ == "__main__":
    main()
