"""``python -m llmkg``: the command line."""

from llmkg.cli import main

if __name__ == "__main__":
    main()
