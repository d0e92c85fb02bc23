// A box around the hand, drawn on the film after the film was rotated.
//
// The rotated film stands on a canvas that just holds it. The box is in pixels of that canvas;
// rotation is in degrees clockwise.

const NEAR = { mouse: 10, touch: 24, pen: 16 }; // pixels of the screen around a handle
const HANDLE = 9;

class Framing {
  constructor(view, root, send) {
    const find = (selector) => root.querySelector(selector);
    Object.assign(this, { view, root, image: view.windowed[0], svg: find("svg") });
    this.panel = find(".framing");
    [this.slider, this.output, this.use] = ["input", "output", ".use"].map((selector) =>
      this.panel.querySelector(selector),
    );
    this.automatic = find(".automatic");
    this.panel.hidden = false;
    view.tool = this;
    const click = (element, act) => element.addEventListener("click", act);
    click(find(".left"), () => this.rotate(this.quarters - 1, this.fine));
    click(find(".right"), () => this.rotate(this.quarters + 1, this.fine));
    click(this.use, () => send({ box: this.rounded, rotation: this.rotation }));
    click(this.automatic, () => send({ box: null }));
    this.slider.addEventListener("input", () => this.rotate(this.quarters, Number(this.slider.value)));
  }

  // data.frame: the box and rotation to begin with, and whether there is an automatic one.
  start({ width, height, frame }) {
    this.film = [width, height];
    this.quarters = Math.round(frame.rotation / 90);
    this.fine = Math.round(2 * (frame.rotation - 90 * this.quarters)) / 2; // as the slider steps
    this.slider.value = this.fine;
    this.automatic.hidden = !frame.is_manual;
    this.least = frame.least;
    this.layOut();
    this.setBox(frame.box, false);
  }

  // Inwards, so that the box stays on the film; whole numbers stay as they are.
  get rounded() {
    const [left, top, right, bottom] = this.box;
    return [
      Math.ceil(left - 0.01), Math.ceil(top - 0.01),
      Math.floor(right + 0.01), Math.floor(bottom + 0.01),
    ];
  }

  get rotation() {
    const degrees = 90 * this.quarters + this.fine;
    return degrees - 360 * Math.round(degrees / 360);
  }

