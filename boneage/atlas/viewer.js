// The atlas in the browser: a slider of ages, and the hand of each sex at that age.
//
// A hand between two standards is both of them bent towards each other and then mixed. `fields` say
// where places of one standard lie on the next, see `displacement` in boneage/atlas/change.py.
// Zoom and window are those of boneage/figures/viewer/view.js, and the same for all hands.

const MONTHS_A_SECOND = 12; // of bone age, while playing
const EASING = 0.07; // seconds in which a step of the slider is mostly done
const RING = 11; // pixels of the standard
const LANES = { left: 40, right: 472 }; // where numbers stand beside the wrist
const LANE_GAP = 21;
const SVG = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".atlas");
  if (root.dataset.version === data.version) return; // a rerun with nothing new
  const { viewer } = root; // with other hands, the same age
  viewer?.stop();
  const age = viewer?.wanted() ?? data.start;
  const template = parentElement.querySelector("template");
  const isHidden = viewer?.isHidden ?? data.presenting;
  root.viewer = new Viewer(root, template, data, age, isHidden, setTriggerValue);
  root.dataset.version = data.version;
}

class Viewer {
  constructor(root, template, data, age, isHidden, setTriggerValue) {
    this.data = data;
    this.root = root;
    this.setTriggerValue = setTriggerValue;
    this.slider = root.querySelector("input[type=range]");
    this.output = root.querySelector("output");
    this.spoken = root.querySelector(".spoken");
    this.hands = data.hands.map((hand) => new Hand(data, hand, template));
    root.querySelector(".hands").replaceChildren(...this.hands.map((hand) => hand.section));
    const views = this.hands.map((hand) => hand.view);
    for (const view of views) view.linked = views.filter((other) => other !== view);

    Object.assign(this.slider, { min: data.youngest, max: data.oldest, value: age });
    this.shown = this.wanted();
    this.stopped = new AbortController();
    const listen = (target, event, handler) =>
      target.addEventListener(event, handler, { signal: this.stopped.signal });
    listen(this.slider, "input", () => this.moved());
    listen(root.querySelector(".play"), "click", () => this.play(!this.playing));
    for (const choice of root.querySelectorAll("[name=marks]"))
      listen(choice, "change", () => this.draw());
    listen(document, "atlas-step", ({ detail }) => this.step(detail));
    root.classList.toggle("presenting", data.presenting);
    this.play(false);
    this.hide(isHidden);
    if (this.wanted() !== age) this.settle(); // the standards end before it: the page is told
  }

  wanted() {
    return Number(this.slider.value);
  }

  stop() {
    this.stopped.abort();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
  }

  moved() {
    this.play(false);
    this.label();
    this.animate();
    this.settle();
  }

  play(playing) {
    if (playing && this.wanted() >= this.data.oldest) this.shown = this.data.youngest;
    const stops = this.playing && !playing;
    this.playing = playing;
    this.root.classList.toggle("playing", playing);
    this.root.querySelector(".play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (playing) this.animate();
    if (stops) this.settle();
  }

  animate() {
    cancelAnimationFrame(this.frame);
    let before = performance.now();
    const step = (now) => {
      const seconds = Math.max(0, now - before) / 1000;
      before = now;
      if (this.playing) {
        this.shown = Math.min(this.data.oldest, this.shown + seconds * MONTHS_A_SECOND);
        this.slider.value = Math.round(this.shown);
        if (this.shown === this.data.oldest) this.play(false);
      } else {
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const share = still ? 1 : 1 - Math.exp(-seconds / EASING);
        this.shown += (this.wanted() - this.shown) * share;
        if (Math.abs(this.wanted() - this.shown) < 0.02) this.shown = this.wanted();
      }
      this.draw();
      if (this.playing || this.shown !== this.wanted()) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  // Only when the age has come to rest is it told to the page and to screen readers.
  settle(isKnown = false) {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      if (this.playing) return;
      this.settled();
      if (!isKnown) this.setTriggerValue("months", this.wanted());
    }, 400);
  }

  settled() {
    for (const hand of this.hands) hand.describe();
    const said = this.isHidden ? [] : this.hands.map((hand) => hand.summary());
    this.spoken.textContent = said.join(" ");
  }

  // What a presentation goes to; the page knows of it.
  step({ months, is_hidden }) {
    this.hide(is_hidden);
    if (months === this.wanted()) return;
    this.slider.value = months;
    this.play(false);
    this.animate();
    this.settle(true);
  }

  // The age and everything that depends on it, but for the standard itself.
  hide(isHidden) {
    this.isHidden = isHidden;
    this.root.classList.toggle("unanswered", isHidden);
    this.draw();
    this.settled();
  }

  label() {
    const age = inWords(this.wanted());
    this.output.textContent = age;
    this.slider.setAttribute("aria-valuetext", age);
  }

  draw() {
    this.label();
    const marks = this.root.querySelector("[name=marks]:checked").value;
    for (const hand of this.hands) hand.draw(this.shown, marks, this.isHidden);
  }
}

class Hand {
  constructor(data, hand, template) {
    Object.assign(this, hand, { data });
    this.section = template.content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.section.querySelector(selector);
    this.grays = [];
    this.bends = [];
    const stage = this.find(".stage");
    this.view = new View(this.section, stage, this.find(".content"), [this.find("canvas")]);
    const { bar, sliders } = new Tools(this.view);
    stage.after(bar, sliders);
    stage.setAttribute("aria-label", `${this.title}. ${KEYS}`);
  }

