"""A network as a drawing in SVG: boxes scaled by shape, in rows of one width.

The form follows the figures of Krizhevsky et al. 2012 (figure 2) and He et al. 2016 (figures 3
and 5): tensors are solids, sums are circled, shortcuts go around what they skip.
"""

from collections.abc import Iterator

from calculator.drawing.boxes import describe_layer, describe_operation
from calculator.drawing.lettering import escape
from calculator.drawing.marks import Group
from calculator.drawing.pages import Page, lay_out
from calculator.drawing.steps import follow_twins
from calculator.drawing.strokes import render_marks
from calculator.errors import CalculatorError
from calculator.layers.shapes import render_shape
from calculator.summary import Report

MOST_LAYERS = 5_000
MOST_TOLD = 60  # boxes in the description that screen readers read


def render_svg(report: Report) -> str:
    """Return a drawing of a network as an SVG file, 1200 units wide, without a last newline.

    Every layer that is drawn is a group with the attribute ``data-layer``, its name, and a
    title that browsers show as a tooltip; ``data-also`` has the names of the layers that it
    stands for where equal units are folded, with blanks between them. The
    input's group has ``data-input``. There are no ids, styles, scripts or references, so that
    the text can be put into a page as it is.

    Args:
        report: what is drawn; at most 5,000 layers.

    Raises:
        CalculatorError: there are more layers.
    """
    count = len(report.rows)
    if count > MOST_LAYERS:
        message = (
            f"{report.network.name}: {count} layers are more than the {MOST_LAYERS} that are "
            "drawn; use --format table, or a part of the network"
        )
        raise CalculatorError(message)
    page = lay_out(report)
    size = f"{page.width} {page.height}"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{page.width}" '
        f'height="{page.height}" role="img" font-family="Helvetica, Arial, sans-serif" '
        'text-anchor="middle">'
    )
    title = f"<title>{escape(report.network.name)}</title>"
    about = f"<desc>{''.join(map(escape, describe_page(page)))}</desc>"
    paper = f'<rect width="{page.width}" height="{page.height}" fill="#ffffff"/>'
    groups = (render_group(group, page) for group in page.groups)
    return "\n".join([opening, title, about, paper, *filter(None, groups), "</svg>"])


def render_group(group: Group, page: Page) -> str:
    """Return the marks of a layer with its name and tooltip; nothing for no marks."""
    if not group.marks:
        return ""
    marks = render_marks(group.marks)
    if group.row is None:
        opening = "<g>" if group.box is None else '<g data-input="">'
        return f"{opening}{marks}</g>"
    also = list_twins(group, page)
    named = f' data-also="{" ".join(also)}"' if also else ""
    told = f"{describe_layer(group.row)}{f'; {len(also)} more are equal' if also else ''}"
    name = escape(group.row.node.name)
    return f'<g data-layer="{name}"{named}><title>{escape(told)}</title>{marks}</g>'


def list_twins(group: Group, page: Page) -> list[str]:
    """Return the escaped names of the layers that a group stands for beside its own."""
    if group.box is None:
        return []
    twins = follow_twins(group.box, page.twins)
    return [escape(page.boxes[twin].rows[group.place].node.name) for twin in twins]


def describe_page(page: Page) -> Iterator[str]:
    """Yield the boxes in words, in order."""
    for box in page.boxes[:MOST_TOLD]:
        made = "" if box.host is None else f" ({' '.join(describe_operation(box.host))})"
        yield f"{box.name}{made} {render_shape(box.shape)}. "
    if len(page.boxes) > MOST_TOLD:
        yield f"And {len(page.boxes) - MOST_TOLD} more."
