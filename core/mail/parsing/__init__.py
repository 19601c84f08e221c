"""Raw bytes of a mail → what it says. Pure: no database, no network; hostile input is the normal case.

``child.parse_in_child`` is the way in: it parses in a process that may be killed. ``html`` makes HTML harmless,
``folding`` separates what is new in a reply from what it quotes.
"""
