// Figures and times as people read them. What is not known is a word, never 0.

export const UNKNOWN = "unknown";
export const UNPRICED = "unpriced";

/** $1,234.50, -$3.20, $0.0042; null is unpriced; `atLeast` marks a sum that cannot see all. */
export function money(usd, atLeast = false) {
  if (usd === null || usd === undefined) return UNPRICED;
  const size = Math.abs(usd);
  const digits = size > 0 && size < 0.01 ? 4 : 2;
  const text = size.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const minus = usd < 0 && Number(size.toFixed(digits)) > 0 ? "\u2212" : "";
  return `${minus}$${text}${atLeast ? "+" : ""}`;
}

/** 9,876; 12.3k; 4.6M. */
export function count(number) {
  if (number < 10_000) return Math.trunc(number).toLocaleString("en-US");
  for (const [size, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number < size) continue;
    const value = number / size;
    return value < 100 ? `${value.toFixed(1)}${letter}` : `${value.toFixed(0)}${letter}`;
  }
  return String(number);
}

/** 82 %, rounded down, so that 99.9 % of a limit is not shown as all of it. */
export const share = (used) =>
  used === null || used === undefined ? UNKNOWN : `${Math.floor(used * 100 + 1e-9)}\u00a0%`;

/** A budget's figure in its own unit: usd, tokens, plan_percent. */
export function amount(value, unit) {
  if (value === null || value === undefined) return UNKNOWN;
  if (unit === "usd") return money(value);
  return unit === "tokens" ? `${count(value)} tokens` : `${Number(value.toFixed(1))}\u00a0%`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  for (const [step, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (bytes >= step) return `${(bytes / step).toFixed(1)} ${letter}B`;
  }
  return `${bytes} B`;
}

export const plural = (number, noun) =>
  `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

/** A figure beside an axis: $20, $2.5, −$0.04. */
export function axis(value) {
  const size = Math.abs(value);
  const text = size >= 10_000 ? count(size) : String(Number(size.toPrecision(2)));
  return `${value < 0 ? "\u2212" : ""}$${size >= 100 && size < 10_000 ? count(size) : text}`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

export const clock = (epoch) => CLOCK.format(new Date(epoch * 1000));

/** Sat 21 Nov, 14:05; without the day where that is today's. */
export function moment(epoch, now) {
  const day = DAY.format(new Date(epoch * 1000)).replace(",", "");
  const today = DAY.format(new Date(now * 1000)).replace(",", "");
  return day === today ? clock(epoch) : `${day}, ${clock(epoch)}`;
}

/** How long ago: 12 min, 3 h, 2 days. */
export function age(since, now) {
  const minutes = Math.max(0, Math.floor((now - since) / 60));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

/** A label of the API (2026-11-20, 2026-11-20T14:00) as it stands in a chart. */
export function period(label, long = false) {
  const [day, hour] = label.split("T");
  const date = new Date(`${day}T12:00:00`);
  const short = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  if (hour) return long ? `${short}, ${hour}` : hour;
  return long ? DAY.format(date).replace(",", "") : short;
}

let own = null;

/** Below which folder paths are shown as ~/src/app. */
export function home(path) {
  own = path.endsWith("/") ? path : `${path}/`;
}

export const short = (path) => (own && path.startsWith(own) ? `~/${path.slice(own.length)}` : path);