  // Beyond the standards of its sex a hand stays as the last one is, and says so.
  draw(asked, marks, isHidden) {
    const { standards } = this;
    const age = (this.age = clamp(asked, standards[0].months, standards.at(-1).months));
    Object.assign(this, { marks, isHidden });
    const words = `, ${inWords(Math.round(age))}${whichEnd(asked - age)}`;
    this.set("h3", this.title + (isHidden ? "" : words));
    const older = standards.findIndex((standard) => standard.months >= age);
    const younger = age < standards[older].months ? Math.max(0, older - 1) : older;
    const apart = standards[older].months - standards[younger].months;
    const share = apart ? (age - standards[younger].months) / apart : 0;
    this.paint(younger, older, share);
    this.write(younger, older, share);
    this.mark(younger, older, share);
  }

  // The images are unpacked when they are first needed; the last one asked for is painted.
  async paint(younger, older, share) {
    const asked = (this.asked = Symbol());
    const [first, second] = await Promise.all([this.gray(younger), this.gray(older)]);
    if (asked !== this.asked) return;
    const canvas = this.find("canvas");
    const { width, height } = first;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    this.pixels ??= context.createImageData(width, height);
    const out = new Uint32Array(this.pixels.data.buffer);
    blend(first, second, this.bend(younger, older), this.data.cell, share, out);
    context.putImageData(this.pixels, 0, 0);
    canvas.dataset.age = this.age;
  }

  gray(index) {
    this.grays[index] ??= (async () => {
      const blob = new Blob([bytes(this.images[index])], { type: "image/webp" });
      const bitmap = await createImageBitmap(blob);
      const { width, height } = bitmap;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      return { width, height, gray: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]) };
    })();
    return this.grays[index];
  }

  // At a standard's own age, the first, the last or any, its share is whole and no field counts.
  bend(younger, older) {
    const index = Math.min(younger, older, this.fields.length - 1);
    if (!this.bends[index]) {
      const numbers = new Int16Array(bytes(this.fields[index]).buffer);
      this.bends[index] = Float32Array.from(numbers, (number) => number / this.data.fraction);
    }
    return this.bends[index];
  }

  write(younger, older, share) {
    const one = this.standards[share < 0.5 ? younger : older];
    const between = younger !== older && Math.abs(this.age - one.months) > 0.5;
    const facts = between
      ? `Interpolated between two averages: ${this.standards[younger].facts}; ${this.standards[older].facts}.`
      : `Average of ${one.facts}.`;
    this.set(".facts", facts);
    const stage = this.stages.findLast((each) => each.from <= this.age) ?? this.stages[0];
    this.set("h4", stage.title);
    this.set(".look", stage.look);
    const near = this.data.events.map((_, i) => i).filter((i) => this.isNear(i));
    if (String(near) === this.listed) return;
    this.listed = String(near);
    this.find("ol").replaceChildren(...near.map((i) => this.item(i)));
  }

  item(i) {
    const event = this.data.events[i];
    const item = document.createElement("li");
    item.className = event.appears ? "appears" : "fuses";
    item.append(element("span", event.number));
    const words = element("div", event.name);
    words.append(element("small", `${this.usual_in_words[i]}. ${event.look}`));
    item.append(words);
    return item;
  }

  set(selector, words) {
    const place = this.find(selector);
    if (place.textContent !== words) place.textContent = words;
  }

  isNear(i) {
    const [from, to] = this.worth_a_look[i];
    return from <= this.age && this.age <= to;
  }

  isMarked(i) {
    if (this.marks === "near") return this.isNear(i);
    return this.marks === "all" && this.data.events[i].appears && this.since[i] <= this.age;
  }

  mark(younger, older, share) {
    const svg = this.find("svg");
    svg.setAttribute("viewBox", "0 0 512 640");
    const marked = this.data.events
      .map((event, i) => ({ event, i }))
      .filter(({ i }) => this.isMarked(i))
      .map(({ event, i }) => {
        const [before, after] = [younger, older].map((standard) => this.standards[standard].places[i]);
        const places = before.map(([x, y], k) => [
          x + share * (after[k][0] - x),
          y + share * (after[k][1] - y),
        ]);
        return { event, places };
      });
    for (const side of ["left", "right"]) spaceOut(marked.filter((m) => m.event.label === side), side);
    svg.replaceChildren(...marked.map(group));
  }

  describe() {
    const age = this.isHidden ? "" : ` at a bone age of ${inWords(Math.round(this.age))}`;
    const label = `Average left hand of ${this.title.toLowerCase()}${age}`;
    this.find("canvas").setAttribute("aria-label", label);
  }

  summary() {
    const names = [...this.section.querySelectorAll("li div")].map((d) => d.firstChild.data);
    return `${this.find("h3").textContent}, ${this.find("h4").textContent}: ${names.join(", ") || "no changes"}.`;
  }
}

