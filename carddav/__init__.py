"""The CardDAV server (RFC 6352): shared address books on phones, in Outlook and Thunderbird.

Radicale speaks WebDAV; signing in, rights, storage and the frequent requests are ours, on ``core.directory.books``.
``entrance`` takes a request in, one transaction each; ``verbs`` answer it. See ``docs/carddav.md``.
"""
