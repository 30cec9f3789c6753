// The sections that follow from /api/stats alone.

import { at, el, name, table, visible } from "./dom.js";
import * as router from "./router.js";
import { headline } from "./savings.js";
import { age, amount, count, home, moment, money, plural, share, short, size, UNKNOWN } from "./words.js";

const LEVELS = ["ok", "warn", "cap", "stop"];
const AT_STOP = {
  deny: "No new subagents until it resets.",
  ask: "New subagents only with your consent.",
  lowest: "New subagents run on the lowest tier.",
};

/** All of them. */
export function show(stats) {
  home(stats.home);
  onOff(stats);
  today(stats);
  budgets(stats);
  sessions(stats);
  policy(stats);
  health(stats);
}

/** The highest level of any budget, for what is said aloud. */
export const highest = (stats) =>
  stats.budgets.reduce(
    (found, one) => (LEVELS.indexOf(one.level) > LEVELS.indexOf(found) ? one.level : found),
    "ok",
  );

function onOff(stats) {
  const pill = at("switch");
  pill.hidden = false;
  pill.className = `pill ${stats.on ? "ok" : "stop"}`;
  pill.textContent = stats.on ? "on" : "off, only counting";
}

const tokensOf = (sums) =>
  sums.input_tokens +
  sums.output_tokens +
  sums.cache_read_tokens +
  sums.cache_write_5m_tokens +
  sums.cache_write_1h_tokens;

function today(stats) {
  const { totals, unlisted } = stats.today;
  const tokens = tokensOf(totals);
  const prompt = tokens - totals.output_tokens;
  const cached = prompt ? totals.cache_read_tokens / prompt : null;
  const spent = totals.requests ? money(totals.usd, totals.unpriced_requests > 0) : "$0.00";
  const beyond = tokensOf(unlisted) || unlisted.usd;
  at("today-figures").replaceChildren(
    ...figure("Spent", spent, beyond ? `and ${money(unlisted.usd)} beyond transcripts` : ""),
    ...figure("Requests", totals.requests.toLocaleString("en-US"), blind(totals)),
    ...figure("Tokens", count(tokens), cached === null ? "" : `${share(cached)} of the prompts from cache`),
    ...figure("Running", plural(stats.sessions.length, "session"), plural(stats.subagents, "subagent")),
    ...savedFigure(stats.savings),
  );
}

function savedFigure(savings) {
  const plan = headline(savings);
  if (!plan) return figure("Saved in 30 days", money(savings.usd), "net");
  return figure("Saved", plan.value, `of the ${plan.window}; ${money(savings.usd)} in 30 days`);
}

const blind = (totals) =>
  totals.unpriced_requests ? `${totals.unpriced_requests.toLocaleString("en-US")} of them unpriced` : "";

function figure(title, value, more) {
  return [
    el(
      "div",
      {},
      el("dt", {}, title),
      el("dd", {}, value),
      more ? el("dd", { class: "more" }, more) : null,
    ),
  ];
}

function budgets(stats) {
  const paces = new Map(stats.pace.map((one) => [`${one.kind} ${one.name}`, one]));
  const now = stats.generated_at;
  const made = [
    ...stats.budgets.map((one) => budget(one, paces.get(`budget ${one.name}`), now)),
    ...stats.pace.filter((one) => one.kind === "window").map((one) => budget(unlimited(one), one, now)),
  ];
  at("budget-list").replaceChildren(...(made.length ? made : [el("li", { class: "quiet" }, "No budget is set.")]));
  at("budget-notes").textContent = visible(methods(stats.pace));
}

/** A plan window that no budget watches: it has a figure and an end, but no level. */
const unlimited = (pace) => ({
  ...pace,
  scope: "plan",
  period: "no budget",
  used: pace.used * pace.limit,
  share: pace.used,
  reserved: 0,
  level: "",
  unpriced_requests: 0,
});

