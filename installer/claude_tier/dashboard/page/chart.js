// Columns over time, drawn as SVG. The wrapper is a slider: arrow keys walk along the columns, and
// what a column holds is said as its value; the tables beside it hold the same figures.

import { at, draw } from "./dom.js";
import { period } from "./words.js";

const HEIGHT = 220;
const LEFT = 56;
const BELOW = 24;
const ABOVE = 8;

/** Steps of 1, 2 or 5 times a power of ten: at most `most` of them up to `top`. */
export function ticks(low, high, most = 4) {
  const span = Math.max(high - low, 1e-9);
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => span / n <= most) ?? 10 * power;
  const found = [];
  for (let n = Math.floor(low / step); n <= Math.ceil(high / step); n += 1) found.push(n * step);
  return found;
}

/** A chart in the element with that id; `show(data)` draws, `data` as below. */
export class Columns {
  // data: {label, labels: [text], columns: [[{value, kind}]], words: (index) => text,
  //        format: (value) => text}
  constructor(id, readout) {
    this.box = at(id);
    this.readout = at(readout);
    this.index = null;
    this.data = null;
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("pointermove", (event) => this.#point(event));
    this.box.addEventListener("pointerdown", (event) => this.#point(event));
    new ResizeObserver(() => this.data?.labels.length && this.#draw()).observe(this.box);
  }

  show(data) {
    this.data = data;
    const last = data.labels.length - 1;
    this.box.hidden = last < 0;
    this.readout.hidden = last < 0;
    if (last < 0) {
      this.box.replaceChildren();
      this.box.removeAttribute("role");
      this.box.removeAttribute("tabindex");
      this.readout.textContent = "";
      return;
    }
    // The newest column, unless somebody is looking at another.
    const looking = this.index !== null && document.activeElement === this.box;
    this.index = looking ? Math.min(this.index, last) : last;
    for (const [name, value] of [
      ["role", "slider"],
      ["tabindex", "0"],
      ["aria-label", data.label],
      ["aria-valuemin", "0"],
      ["aria-valuemax", String(last)],
    ]) {
      this.box.setAttribute(name, value);
    }
    this.#draw();
  }

  #draw() {
    const { labels, columns, format } = this.data;
    const width = Math.max(this.box.clientWidth, 240);
    const sums = columns.map((column) => ({
      up: column.reduce((sum, one) => sum + Math.max(one.value, 0), 0),
      down: column.reduce((sum, one) => sum + Math.min(one.value, 0), 0),
    }));
    const steps = ticks(
      Math.min(0, ...sums.map((one) => one.down)),
      Math.max(0, ...sums.map((one) => one.up)) || 1,
    );
    const [low, high] = [steps[0], steps[steps.length - 1]];
    const y = (value) => ABOVE + ((high - value) / (high - low)) * (HEIGHT - ABOVE - BELOW);
    this.pitch = (width - LEFT) / labels.length;
    const svg = draw("svg", {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      height: HEIGHT,
      "aria-hidden": "true",
      focusable: "false",
    });
    for (const step of steps) {
      svg.append(
        draw("line", { class: step === 0 ? "axis" : "grid", x1: LEFT, x2: width, y1: y(step), y2: y(step) }),
        draw("text", { x: LEFT - 8, y: y(step) + 4, "text-anchor": "end" }, format(step)),
      );
    }
    this.cursor = draw("rect", { class: "cursor", y: ABOVE, height: HEIGHT - ABOVE - BELOW, width: this.pitch });
    svg.append(this.cursor);
    const gap = Math.min(this.pitch * 0.25, 6);
    columns.forEach((column, index) => {
      const x = LEFT + index * this.pitch + gap / 2;
      this.#stack(svg, column, { x, width: Math.max(this.pitch - gap, 1), y });
    });
    this.#labels(svg, labels, width);
    this.box.replaceChildren(svg);
    this.#move(this.index);
  }

  #stack(svg, column, { x, width, y }) {
    let [up, down] = [0, 0];
    for (const { value, kind } of column) {
      if (!value) continue;
      const from = value > 0 ? up : down;
      if (value > 0) up += value;
      else down += value;
      const [top, bottom] = [y(Math.max(from, from + value)), y(Math.min(from, from + value))];
      const height = Math.max(bottom - top - (bottom - top > 3 ? 1 : 0), 0.5);
      svg.append(draw("rect", { class: kind, x, width, y: top, height }));
    }
  }

  /** As many as have room; the first and the last stay inside. */
  #labels(svg, labels, width) {
    const every = Math.max(1, Math.ceil(64 / this.pitch));
    for (let index = labels.length - 1; index >= 0; index -= every) {
      const text = period(labels[index]);
      const half = text.length * 3.4;
      const middle = LEFT + (index + 0.5) * this.pitch;
      const x = Math.min(Math.max(middle, half), width - half);
      svg.append(draw("text", { x, y: HEIGHT - 7, "text-anchor": "middle" }, text));
    }
  }

  #move(index) {
    this.index = index;
    this.cursor.setAttribute("x", String(LEFT + index * this.pitch));
    const words = this.data.words(index);
    this.readout.textContent = words;
    this.box.setAttribute("aria-valuenow", String(index));
    this.box.setAttribute("aria-valuetext", words);
  }

  #key(event) {
    if (!this.data?.labels.length) return;
    const last = this.data.labels.length - 1;
    const to = {
      ArrowLeft: this.index - 1,
      ArrowDown: this.index - 1,
      ArrowRight: this.index + 1,
      ArrowUp: this.index + 1,
      PageDown: this.index - 7,
      PageUp: this.index + 7,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#move(Math.min(Math.max(to, 0), last));
  }

  #point(event) {
    if (!this.data?.labels.length) return;
    const x = event.clientX - this.box.getBoundingClientRect().left - LEFT;
    const index = Math.floor(x / this.pitch);
    if (index >= 0 && index < this.data.labels.length) this.#move(index);
  }
}
