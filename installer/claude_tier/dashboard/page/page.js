// Signs in with the one-time link, reads the figures, and reads them again when they change.

import * as decisions from "./decisions.js";
import { at, el } from "./dom.js";
import * as router from "./router.js";
import * as savings from "./savings.js";
import * as sections from "./sections.js";
import * as spending from "./spending.js";
import { clock, money } from "./words.js";

const QUIET = 60_000; // milliseconds between two things said aloud, unless a level changes
const GATHER = 250; // milliseconds in which several changes count as one
let last = null; // what was said: {at, level}
let newest = null; // the first page of decisions
let waiting = null;
let reading = Promise.resolve();

class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

async function get(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  const answer = await fetch(search ? `${path}?${search}` : path, { cache: "no-store", redirect: "error" });
  const found = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, found.error);
  return found;
}

/** The code of the link becomes a cookie, and leaves the address; whether there was one. */
async function signIn() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return false;
  history.replaceState(null, "", location.pathname);
  await fetch("/api/session", {
    method: "POST",
    headers: { "X-Claude-Tier-Code": code },
    redirect: "error",
  });
  return true;
}

/** An alert that is written again is said again. */
function problem(...texts) {
  const found = el("p", { class: "notice" }, ...texts);
  if (at("notice").textContent !== found.textContent) at("notice").replaceChildren(found);
}

function explain(fault) {
  if (fault.code === 401) {
    problem("This page needs a link of its own. ", el("code", {}, "claude-tier dashboard --link"), " prints one; it works once, for ten minutes.");
  } else if (fault.code) {
    problem(fault.message);
  } else {
    problem("The dashboard does not answer. Is ", el("code", {}, "claude-tier dashboard"), " still running?");
  }
}

/** Begins a reading, whose answer counts as long as no other one was begun after it. */
function turns() {
  let newest = 0;
  return () => {
    const mine = ++newest;
    return () => mine === newest;
  };
}

const spendingTurn = turns();
const decisionsTurn = turns();

async function readSpending() {
  const counts = spendingTurn();
  const asked = spending.asked();
  const usage = await get("/api/usage", asked);
  if (!counts()) return;
  spending.show(usage);
  const range = document.querySelector("#spending-form input[name=range]:checked");
  const words = Number(range.value) === 1 ? "since yesterday 00:00" : `in ${range.parentElement.textContent.toLowerCase()}`;
  const agents = asked.by === "agent" ? usage : await get("/api/usage", { by: "agent", since: asked.since });
  if (!counts()) return;
  spending.agents(agents, words);
  decisions.remember("decisions-agent", agents.rows.map((one) => one.agent));
}

async function readDecisions(now) {
  const counts = decisionsTurn();
  const found = await get("/api/decisions", decisions.asked());
  if (!counts()) return;
  newest = found;
  decisions.show(newest, now);
}

/** Everything, one reading after another. */
function read() {
  reading = reading.then(async () => {
    try {
      const stats = await get("/api/stats");
      sections.show(stats);
      router.banner(stats);
      savings.show(stats.savings);
      at("main").hidden = false;
      await readSpending();
      await readDecisions(stats.generated_at);
      at("notice").replaceChildren();
      at("updated").textContent = `As of ${clock(stats.generated_at)}`;
      document.documentElement.dataset.read = String(Number(document.documentElement.dataset.read ?? 0) + 1);
      say(stats);
    } catch (fault) {
      explain(fault);
    }
  });
  return reading;
}

/** For those who do not see it: a level that changed at once, spending now and then. */
function say(stats) {
  const level = sections.highest(stats);
  const now = Date.now();
  if (last && last.level === level && now - last.at < QUIET) return;
  if (last) at("said").textContent = `Updated: ${money(stats.today.totals.usd)} today, highest budget level ${level}.`;
  last = { at: now, level };
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(read, GATHER);
}

function listen() {
  const events = new EventSource("/api/events");
  let known = null;
  events.addEventListener("change", (event) => {
    const { number } = JSON.parse(event.data);
    // The first one only says where the count stands; after a lost connection it may have moved on.
    if (known !== null) soon();
    known = number;
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    soon();
  });
}

at("spending-form").addEventListener("change", () => readSpending().catch(explain));
at("decisions-form").addEventListener("change", () => {
  decisions.reset();
  readDecisions(Date.now() / 1000).catch(explain);
});
at("decisions-more").addEventListener("click", () =>
  decisions.more((query) => get("/api/decisions", query), newest, Date.now() / 1000).catch(explain),
);
for (const id of ["spending-form", "decisions-form"]) {
  at(id).addEventListener("submit", (event) => event.preventDefault());
}
document.addEventListener("visibilitychange", () => document.hidden || soon());
setInterval(() => document.hidden || soon(), 60_000); // ages and periods move on without events

// A link pasted into this tab changes the fragment alone, which loads nothing.
addEventListener("hashchange", () => signIn().then((given) => given && soon(), soon));

await signIn().catch(() => {});
await read();
listen();
