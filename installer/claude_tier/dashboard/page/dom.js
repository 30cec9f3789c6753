// Elements from values. Text only ever becomes a text node: nothing here reads HTML.

/** An element with attributes (`false` and `null` are left out) and children (texts or nodes). */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** As `el`, for drawings. */
export function draw(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

export const at = (id) => document.getElementById(id);

/** What steers a reader or turns the direction of what follows, shown instead of obeyed. */
const STEERING =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export const visible = (text) =>
  String(text).replace(STEERING, (c) =>
    c === "\n" ? "\u23ce" : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** A name that others chose, apart from the text around it. */
export const name = (text, attributes = {}) => el("bdi", attributes, visible(text));

/**
 * A table that on a narrow screen becomes one block for each row.
 * `columns`: {title, figures?, wide?, whole?, brief?}: right-aligned, a line of its own on a narrow
 * screen, not broken on a wide one, with room for a short name there. A row is one text or node for each of them.
 */
export function table(caption, columns, rows, totals = []) {
  const head = columns.map((one) =>
    el("th", { scope: "col", role: "columnheader", class: one.figures && "num" }, one.title),
  );
  const line = (cells, kind) =>
    el(
      "tr",
      { role: "row", class: kind },
      ...cells.map((cell, index) => cellOf(columns[index], cell, index === 0)),
    );
  return el(
    "table",
    { role: "table" },
    el("caption", {}, caption),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...head)),
    el(
      "tbody",
      { role: "rowgroup" },
      ...rows.map((cells) => line(cells)),
      ...totals.map((cells) => line(cells, "total")),
    ),
  );
}

function cellOf(column, cell, first) {
  const label = el("span", { class: "label", "aria-hidden": "true" }, column.title);
  const value = el("span", { class: "value" }, cell ?? "");
  const names = { figures: "num", wide: "wide", whole: "whole", brief: "brief" };
  const kinds = Object.keys(names).filter((one) => column[one]).map((one) => names[one]).join(" ");
  if (first) return el("th", { scope: "row", role: "rowheader", class: kinds || null }, value);
  return el("td", { role: "cell", class: kinds || null }, label, value);
}
