"""Build the site of the documentation: `make site`.

The pages are those of docs/, as they stand on a code host, and every file of the project that they
link. They are copied once for each language, mkdocs builds each copy with warnings as errors, and
the result is checked: no dead link, nothing that is loaded from another host.
"""

from __future__ import annotations

import functools
import logging
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mkdocs.commands.build import build
from mkdocs.config import load_config
from pages import DOCS, ROOT, chinese_titles, copy_pages

SITE = ROOT / "site"
COPIES = ROOT / "build" / "site"
LANGUAGES = {"en": SITE, "zh": SITE / "zh"}
CHINESE = {
    "Home": "首页",
    "Tutorial": "教程",
    "How-to guides": "操作指南",
    "Reference": "参考",
    "Explanation": "原理",
    "Gallery": "案例",
}
"""The headings of the navigation in Chinese."""


def main() -> None:
    """Build the site in both languages and check it."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("jieba").setLevel(logging.WARNING)
    shutil.rmtree(COPIES, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    for language, target in LANGUAGES.items():
        copy_pages(COPIES / language, language)
        build_language(language, target)
    faults = [fault for page in sorted(SITE.rglob("*.html")) for fault in faults_of(page)]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{SITE.name}/index.html")


def build_language(language: str, target: Path) -> None:
    """Build the pages of a language; a warning is an error."""
    pages = COPIES / language
    config: Any = load_config(
        str(DOCS / "site" / "mkdocs.yml"), docs_dir=str(pages), site_dir=str(target), strict=True
    )
    config.theme["language"] = language
    config.extra |= {"alternate": True, "other": next(one for one in LANGUAGES if one != language)}
    config.plugins["material/search"].config.lang = ["en"] if language == "en" else ["en", "zh"]
    config.nav = [_part_of_nav(part, pages, language) for part in config.nav]
    build(config)


def _part_of_nav(part: Any, pages: Path, language: str) -> Any:
    """Return a part of the navigation, its patterns replaced by files, in a language."""
    ((heading, names),) = part.items()
    one = isinstance(names, str)
    names = [names] if one else names
    files = [
        file.relative_to(pages).as_posix() for name in names for file in sorted(pages.glob(name))
    ]
    missing = [name for name in names if not any(pages.glob(name))]
    if missing:
        sys.exit(f"docs/site/mkdocs.yml: there is no page {', '.join(missing)}")
    if language == "en":
        return {heading: files[0] if one else files}
    titled = [
        {chinese_titles()[name]: name} if name in chinese_titles() else name for name in files
    ]
    return {CHINESE[heading]: files[0] if one else titled}


class Links(HTMLParser):
    """What a page links and loads, and the anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.linked: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the anchor of a tag."""
        values = dict(attrs)
        self.anchors |= {values.get("id") or "", values.get("name") or ""}
        if tag == "a" and values.get("href"):
            self.linked.append(values["href"] or "")
        elif tag != "a":
            links = (values.get("src"), values.get("href") if tag == "link" else None)
            self.loaded += [link for link in links if link]


@functools.cache
def links_of(page: Path) -> Links:
    """Return the links of a page of the site."""
    return Links(page.read_text(encoding="utf-8"))


def faults_of(page: Path) -> list[str]:
    """Return what is wrong with a page: dead links, and what is loaded from another host."""
    faults = []
    for link in links_of(page).loaded + links_of(page).linked:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if link in links_of(page).loaded and parts.scheme != "data":
                faults.append(f"{page.relative_to(SITE)}: loads {link}")
            continue
        if page.name == "404.html":  # its links begin at the root of a host
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if target.is_dir():
            target /= "index.html"
        anchor = unquote(parts.fragment)
        dead = not target.is_file()
        if not dead and anchor and target.suffix == ".html":
            dead = anchor not in links_of(target).anchors
        if dead:
            faults.append(f"{page.relative_to(SITE)}: {link} leads nowhere")
    return faults


if __name__ == "__main__":
    main()
