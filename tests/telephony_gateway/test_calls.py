"""Calls between real phones, through a real edge and a real engine."""

from tests.support.baresip import baresip
from tests.support.edge import DEMO
from tests.support.gateway import Gateway
from tests.support.sound import share_with_tone
from tests.support.waiting import wait_until


def test_101_calls_102_and_both_hear_the_other(gateway: Gateway) -> None:
    port, phones = gateway.edge.port, gateway.demo.phones
    boris, anna = phones["101"], phones["102"]
    with (
        baresip(port, boris.sip_username, str(boris.password), DEMO, tone=440) as caller,
        baresip(port, anna.sip_username, str(anna.password), DEMO, tone=1000) as callee,
    ):
        caller.do("dial", f"sip:102@{DEMO}")
        try:
            wait_until(lambda: len(callee.heard[0]) > 8000 * 3, deadline_s=8)
        except AssertionError:
            print(gateway.log.read_text())
            print(gateway.edge.log.read_text()[-3000:])
            print(caller.output.read_text(), callee.output.read_text())
            print(gateway.calls())
            import os; os.system(f"ls -la {callee.folder}")
            raise
        caller.do("hangup")
        call = gateway.last_call()
        print(call)
        print(caller.output.read_text(), callee.output.read_text())
        a, ra = caller.heard
        b, rb = callee.heard
        print(gateway.log.read_text())
        import os; os.system(f'cp {caller.folder}/dump* /tmp/w/t2/exp/; cp {callee.folder}/dump* /tmp/w/t2/exp/; cp {gateway.folder}/recordings/* /tmp/w/t2/exp/; ls -la {gateway.folder}/recordings; cp {callee.folder}/tone.wav /tmp/w/t2/exp/')
        print(len(a), ra, len(b), rb, share_with_tone(a, 1000, ra), share_with_tone(b, 440, rb))
    raise AssertionError