function budget(one, pace, now) {
  const known = one.share !== null;
  const used = one.unit === "plan_percent" ? amount(one.used, one.unit) : `${amount(one.used, one.unit)} of ${amount(one.limit, one.unit)}`;
  const top = el(
    "div",
    { class: "top" },
    el("h3", {}, name(one.name)),
    el("span", { class: "quiet" }, name(`${one.scope}, ${one.period.replace("_", "-")}`)),
    one.level ? el("span", { class: `pill ${known ? one.level : ""}` }, known ? one.level : UNKNOWN) : null,
  );
  const lines = [
    known ? `${used}${one.unit === "plan_percent" ? " used" : ` used (${share(one.share)})`}` : why(one),
    one.until ? `Resets ${moment(one.until, now)}.` : "",
    one.reserved ? `Running subagents may spend ${amount(one.reserved, one.unit)} more.` : "",
    one.level === "cap" ? `New subagents run on ${one.ceiling} at most.` : "",
    one.level === "stop" ? AT_STOP[one.on_stop] : "",
    one.unpriced_requests ? `It cannot see ${plural(one.unpriced_requests, "request")} without a price.` : "",
    ...forecast(pace, now),
  ].filter(Boolean);
  return el("li", {}, top, bar(one, known), el("p", {}, visible(lines[0])), ...lines.slice(1).map((text) => el("p", { class: "quiet" }, visible(text))));
}

function bar(one, known) {
  const percent = known ? Math.min(Math.max(one.share, 0), 1) * 100 : 0;
  const fill = el("div", { class: "fill" });
  fill.style.width = `${percent}%`;
  const held = el("div", { class: "held" });
  const more = known ? Math.min((one.reserved / one.limit) * 100, 100 - percent) : 0;
  held.style.left = `${percent}%`;
  held.style.width = `${Math.max(more, 0)}%`;
  return el(
    "div",
    {
      class: `bar ${(known && one.level) || "quiet"}`,
      role: "meter",
      "aria-label": `${visible(one.name)}, used`,
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": String(Math.floor(percent)),
      "aria-valuetext": known ? share(one.share) : UNKNOWN,
    },
    fill,
    held,
  );
}

const why = (one) =>
  one.unit === "plan_percent"
    ? "Not known: no session has reported this plan window since it began."
    : "Not known: each session has its own.";

/** When the levels are reached at the present pace, and how that was reckoned. */
function forecast(pace, now) {
  if (!pace || pace.rate === null) return [];
  const ahead = pace.hits.filter((hit) => hit.at !== null);
  const when = ahead.map((hit) => `${hit.level} ${moment(hit.at, now)}`);
  const speed = pace.pace === null ? "" : ` (${pace.pace.toFixed(1)} times an even one)`;
  return [
    `At the present pace${speed}: ${when.length ? when.join(", ") : "no further level before it resets"}.`,
  ];
}

/** How the rates of the forecasts were measured, once for those with the same method. */
function methods(paces) {
  const found = new Map();
  for (const one of paces) {
    if (one.rate === null) continue;
    found.set(one.method, [...(found.get(one.method) ?? []), one.name]);
  }
  const each = [...found].map(([method, names]) => `what was ${method} (${names.join(", ")})`);
  return each.length ? `Pace is ${each.join("; ")}.` : "";
}

function sessions(stats) {
  const now = stats.generated_at;
  const rows = stats.sessions.map((one) => [
    el("code", {}, visible(one.id.slice(0, 8))),
    one.busy ? "busy" : "idle",
    one.since === null ? UNKNOWN : age(one.since, now),
    name(short(one.folder)),
  ]);
  const columns = [{ title: "Session" }, { title: "State" }, { title: "For" }, { title: "Folder", wide: true }];
  at("sessions-rows").replaceChildren(
    rows.length
      ? table(`${plural(stats.sessions.length, "session")}, ${plural(stats.subagents, "subagent")} at work`, columns, rows)
      : el("p", { class: "quiet" }, "No session runs now."),
  );
}

