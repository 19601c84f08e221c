"""Recovery codes: ten texts to keep on paper, each of which stands once for the second factor.

Of a code only a keyed hash is stored (HMAC-SHA-256 under the installation's key, with its user): whoever reads the
table can neither use nor guess it.
"""

import hmac
from collections.abc import Sequence
from typing import Final

from sqlalchemy import any_, func, select, update

from core.foundation.history import record_change
from core.foundation.outbox import emit
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work
from core.identity.events import SecondFactorChanged
from core.identity.models import SecondFactor
from core.identity.passwords import READABLE_SIGNS, readable_password

HOW_MANY: Final = 10
GROUPS: Final = 3
SIGNS: Final = 4
"""60 bits: enough for a text that can be tried ten times a quarter of an hour."""
FEW: Final = 3
"""With so many left, the page says that it is time for new ones."""


def renew_codes(work: Work, user_id: int) -> Sequence[str]:
    """Ten new codes, which are told nowhere else; earlier ones work no more. The user has a second factor already."""
    codes = [readable_password(groups=GROUPS, signs=SIGNS) for _place in range(HOW_MANY)]
    before = codes_left(work, user_id)
    hashes = [_hash(user_id, code) for code in codes]
    work.session.execute(
        update(SecondFactor).where(SecondFactor.user_id == user_id).values(recovery_hashes=hashes),
        execution_options={"synchronize_session": False},
    )
    record_change(work, "user", user_id, before={"codes_left": before}, after={"codes_left": HOW_MANY})
    return codes


def codes_left(work: Work, user_id: int) -> int:
    """How many codes of the user's still work."""
    counted = select(func.cardinality(SecondFactor.recovery_hashes)).where(SecondFactor.user_id == user_id)
    return work.session.scalar(counted) or 0


def use_code(work: Work, user_id: int, code: str) -> bool:
    """Whether it is one of the user's codes; it works no more then. Emits ``SecondFactorChanged``.

    Of two who use one at the same moment the row lets the first.
    """
    typed = "".join(sign for sign in code.lower() if sign in READABLE_SIGNS)
    if len(typed) != GROUPS * SIGNS:
        return False
    wanted = _hash(user_id, typed)
    used = (
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, any_(SecondFactor.recovery_hashes) == wanted)
        .values(recovery_hashes=func.array_remove(SecondFactor.recovery_hashes, wanted))
        .returning(func.cardinality(SecondFactor.recovery_hashes))
    )
    left = work.session.scalar(used, execution_options={"synchronize_session": False})
    if left is None:
        return False
    record_change(work, "user", user_id, before={"codes_left": left + 1}, after={"codes_left": left})
    emit(work, SecondFactorChanged(user_id=user_id, change="recovery_used"))
    return True


def _hash(user_id: int, code: str) -> bytes:
    plain = f"recovery code:{user_id}:{code.replace('-', '')}"
    return hmac.digest(settings().secret_key.encode(), plain.encode(), "sha256")
