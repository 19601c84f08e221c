"""The company's own settings: what it is called and looks like, when it is open, and its holidays."""