// Numbers beside the wrist, in the order of the bones they belong to, none on another.
function spaceOut(marked, side) {
  marked.sort((a, b) => a.places[0][1] - b.places[0][1]);
  let free = -Infinity;
  for (const mark of marked) {
    const y = Math.max(mark.places[0][1], free);
    mark.at = [LANES[side], y];
    free = y + LANE_GAP;
  }
  const over = free - LANE_GAP - 625; // below the standard: all move up
  if (over > 0) for (const mark of marked) mark.at[1] -= over;
}

function group({ event, places, at }) {
  const g = document.createElementNS(SVG, "g");
  g.setAttribute("class", event.appears ? "appears" : "fuses");
  const add = (name, attributes) => {
    const child = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
    g.append(child);
    return child;
  };
  const [x, y] = places[0];
  if (at) {
    const away = Math.hypot(at[0] - x, at[1] - y);
    const [dx, dy] = [(at[0] - x) / away, (at[1] - y) / away];
    const ends = { x1: x + dx * RING, y1: y + dy * RING, x2: at[0] - dx * 14, y2: at[1] - dy * 14 };
    add("line", ends);
  }
  const [tx, ty] = at ?? [x + RING + 16, y];
  for (const [cx, cy] of places) add("circle", { cx, cy, r: RING });
  add("text", { x: tx, y: ty }).textContent = event.number;
  return g;
}

// Mixes two images, each bent by its share of the field; bilinear throughout. Every frame runs
// through here for every pixel, hence the loops and no objects.
function blend(first, second, field, cell, share, out) {
  const { width, height } = first;
  const columns = Math.floor(width / cell);
  const rows = field.length / 2 / columns;
  const row = new Float32Array(2 * columns);
  const rest = 1 - share;
  for (let y = 0, at = 0; y < height; y++) {
    const r = clamp((y + 0.5) / cell - 0.5, 0, rows - 1.001);
    const top = (r | 0) * columns * 2;
    const down = r - (r | 0);
    for (let k = 0; k < row.length; k++)
      row[k] = field[top + k] * (1 - down) + field[top + 2 * columns + k] * down;
    for (let x = 0; x < width; x++, at++) {
      const c = clamp((x + 0.5) / cell - 0.5, 0, columns - 1.001);
      const k = 2 * (c | 0);
      const right = c - (c | 0);
      const dx = row[k] + (row[k + 2] - row[k]) * right;
      const dy = row[k + 1] + (row[k + 3] - row[k + 1]) * right;
      const a = sample(first.gray, width, height, x - share * dx, y - share * dy);
      const b = sample(second.gray, width, height, x + rest * dx, y + rest * dy);
      const gray = a + share * (b - a) + 0.5;
      out[at] = 0xff000000 | ((gray | 0) * 0x010101);
    }
  }
}

function sample(gray, width, height, x, y) {
  const u = clamp(x, 0, width - 1.001);
  const v = clamp(y, 0, height - 1.001);
  const at = (v | 0) * width + (u | 0);
  const right = u - (u | 0);
  const upper = gray[at] + (gray[at + 1] - gray[at]) * right;
  const lower = gray[at + width] + (gray[at + width + 1] - gray[at + width]) * right;
  return upper + (lower - upper) * (v - (v | 0));
}

// What an age is that lies `beyond` months past the first or the last standard.
function whichEnd(beyond) {
  if (Math.abs(beyond) < 0.5) return "";
  return ` (${beyond > 0 ? "oldest" : "youngest"} standard)`;
}

function inWords(months) {
  const [years, rest] = [Math.floor(months / 12), months % 12];
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const parts = years ? [count(years, "year")] : [];
  if (rest || !years) parts.push(count(rest, "month"));
  return parts.join(" ");
}

function element(name, words) {
  const made = document.createElement(name);
  made.textContent = words;
  return made;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
