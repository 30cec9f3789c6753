// What tiering saved, net, against a baseline that is named: from /api/stats.

import { Columns } from "./chart.js";
import { at, el, table, visible, name } from "./dom.js";
import { axis, money, period } from "./words.js";

let chart = null;

/** The section; hidden where the answer has none. */
export function show(savings) {
  at("savings").hidden = !savings;
  if (!savings) return;
  chart ??= new Columns("savings-chart", "savings-readout");
  const against = `, against ${baseline(savings)}`;
  const plan = headline(savings);
  const sum = (text) => el("span", { class: "sum" }, text);
  at("savings-headline").replaceChildren(
    plan
      ? el("p", {}, sum(plan.value), ` of the ${plan.window} saved${against}; ${money(savings.usd)} net in 30 days at list prices`)
      : el("p", {}, sum(money(savings.usd)), ` net in 30 days${against}`),
    el("p", { class: "quiet" }, visible(savings.sentence)),
  );
  const days = savings.days;
  chart.show({
    label: "Savings by day",
    labels: days.map((one) => one.day),
    columns: days.map((one) => [{ value: one.usd ?? 0, kind: (one.usd ?? 0) < 0 ? "down" : "up" }]),
    format: axis,
    words: (index) => `${period(days[index].day, true)}: ${money(days[index].usd)}`,
  });
  at("savings-tables").replaceChildren(
    parts("By day", "Day", [...days].reverse().map((one) => [period(one.day, true), one])),
    parts("By agent", "Agent", savings.agents.map((one) => [name(one.agent), one])),
  );
}

/** Who has a plan does not pay by the token: what a window was spared, the longest one known. */
export function headline(savings) {
  const known = savings.plan.filter((one) => one.current && one.saved_percent !== null);
  const one = known.find((window) => window.name === "seven_day") ?? known[0];
  if (!one) return null;
  const window = { seven_day: "plan\u2019s week", five_hour: "plan\u2019s five hours" }[one.name];
  const size = Math.abs(one.saved_percent);
  const value = `${one.saved_percent < 0 ? "\u2212" : ""}${Number(size.toPrecision(2))}\u00a0%`;
  return { value, window: window ?? visible(one.name) };
}

const baseline = ({ baseline: text }) =>
  text === "main" ? "the main model of each session" : visible(text);

function parts(caption, title, rows) {
  const titles = ["On the baseline", "Really", "Start-up", "Rebuilt caches", "Net"];
  return table(
    caption,
    [{ title }, ...titles.map((one) => ({ title: one, figures: true }))],
    rows.map(([key, one]) => [
      key,
      money(one.baseline_usd),
      money(one.actual_usd),
      money(-one.startup_usd),
      money(-one.rebuild_usd),
      money(one.usd),
    ]),
  );
}
