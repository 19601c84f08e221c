"""Workers that carry calls: a back-to-back user agent (RFC 7092) between devices, trunks and ``core.calls``.

``engine`` speaks SIP and carries sound, by pjsua2; its callbacks only leave signals. ``switchboard`` decides, call by
call, what follows from a signal; ``exchange`` carries that out; ``desk`` writes down what happened. ``python -m
telephony_gateway n`` is worker n.
"""
