// Spending over time, what it sums up to, and the agents: from /api/usage.

import { Columns } from "./chart.js";
import { at, draw, el, name, table, visible } from "./dom.js";
import { axis, count, money, period, plural, share, short } from "./words.js";

const chart = new Columns("spending-chart", "spending-readout");
const kinds = new Map(); // key -> colour, kept while the page is open
const REST = "everything else";

/** What the controls ask for, as a query. */
export function asked() {
  const form = new FormData(at("spending-form"));
  const days = Number(form.get("range"));
  const first = new Date();
  first.setDate(first.getDate() - (days === 1 ? 1 : days - 1));
  const two = (number) => String(number).padStart(2, "0");
  return {
    by: form.get("by"),
    granularity: days === 1 ? "hour" : "day",
    since: `${first.getFullYear()}-${two(first.getMonth() + 1)}-${two(first.getDate())}`,
  };
}

const kindOf = (key) => {
  if (key === null) return "s8";
  if (!kinds.has(key)) kinds.set(key, `s${kinds.size % 8}`);
  return kinds.get(key);
};

/** Chart and tables; `usage` has a series. */
export function show(usage) {
  const { periods, keys } = lastDay(usage);
  const named = keys.map((one) => ({ ...one, title: one.key === null ? REST : visible(short(one.key)) }));
  chart.show({
    label: `Spending by ${usage.granularity} and ${usage.by}`,
    labels: periods.map((one) => one.label),
    columns: periods.map((_, index) =>
      named.map((one) => ({ value: one.usd[index] ?? 0, kind: kindOf(one.key) })),
    ),
    format: axis,
    words: (index) => words(periods[index], named, index),
  });
  at("spending-rows").replaceChildren(rows(usage, captioned(usage), KINDS));
  at("spending-notes").textContent = notes(usage);
  at("spending-table").replaceChildren(
    table(
      `Dollars by ${usage.granularity} and ${usage.by}`,
      [{ title: usage.granularity === "hour" ? "Hour" : "Day", whole: true }, ...named.map((one) => ({ title: one.title, figures: true }))],
      periods.map((one, index) => [period(one.label, true), ...named.map((key) => money(key.usd[index]))]).reverse(),
    ),
  );
}

/** The chart by the hour shows the last 24, the sums what was used in whole days. */
const captioned = ({ by, granularity }) =>
  granularity === "hour" ? `By ${by}, since yesterday 00:00` : `By ${by}`;

/** The last 24 hours of what was asked for by whole days. */
function lastDay({ granularity, series }) {
  if (granularity !== "hour") return series;
  const from = Math.max(series.periods.length - 24, 0);
  return {
    periods: series.periods.slice(from),
    keys: series.keys.map((one) => ({ ...one, usd: one.usd.slice(from), requests: one.requests.slice(from) })),
  };
}

function words(one, keys, index) {
  const parts = keys.filter((key) => key.usd[index] || key.requests[index]);
  const total = parts.reduce((sum, key) => sum + (key.usd[index] ?? 0), 0);
  const each = parts.map((key) => `${key.title} ${money(key.usd[index])}`);
  const when = period(one.label, true);
  return parts.length ? `${when}: ${money(total)} (${each.join(", ")})` : `${when}: nothing`;
}

const COST = [
  ["Cost", (sums) => money(sums.usd, sums.unpriced_requests > 0)],
  ["Share", (sums, whole) => (whole && sums.usd !== null ? `${Math.round((sums.usd / whole) * 100)}\u00a0%` : "")],
];
const KINDS = [
  ["Requests", (sums) => sums.requests.toLocaleString("en-US")],
  ["Input", (sums) => count(sums.input_tokens)],
  ["Output", (sums) => count(sums.output_tokens)],
  ["Cache read", (sums) => count(sums.cache_read_tokens)],
  ["Cache write", (sums) => count(sums.cache_write_5m_tokens + sums.cache_write_1h_tokens)],
  ...COST,
];
const BRIEF = [
  KINDS[0],
  ["Output", (sums) => count(sums.output_tokens)],
  ["From cache", (sums) => (sums.cache_share === null ? "" : share(sums.cache_share))],
  ...COST,
];

/** What was used by one key, with the colours of the chart where there is one. */
function rows(usage, caption, columns) {
  if (!usage.rows.length) return el("p", { class: "quiet" }, "Nothing was used in this time.");
  const cells = (sums) => columns.map(([, cell]) => cell(sums, usage.totals.usd || 0));
  const shown = new Set(usage.series?.keys.map((one) => one.key) ?? []);
  const titled = (key) => {
    if (!usage.series) return name(short(key));
    const kind = shown.has(key) ? kindOf(key) : "s8";
    const swatch = draw("svg", { class: "swatch", "aria-hidden": "true" }, draw("rect", { class: kind }));
    return el("span", {}, swatch, name(short(key)));
  };
  return table(
    caption,
    [
      { title: usage.by[0].toUpperCase() + usage.by.slice(1) },
      ...columns.map(([title]) => ({ title, figures: true })),
    ],
    usage.rows.map((row) => [titled(row[usage.by]), ...cells(row)]),
    [["Total", ...cells(usage.totals)]],
  );
}

function notes({ unlisted, unmeasured_requests: unmeasured, unpriced_models: unpriced }) {
  return [
    unlisted.usd ? `Beyond these, the client charged ${money(unlisted.usd)} that no transcript shows (compaction, titles).` : "",
    unpriced.length ? `No price is known of ${unpriced.map(visible).join(", ")}.` : "",
    unmeasured ? `${plural(unmeasured, "response")} without final figures.` : "",
  ].filter(Boolean).join(" ");
}

/** The table of agents over the same time, and their names for the filter of decisions. */
export function agents(usage, words) {
  at("agents-rows").replaceChildren(rows({ ...usage, series: null }, `By type of agent, ${words}`, BRIEF));
}
