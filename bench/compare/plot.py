"""Bars as SVG. Grey text and middle colours read on a light and on a dark ground, and there is no other ground."""

import html
import math

TEXT = "#7d8590"
OURS = "#2f81f7"
THEIRS = "#a371f7"
PARTS = {"good": "#3fb950", "middle": "#d29922", "bad": "#f85149"}
WIDTH, LABEL, ROW, BAR = 760, 250, 24, 15


def text(x, y, words, anchor="start", weight=""):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{weight}>{html.escape(str(words))}</text>')


def picture(title, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{html.escape(title)}" font-family="system-ui, sans-serif" font-size="13" '
            f'fill="{TEXT}">\n<title>{html.escape(title)}</title>\n'
            + text(0, 16, title, weight=' font-weight="600"') + "\n" + "\n".join(body) + "\n</svg>\n")


def bars(title, groups):
    """Groups of a name and rows (label, value, words); values on a logarithmic scale, less is better."""
    values = [value for _, rows in groups for _, value, _ in rows]
    low = 10 ** math.floor(math.log10(min(max(value, 0.01) for value in values)))
    high = max(values)
    room = WIDTH - LABEL - 160
    body, y = [], 30
    for name, rows in groups:
        y += 14
        body.append(text(0, y, name))
        y += 6
        for label, value, words in rows:
            length = max(2, room * math.log(max(value, low) / low) / math.log(max(high / low, 10)))
            colour = OURS if label.startswith("seawall") else THEIRS
            body.append(text(LABEL - 8, y + 12, label, "end"))
            body.append(f'<rect x="{LABEL}" y="{y}" width="{length:.0f}" height="{BAR}" rx="2" fill="{colour}"/>')
            body.append(text(LABEL + length + 6, y + 12, words))
            y += ROW - 4
        y += 6
    return picture(title, y + 4, body)


def shares(title, rows, names):
    """Rows of a label and three counts (good, middle, bad), each drawn as shares of its sum."""
    body, y, x = [], 36, LABEL
    for part, name in zip(PARTS, names):
        if name:
            body.append(f'<rect x="{x}" y="{y - 10}" width="11" height="11" rx="2" fill="{PARTS[part]}"/>')
            body.append(text(x + 16, y, name))
            x += 30 + 7 * len(name)
    y += 12
    room = WIDTH - LABEL - 10
    for label, counts in rows:
        total, x = max(sum(counts), 1), LABEL
        body.append(text(LABEL - 8, y + 12, label, "end"))
        for part, count in zip(PARTS, counts):
            width = room * count / total
            if count:
                body.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR + 2}" fill="{PARTS[part]}"/>')
                if width > 26:
                    body.append(f'<text x="{x + width / 2:.0f}" y="{y + 13}" text-anchor="middle" fill="#0d1117">{count}</text>')
            x += width
        y += ROW
    return picture(title, y + 4, body)
