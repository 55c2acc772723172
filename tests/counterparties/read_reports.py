"""Reads report.csv and report.md of a folder as other programs do; fails when a name acts.

Usage: read_reports.py DIR
"""

import csv
import pathlib
import sys
from html.parser import HTMLParser

from markdown_it import MarkdownIt

folder = pathlib.Path(sys.argv[1])
with open(folder / "report.csv", newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file, strict=True))
header, rows = rows[0], rows[1:]
assert rows and all(len(row) == len(header) for row in rows), "rows of another length"
assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")], "a formula"

# What GitHub and GitLab show: HTML of the text counts, tables are tables, and bare addresses become links.
text = (folder / "report.md").read_text(encoding="utf-8")
assert len(text) <= 65536
html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
allowed = {"h3", "p", "code", "strong", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "span"}


class Reader(HTMLParser):
    rows, cells, text, inside = 0, [], "", 0

    def handle_starttag(self, tag, attrs):
        assert tag in allowed, f"<{tag} {attrs}> came out of a name"
        assert not attrs or attrs == [("style", attrs[0][1])], attrs
        if tag == "tr":
            self.cells.append(0)
        if tag in ("td", "th"):
            self.cells[-1] += 1

    def handle_data(self, data):
        self.text += data


reader = Reader()
reader.feed(html)
assert set(reader.cells) <= {3, 5}, "a table whose rows differ"
assert len(reader.cells) > 2
for row in rows:
    if row[1] in ("fail", "unknown") and row[2] == "no":
        # The whole name can be read: nothing of it was taken for markup.
        assert row[header.index("resource")].lstrip("'") in reader.text, row
