"""``python -m deploy.local.demo``: load the demo companies into an empty installation."""

import gc

from deploy.local.demo.load import load_demo

if __name__ == "__main__":
    gc.disable()  # a short life with many rows: collecting would cost more than it frees
    load_demo()
