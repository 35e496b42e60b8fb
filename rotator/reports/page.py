"""A report as one HTML page that needs nothing else: inline style and pictures, made for print as well.

Built as a tree (xml.etree), not as text: what comes from outside is escaped by construction, and no template language
and no library is needed (docs/design/2026-11-24-reports.md).
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rotator.reports import pictures
from rotator.reports.report import Report, words

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #111; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } p { margin: .25rem 0 }
.scope { color: #555 } .figures { margin: 1rem 0; padding: 0; list-style: none }
.figures li { display: inline-block; margin: 0 1.5rem .5rem 0 } .figures b { font-size: 1.25rem; display: block }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: 12px }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #ccc;
  overflow-wrap: anywhere }
thead { display: table-header-group } tr { break-inside: avoid }
.picture { width: 100%; height: auto; font-size: 12px; margin: 1rem 0 } footer { color: #555; font-size: 12px }
@page { size: A4 landscape; margin: 12mm } @media print { body { margin: 0; max-width: none } }
"""


def page(report: Report, made_by: str) -> str:
    """The whole page; `made_by` stands in its foot."""
    html = Element("html", {"lang": "en"})
    head, body = SubElement(html, "head"), SubElement(html, "body")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy",
                              "content": "default-src 'none'; style-src 'unsafe-inline'"})  # fmt: skip
    SubElement(head, "title").text = f"{report.title}, {words(report.at)}"
    SubElement(head, "style").text = STYLE
    _top(body, report)
    if report.bars:
        body.append(pictures.bars(report.bars))
    if report.spans:
        body.append(pictures.spans(report.spans, report.at))
    _table(body, report)
    SubElement(SubElement(body, "footer"), "p").text = made_by
    indent(html, space="")
    return "<!DOCTYPE html>\n" + _clean(tostring(html, encoding="unicode", method="html")) + "\n"


def _top(body: Element, report: Report) -> None:
    SubElement(body, "h1").text = report.title
    SubElement(body, "p").text = report.about
    scope = [words(report.at), f"org {report.org}" if report.org else "all orgs",
             f"since {words(report.since)}" if report.since else ""]  # fmt: skip
    SubElement(body, "p", {"class": "scope"}).text = ", ".join(filter(None, scope))
    figures = SubElement(body, "ul", {"class": "figures"})
    for name, value in report.figures.items():
        figure = SubElement(figures, "li")
        number = SubElement(figure, "b")
        number.text, number.tail = words(value), name.replace("_", " ")


def _table(body: Element, report: Report) -> None:
    table = SubElement(body, "table")
    titles, *rows = report.table()
    top = SubElement(SubElement(table, "thead"), "tr")
    for title in titles:
        SubElement(top, "th").text = title
    inside = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(inside, "tr")
        for cell in row:
            SubElement(line, "td").text = cell
    if not rows:
        SubElement(body, "p").text = "Nothing to tell."


def _clean(text: str) -> str:
    """Without control characters, which HTML does not allow."""
    return "".join(char for char in text if char >= " " or char == "\n")
