// What was asked, set and run for each new subagent, and older ones on demand.

import { at, el, name, table, visible } from "./dom.js";
import { moment, share, UNKNOWN } from "./words.js";

const ACTIONS = { assigned: "assigned", lowered: "lowered", denied: "denied", left: "left alone", asked: "asked you" };
const COLUMNS = [
  { title: "When", whole: true },
  { title: "Agent", wide: true },
  { title: "Asked", brief: true },
  { title: "Set", brief: true },
  { title: "Why", wide: true },
  { title: "Ran", brief: true, wide: true },
];
let older = []; // pages after the first, kept as they were when asked for
let next = null;

/** The filter, as a query. */
export function asked(limit = 12) {
  const form = new FormData(at("decisions-form"));
  const given = { limit: String(limit), agent: form.get("agent"), action: form.get("action") };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

/** The newest page; what was asked for before it stays below. */
export function show(page, now) {
  if (!older.length) next = page.next;
  draw(page.decisions, now);
}

/** Forget older pages, when the filter is another. */
export function reset() {
  older = [];
  next = null;
}

/** One more page, read with `get(query)`; none where the filter is another by then. */
export async function more(get, first, now) {
  const before = next;
  const page = await get({ ...asked(), before });
  if (before !== next) return;
  older = [...older, ...page.decisions];
  next = page.next;
  draw(first.decisions, now);
}

function draw(newest, now) {
  const seen = new Set();
  const all = [...newest, ...older].filter((one) => {
    const key = `${one.session} ${one.tool_use_id}`;
    return !seen.has(key) && seen.add(key);
  });
  at("decisions-more").hidden = next === null;
  at("decisions-rows").replaceChildren(
    all.length
      ? table(`The last ${all.length}, newest first`, COLUMNS, all.map((one) => row(one, now)))
      : el("p", { class: "quiet" }, "No such decision."),
  );
  remember("decisions-agent", all.map((one) => one.agent));
  remember("decisions-action", all.map((one) => one.action));
}

/** What was seen once can be chosen; an option never goes away under somebody's hand. */
export function remember(id, values) {
  const list = at(id);
  const known = new Set([...list.options].map((one) => one.value));
  for (const value of [...new Set(values)].filter(Boolean).sort()) {
    if (!known.has(value)) list.append(el("option", { value }, visible(ACTIONS[value] ?? value)));
  }
}

const under = (text) => el("span", { class: "under" }, name(text));

function row(one, now) {
  const said = !one.budget || one.reason?.includes(one.budget);
  const budget = said ? "" : `budget ${one.budget} ${one.used === null ? "" : `at ${share(one.used)}`}`;
  const why = [one.reason, budget.trim()];
  return [
    moment(one.at, now),
    el("span", {}, name(one.agent), one.description ? under(one.description) : null),
    el("span", {}, name(one.asked ?? "no model"), under(one.would ? `would run ${one.would}` : "what would run is not known")),
    el("span", {}, name(one.set ?? "nothing"), under(ACTIONS[one.action] ?? one.action)),
    name(why.filter(Boolean).join("; ")),
    ran(one),
  ];
}

function ran(one) {
  if (one.ran === null) return one.action === "denied" ? "nothing" : el("span", { class: "quiet" }, "not seen yet");
  const proof = { held: ["ok", "as set"], over: ["stop", "NOT as set"] }[one.proof];
  return el(
    "span",
    {},
    name(one.ran ?? UNKNOWN),
    proof ? el("span", { class: `under ${proof[0]}` }, proof[1]) : null,
  );
}
