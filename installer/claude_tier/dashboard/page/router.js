// How the router is: emergency mode above everything else, and what it does not ask after a failure.

import { at, el, name, visible } from "./dom.js";
import { moment } from "./words.js";

const CAUSES = {
  pace: "too many requests",
  billing: "its money or quota is used up",
  key: "its key is missing or was refused",
  model: "it does not have that model",
  server: "it failed",
  connect: "nobody answered there",
  timeout: "it was silent",
};

/** Said once, however often it is read again. */
export function banner(stats) {
  const on = stats.emergency;
  const place = at("emergency");
  if (!on) return place.replaceChildren();
  const until = on.until === null ? "" : `, until ${moment(on.until, stats.generated_at)}`;
  const made = el(
    "p",
    { class: "notice" },
    `Emergency mode: only models on this machine are asked (${visible(on.reason)}${until}). `,
    wayOut(visible(on.ends)),
  );
  if (place.textContent !== made.textContent) place.replaceChildren(made);
}

/** A command as one; an edit of the configuration is none. */
function wayOut(ends) {
  return ends.startsWith("claude-tier ") ? el("code", {}, ends) : `To end it, set ${ends}.`;
}

/** A line for everything that is not asked now, as the other checks of the section have it. */
export function* checks(stats) {
  const now = stats.generated_at;
  for (const one of stats.cooldowns) {
    if (one.until !== null && one.until <= now && !one.probing) continue;
    const what = one.model === null ? one.provider : `${one.provider}/${one.model}`;
    const cause = CAUSES[one.cause] ?? visible(one.cause);
    yield ["warn", name(what), ` is not asked ${until(one, now)}: ${cause}. `, el("code", {}, visible(one.clear))];
  }
}

function until(one, now) {
  if (one.until === null) return "until its key changes";
  return one.until <= now ? "until a try under way has succeeded" : `until ${moment(one.until, now)}`;
}
