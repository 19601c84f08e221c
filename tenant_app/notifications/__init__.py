"""Notifications of the viewer: the bell, the list, what comes by which channel, and browsers that take pushes."""
