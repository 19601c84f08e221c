"""The path of a QR code draws exactly the modules of the code."""

import re

import segno

from tenant_app.qr import QUIET_MODULES, qr_code


def test_the_path_draws_the_modules_and_leaves_the_frame_white() -> None:
    text = "https://demo.example/synced/profile/" + "A" * 88
    code = qr_code(text)
    drawn = {
        (int(x) + step, int(y))
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", code.path)
        for step in range(int(width))
    }
    matrix = segno.make_qr(text, error="m").matrix
    dark = {
        (x + QUIET_MODULES, y + QUIET_MODULES) for y, row in enumerate(matrix) for x, module in enumerate(row) if module
    }
    assert drawn == dark
    assert code.size == len(matrix) + 2 * QUIET_MODULES
