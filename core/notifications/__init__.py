"""Notifications: what happened that concerns one user, in the app, by mail and by web push (P-4).

Tables: ``notification``, ``notification_choice``, ``push_subscription``, ``push_key``. Events of other features make
them (``core.wiring``); ``choosing`` decides whom one concerns, ``mailing`` and ``pushing`` carry it there with the eyes
of its reader.
"""
