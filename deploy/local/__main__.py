"""The entry of ``./centrala``, after the shell part has made the environment."""

import sys

from core.foundation.settings import SettingsError
from deploy.local import authoring, commands, quality
from deploy.local.steps import StepFailed

HELP = """Usage: ./centrala COMMAND

  up                 set up what is missing and run the product until Ctrl-C
  status             which processes run, and where
  company            found a company; --help tells what it takes
  demo               load the demo companies into an empty installation
  reset [--yes]      delete all data of this checkout
  test [arguments]   install what tests need and run them
  check              format, lint, types, import contracts
  screenshots [page] pictures of the main pages, or of some, in all languages, themes and widths
  format             put the sources into form
  translate          collect strings into the catalogues
  migration "what"   draft a migration
  lock               renew the lock files
"""


def main(arguments: list[str]) -> int:
    """Run the command; answers the exit code."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    known = {
        "up": commands.up,
        "status": commands.status,
        "company": lambda: commands.company(rest),
        "demo": commands.demo,
        "reset": lambda: commands.reset(rest),
        "test": lambda: quality.test(rest),
        "check": quality.check,
        "screenshots": lambda: quality.screenshots(rest),
        "format": quality.put_into_form,
        "translate": authoring.translate,
        "migration": lambda: authoring.draft_migration(" ".join(rest)),
        "lock": authoring.lock,
    }
    if name not in known:
        sys.stdout.write(HELP)
        return 0 if name in {"help", "--help", "-h"} else 2
    try:
        return known[name]()
    except (SettingsError, StepFailed, RuntimeError, TimeoutError) as error:
        sys.stderr.write(f"centrala: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
