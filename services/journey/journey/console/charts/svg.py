"""SVG elements as escaped text."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Value = str | int | float


def element(name: str, content: Iterable[Markup] | str = "", **attributes: Value) -> Markup:
    """One element. Attribute names: `_` for `-`, a trailing `_` falls away (class_); everything is escaped."""
    given = "".join(f' {_name(key)}="{escape(_text(value))}"' for key, value in attributes.items())
    inner = escape(content) if isinstance(content, str) else Markup("").join(content)
    return Markup(f"<{name}{given}>{inner}</{name}>")


def _name(key: str) -> str:
    return "viewBox" if key == "viewbox" else key.rstrip("_").replace("_", "-")


def _text(value: Value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def picture(width: float, height: float, says: str, content: Iterable[Markup], class_: str = "chart") -> Markup:
    """A chart. `says` is what it shows, for those who do not see it; the numbers are in the table behind it."""
    return element(
        "svg",
        content,
        class_=class_,
        viewbox=f"0 0 {_text(float(width))} {_text(float(height))}",
        role="img",
        aria_label=says,
        focusable="false",
    )


def box(x: float, y: float, width: float, height: float, class_: str, title: str = "") -> Markup:
    """A rectangle, with words that show when one points at it."""
    return element(
        "rect",
        [element("title", title)] if title else "",
        x=float(x),
        y=float(y),
        width=float(max(width, 0)),
        height=float(height),
        class_=class_,
    )


def label(x: float, y: float, text: str, class_: str = "", anchor: str = "start") -> Markup:
    """A line of text; `anchor` is start, middle or end."""
    return element("text", text, x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)