function policy(stats) {
  const price = (value) => (value === null ? UNKNOWN : money(value));
  const rows = stats.tiers.map((one) => [
    one.tier,
    name(one.model ?? UNKNOWN),
    price(one.input),
    price(one.output),
    one.agents.length ? name(one.agents.join(", ")) : "",
  ]);
  const columns = [
    { title: "Tier" },
    { title: "Model", wide: true },
    { title: "In", figures: true },
    { title: "Out", figures: true },
    { title: "Agents assigned to it", wide: true },
  ];
  at("policy-rows").replaceChildren(
    table("Dearest first; dollars for a million tokens", columns, rows),
  );
  const { preset, floor, exempt } = stats.policy;
  const floors = Object.entries(floor).map(([agent, tier]) => `${agent} ${tier}`);
  at("policy-notes").textContent = visible(
    [
      `Preset ${preset}.`,
      floors.length ? `Never below: ${floors.join(", ")}.` : "",
      exempt.length ? `Never touched: ${exempt.join(", ")}.` : "",
    ].join(" ").trim(),
  );
}

function health(stats) {
  at("health-list").replaceChildren(...[...checks(stats)].map(([state, ...texts]) =>
    el(
      "li",
      {},
      el("span", { class: `state ${state}` }, state === "ok" ? "ok" : state === "warn" ? "note" : "fault"),
      el("span", {}, ...texts),
    ),
  ));
}

function* checks(stats) {
  const now = stats.generated_at;
  const command = (text) => el("code", {}, text);
  if (!stats.on) {
    const until = stats.off_until ? ` until ${moment(stats.off_until, now)}` : "";
    yield ["warn", `Switched off${until}: spending is counted, nothing is lowered or denied. `, command("claude-tier on")];
  }
  if (stats.last_hook === null) yield ["warn", "No hook has run yet. Is it installed? ", command("claude-tier install")];
  else yield ["ok", `Hooks are alive: a session started ${age(stats.last_hook, now)} ago.`];
  for (const one of stats.policy.errors) {
    yield ["stop", "Configuration: ", name(`${short(one.path)}, line ${one.line}: ${one.message}`)];
  }
  if (stats.policy.stale && !stats.policy.errors.length) {
    yield ["warn", "The configuration has changed; the next prompt of any session takes it up."];
  } else if (!stats.policy.errors.length) {
    yield ["ok", stats.policy.compiled ? "The configuration is in force." : "The defaults of the preset hold."];
  }
  for (const one of stats.unpriced) {
    yield ["warn", name(one.model), ` has no price (${plural(one.responses, "response")}): no dollar budget sees it. `, command("claude-tier prices")];
  }
  yield* router.checks(stats);
  if (stats.heartbeat) yield heartbeat(stats.heartbeat, now);
  const { ledger } = stats;
  const saved = ledger.last_backup ? `last backup ${ledger.last_backup.split("/").pop()}` : "no backup yet";
  yield ["ok", `Ledger: ${plural(ledger.responses, "response")}, ${size(ledger.bytes)}, `, name(saved), "."];
  if (ledger.spooled) yield ["warn", `${plural(ledger.spooled, "decision")} wait to be written to the ledger.`];
  for (const path of ledger.damaged) {
    yield ["stop", "A damaged ledger was set aside: ", name(short(path)), ". ", command("claude-tier ledger rebuild")];
  }
  yield ["ok", "Files: ", name(short(stats.folder))];
}

/** Whether its ticks come, and what its checks came to. */
function heartbeat(found, now) {
  const tick = found.last_tick === null ? "no tick yet" : `last tick ${age(found.last_tick, now)} ago`;
  const wrong = [
    found.scheduler === "dead" ? "its scheduler is dead" : "",
    found.scheduler === "none" ? "no scheduler is installed" : "",
    found.alerts ? `${plural(found.alerts, "alert")} not shown yet` : "",
    ...found.failing.map((one) => `${visible(one)} fails`),
    ...found.disabled.map((one) => `${visible(one)} is off`),
  ].filter(Boolean);
  if (!wrong.length) return ["ok", `Heartbeat: well, ${tick}.`];
  const state = found.scheduler === "dead" ? "stop" : "warn";
  return [state, `Heartbeat: ${wrong.join(", ")}; ${tick}. `, el("code", {}, "claude-tier heartbeat status")];
}
