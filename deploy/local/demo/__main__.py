"""``python -m deploy.local.demo``: load the demo companies into an empty installation."""

from deploy.local.demo.load import load_demo

if __name__ == "__main__":
    load_demo()
