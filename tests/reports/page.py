"""A parsed page that tests can query."""

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """Collects the parts of a page that tests query; `text` leaves out style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.parts: list[str] = []
        self.own: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in ("style", "script") and self.tags[-1] not in self.own:
            self.own[self.tags[-1]] = data
        else:
            self.parts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def handlers(self) -> list[str]:
        return [name for _, name, _ in self.attributes if name.startswith("on")]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.parts))