  // The middle of the box stays on its place of the film; quarters turn the box as well.
  rotate(quarters, fine) {
    const [before, [oldWidth, oldHeight], [left, top, right, bottom]] = [
      this.rotation, this.canvas, this.box,
    ];
    const half = [(right - left) / 2, (bottom - top) / 2];
    if ((quarters - this.quarters) % 2) half.reverse();
    Object.assign(this, { quarters, fine });
    this.layOut();
    const angle = ((this.rotation - before) * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [dx, dy] = [(left + right - oldWidth) / 2, (top + bottom - oldHeight) / 2];
    const [x, y] = [dx * cos - dy * sin + this.canvas[0] / 2, dx * sin + dy * cos + this.canvas[1] / 2];
    this.setBox([x - half[0], y - half[1], x + half[0], y + half[1]]);
  }

  layOut() {
    const [width, height] = this.film;
    const angle = (this.rotation * Math.PI) / 180;
    const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
    this.canvas = [width * cos + height * sin, width * sin + height * cos].map(Math.round);
    const ratio = this.quarters % 2 ? height / width : width / height; // of the stage
    this.scale = Math.min(ratio / this.canvas[0], 1 / this.canvas[1]); // stage heights a pixel
    this.ratio = ratio;
    const unrotated = Math.min(ratio / width, 1 / height);
    this.image.style.transform = `rotate(${this.rotation}deg) scale(${this.scale / unrotated})`;
    this.root.style.setProperty("--ratio", ratio);
    this.svg.setAttribute("viewBox", `0 0 ${this.canvas.join(" ")}`);
    this.draw();
  }

  // The stage's place (fractions) as a pixel of the canvas.
  pixel([u, v]) {
    const { view, scale, ratio, canvas } = this;
    const [x, y] = [((u - view.x) / view.zoom) * ratio, (v - view.y) / view.zoom];
    return [(x - ratio / 2) / scale + canvas[0] / 2, (y - 0.5) / scale + canvas[1] / 2];
  }

  // Canvas pixels of one pixel of the screen.
  get unit() {
    const { height } = this.view.stage.getBoundingClientRect();
    return 1 / (this.scale * Math.max(height, 1) * this.view.zoom);
  }

  // Which sides a place moves: -1, 0 or 1 across and down; null where it is on none.
  sides(place, reach) {
    const [x, y] = this.pixel(place);
    const [left, top, right, bottom] = this.box;
    const near = reach * this.unit;
    if (x < left - near || x > right + near || y < top - near || y > bottom + near) return null;
    const side = (at, low, high) =>
      Math.min(Math.abs(at - low), Math.abs(at - high)) > near
        ? 0
        : Math.abs(at - low) < Math.abs(at - high)
          ? -1
          : 1;
    return [side(x, left, right), side(y, top, bottom)];
  }

  down(event, place) {
    this.sidesMoved = this.sides(place, NEAR[event.pointerType] ?? 10) ?? [1, 1];
    const isNew = this.sides(place, NEAR[event.pointerType] ?? 10) === null;
    this.from = this.pixel(place);
    this.before = this.box;
    this.drawnFrom = isNew ? [...this.from, ...this.from] : this.box;
    return true;
  }

  move(event, place) {
    if (!this.from) return;
    const [x, y] = this.pixel(place);
    const [dx, dy] = [x - this.from[0], y - this.from[1]];
    const [across, down] = this.sidesMoved;
    const [left, top, right, bottom] = this.drawnFrom;
    if (!across && !down) return this.setBox([left + dx, top + dy, right + dx, bottom + dy]);
    const xs = [left + (across < 0 ? dx : 0), right + (across > 0 ? dx : 0)];
    const ys = [top + (down < 0 ? dy : 0), bottom + (down > 0 ? dy : 0)];
    this.setBox([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], false);
  }

  // A click beside the box, or a box too small to be meant, leaves the one there was.
  up() {
    if (!this.from) return;
    const [left, top, right, bottom] = this.box;
    if (right - left < this.least || bottom - top < this.least) this.setBox(this.before);
    this.from = null;
  }

  // A second finger zooms and pans instead.
  cancel() {
    if (this.from) this.setBox(this.before);
    this.from = null;
  }

  hover(place) {
    const sides = this.sides(place, NEAR.mouse);
    const [across, down] = sides ?? [];
    const cursor =
      { "0 0": "move", "1 0": "ew-resize", "0 1": "ns-resize" }[
        `${Math.abs(across)} ${Math.abs(down)}`
      ] ?? (across * down > 0 ? "nwse-resize" : "nesw-resize");
    this.view.stage.style.cursor = sides ? cursor : "crosshair";
  }

  key(right, down, resizes) {
    const step = 0.01 * Math.min(...this.film);
    const [left, top, other, bottom] = this.box;
    const [dx, dy] = [right * step, down * step];
    if (!resizes) this.setBox([left + dx, top + dy, other + dx, bottom + dy]);
    else
      this.setBox(
        [left, top, Math.max(other + dx, left + this.least), Math.max(bottom + dy, top + this.least)],
        false,
      );
    return true;
  }

  // Within the canvas; a box that is moved keeps its size where it can.
  setBox([left, top, right, bottom], keepsSize = true) {
    const [width, height] = this.canvas;
    if (keepsSize) {
      const dx = Math.max(0, -left) + Math.min(0, width - right);
      const dy = Math.max(0, -top) + Math.min(0, height - bottom);
      [left, right, top, bottom] = [left + dx, right + dx, top + dy, bottom + dy];
    }
    const [x, y] = [(value) => clamp(value, 0, width), (value) => clamp(value, 0, height)];
    this.box = [x(left), y(top), x(right), y(bottom)];
    this.draw();
  }

  draw() {
    if (!this.box) return;
    const [left, top, right, bottom] = this.box;
    const [width, height] = this.canvas;
    const shade = `M0 0H${width}V${height}H0Z M${left} ${top}V${bottom}H${right}V${top}Z`;
    const side = HANDLE * this.unit;
    const handles = [left, (left + right) / 2, right].flatMap((x) =>
      [top, (top + bottom) / 2, bottom].map((y) => [x, y]),
    );
    handles.splice(4, 1); // none in the middle
    this.svg.replaceChildren(
      drawn("path", { d: shade, class: "shade", "fill-rule": "evenodd" }),
      drawn("rect", { x: left, y: top, width: right - left, height: bottom - top }),
      ...handles.map(([x, y]) =>
        drawn("rect", {
          x: x - side / 2, y: y - side / 2, width: side, height: side, class: "handle",
        }),
      ),
    );
    const size = `${Math.round(right - left)} × ${Math.round(bottom - top)} pixels`;
    const direction = this.rotation < 0 ? "counterclockwise" : "clockwise";
    const rotated = this.rotation && `, rotated ${Math.abs(this.rotation)}° ${direction}`;
    this.output.textContent = size + (rotated || "");
  }
}
