"""Telephony: lines, devices, trunks and their numbers, what rings for whom, and what became of every call.

Tables: phone_line, device, trunk, trunk_number, call, call_event, recording.
Events: CallEnded, RecordingReady.
The gateway tells what happens on the wire; here it is decided (``plans``), written down (``service``) and asked for
(``queries``). The columns of ``call`` follow from its rows in ``call_event``, which are never changed.
"""
