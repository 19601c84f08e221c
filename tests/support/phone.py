"""A phone as the server sees it: it syncs with a user name, a password and the token of its last visit."""

from dataclasses import dataclass, field

from core.directory.books import serving
from core.directory.books.visits import visit


@dataclass
class Phone:
    """A synced client. ``cards`` maps the addresses that it holds to their text; ``tokens`` says up to where."""

    username: str
    password: str
    cards: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    may_write: bool = False

    @property
    def text(self) -> str:
        """Everything that it holds."""
        return "\n".join(self.cards.values())

    def sync(self) -> None:
        """Fetch what changed in each book; a client that is being emptied presents its marked token the next time."""
        with visit(self.username, self.password, agent="Phone 1.0", address="192.0.2.7") as opened:
            self.may_write = opened.may_write
            for book in opened.books:
                token = self.tokens.get(book.collection, "")
                if serving.note_wiped(opened, token):
                    continue
                changes = serving.changes_since(opened, book, token)
                for row in changes.rows:
                    self.cards.pop(row.href, None)
                wanted = [row.href for row in changes.rows if row.etag]
                self.cards |= {card.href: card.body for card in serving.cards(opened, book, wanted)}
                self.tokens[book.collection] = changes.token


def field_text(page: str, name: str) -> str:
    """What stands in a field that is there to be copied."""
    _before, _id, rest = page.partition(f'id="{name}"')
    return rest.partition(">")[2].partition("<")[0]
