"""What the demo's customers are made of, by language: names, places, products (``words.toml``)."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The words of one language; ``words.toml`` says what each list holds."""

    country: str
    mail_host: str
    wrote: str
    men: Sequence[str]
    women: Sequence[str]
    families: Sequence[str]
    towns: Sequence[tuple[str, str]]
    streets: Sequence[str]
    firms: Sequence[str]
    forms: Sequence[str]
    mobiles: Sequence[str]
    landlines: Sequence[str]
    products: Sequence[str]
    titles: Sequence[str]
    notes: Sequence[str]


def _load() -> dict[str, Language]:
    text = files("deploy.local.demo").joinpath("words.toml").read_text("utf-8")
    return {key: Language(**words) for key, words in tomllib.loads(text).items()}


LANGUAGES: Final[Mapping[str, Language]] = _load()
