// Zoom, pan, brightness and contrast of an image, by mouse, touch and keyboard.
//
// `stage` is what is seen, `content` fills it and is moved and scaled, and every element in
// `windowed` gets the window as a CSS filter. Nothing here is told to the page, so nothing reruns.

const MAX_ZOOM = 16;
const STEP = 1.25; // of zoom, for a key or a button
const DOUBLE = { ms: 350, px: 25, zoom: 2.5 };
const KEYS =
  "Keys: + and − zoom, arrows pan, Shift with arrows changes brightness and contrast, " +
  "i inverts, 0 resets, f is full screen.";
const ICONS = {
  out: "M5 12h14",
  in: "M5 12h14M12 5v14",
  reset: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  window: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  invert: "M4 4h16v16H4zM4 20 20 4M14 20l6-6M9 20 20 9",
  screen: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
};

class View {
  // frame: the element around stage and tools, which fills the screen. tool: what takes the
  // pointer and the keys first, see Framing. linked: views that follow this one.
  constructor(frame, stage, content, windowed) {
    Object.assign(this, { frame, stage, content, windowed, tool: null, linked: [] });
    this.base = [0, 1];
    this.pointers = new Map();
    this.reset();
    this.listen();
  }

  reset() {
    Object.assign(this, { zoom: 1, x: 0, y: 0, brightness: 0, contrast: 0, inverted: false });
    this.draw();
  }

  // The gray levels, 0 to 1, that are black and white before brightness and contrast are changed.
  setBase(window) {
    this.base = window;
    this.draw();
  }

  draw(isLinked = false) {
    const { zoom, x, y } = this;
    this.content.style.setProperty("--zoom", zoom);
    this.content.style.transform = `translate(${100 * x}%, ${100 * y}%) scale(${zoom})`;
    for (const element of this.windowed) element.style.filter = this.filter();
    this.stage.dataset.zoom = zoom.toFixed(2);
    this.stage.style.touchAction = zoom > 1 || this.tool ? "none" : "pan-x pan-y";
    this.tools?.follow();
    this.tool?.draw();
    if (isLinked) return;
    for (const other of this.linked) {
      const { brightness, contrast, inverted } = this;
      Object.assign(other, { zoom, x, y, brightness, contrast, inverted });
      other.draw(true);
    }
  }

  // gray -> slope * gray + offset, as brightness() and contrast(). Of the two ways to write it,
  // one has a brightness of at most 1, so that nothing is cut off before the contrast.
  filter() {
    const [low, high] = this.base;
    const width = 2 ** (-this.contrast / 50);
    const level = 0.5 - this.brightness / 200;
    const slope = 1 / (width * Math.max(high - low, 1 / 255));
    const offset = 0.5 - level / width - low * slope;
    const negative = slope + 2 * offset > 1;
    const steepness = 1 - 2 * (negative ? 1 - slope - offset : offset);
    const linear = `brightness(${slope / steepness}) contrast(${steepness})`;
    return [negative && "invert(1)", linear, negative !== this.inverted && "invert(1)"]
      .filter(Boolean)
      .join(" ");
  }

  // By a factor about a place of the stage, fractions of its sides.
  zoomBy(factor, u = 0.5, v = 0.5) {
    const zoom = clamp(this.zoom * factor, 1, MAX_ZOOM);
    const ratio = zoom / this.zoom;
    this.zoom = zoom;
    this.moveTo(u - (u - this.x) * ratio, v - (v - this.y) * ratio);
    return ratio !== 1;
  }

  moveTo(x, y) {
    this.x = clamp(x, 1 - this.zoom, 0);
    this.y = clamp(y, 1 - this.zoom, 0);
    this.draw();
  }

  setWindow(brightness, contrast) {
    this.brightness = clamp(Math.round(brightness), -100, 100);
    this.contrast = clamp(Math.round(contrast), -100, 100);
    this.draw();
  }

  invert() {
    this.inverted = !this.inverted;
    this.draw();
  }

  fullScreen() {
    if (this.frame.getRootNode().fullscreenElement) document.exitFullscreen();
    else this.frame.requestFullscreen();
  }

  place(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  listen() {
    const on = (name, handler, options) => this.stage.addEventListener(name, handler, options);
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event));
    on("contextmenu", (event) => event.preventDefault()); // the right button changes the window
    on("keydown", (event) => {
      if (!this.key(event)) return;
      event.preventDefault();
      event.stopPropagation(); // it may be a shortcut of the page
    });
  }

  // The wheel scrolls the page until the image is clicked, or with Ctrl, as trackpads pinch.
  wheel(event) {
    if (!event.ctrlKey && !this.stage.matches(":focus")) return;
    const factor = Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002));
    if (this.zoomBy(factor, ...this.place(event)) || event.ctrlKey) event.preventDefault();
  }

  down(event) {
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    if (this.pointers.size > 1) this.tool?.cancel();
    else if (event.button === 0) this.isTool = this.tool?.down(event, this.place(event));
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    const [u, v] = this.place(event);
    if (!before) return this.tool?.hover([u, v]);
    const [du, dv] = [u - before[0], v - before[1]];
    this.pointers.set(event.pointerId, [u, v]);
    if (this.pointers.size > 1) this.pinch(event.pointerId, [u, v], before);
    else if (event.buttons & 2)
      this.setWindow(this.brightness - 200 * dv, this.contrast + 200 * du);
    else if (this.isTool) this.tool.move(event, [u, v]);
    else if (this.zoom > 1) this.moveTo(this.x + du, this.y + dv);
  }

  pinch(id, now, before) {
    const [, other] = [...this.pointers].find(([each]) => each !== id);
    const shape = this.stage.getBoundingClientRect();
    const apart = ([u, v]) =>
      Math.hypot((u - other[0]) * shape.width, (v - other[1]) * shape.height);
    const middle = ([u, v]) => [(u + other[0]) / 2, (v + other[1]) / 2];
    const [[u, v], [pu, pv]] = [middle(now), middle(before)];
    this.moveTo(this.x + u - pu, this.y + v - pv);
    this.zoomBy(apart(now) / Math.max(apart(before), 1), u, v);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.isTool) this.tool.up(event);
    else if (event.type === "pointerup" && event.button === 0) this.tap(event);
    this.isTool = false;
  }

  tap(event) {
    const { last } = this;
    this.last = event;
    if (!last || event.timeStamp - last.timeStamp > DOUBLE.ms) return;
    const apart = Math.hypot(event.clientX - last.clientX, event.clientY - last.clientY);
    if (apart > DOUBLE.px) return;
    this.last = null;
    this.zoomBy(this.zoom > 1 ? 1 / this.zoom : DOUBLE.zoom, ...this.place(event));
  }

  // Whether the key was used.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const [right, down] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ??
      [];
    const isArrow = right !== undefined;
    if (isArrow && this.tool?.key(right, down, event.shiftKey)) return true;
    if (isArrow && event.shiftKey)
      this.setWindow(this.brightness - 5 * down, this.contrast + 5 * right);
    else if (isArrow && this.zoom > 1) this.moveTo(this.x - 0.1 * right, this.y - 0.1 * down);
    else if (event.key === "+" || event.key === "=") this.zoomBy(STEP);
    else if (event.key === "-" || event.key === "_") this.zoomBy(1 / STEP);
    else if (event.key === "0") this.reset();
    else if (event.key === "i") this.invert();
    else if (event.key === "f" && document.fullscreenEnabled) this.fullScreen();
    else return false;
    return true;
  }
}

// The buttons of a view, and the sliders that one of them shows.
class Tools {
  constructor(view) {
    this.view = view;
    this.bar = made("div", { className: "tools", role: "toolbar", ariaLabel: "Image tools" });
    this.button("out", "Zoom out (−)", () => view.zoomBy(1 / STEP));
    this.zoom = this.bar.appendChild(made("output", { ariaLabel: "Zoom" }));
    this.button("in", "Zoom in (+)", () => view.zoomBy(STEP));
    this.window = this.button("window", "Brightness and contrast", () => this.toggle());
    this.inverted = this.button("invert", "Invert (i)", () => view.invert());
    this.button("reset", "Reset (0)", () => view.reset());
    if (document.fullscreenEnabled)
      this.button("screen", "Full screen (f)", () => view.fullScreen());
    this.sliders = made("div", { className: "sliders", hidden: true });
    this.brightness = this.slider("Brightness");
    this.contrast = this.slider("Contrast");
    const hint = "Or drag with the right mouse button.";
    this.sliders.append(made("small", { textContent: `${hint} ${KEYS}` }));
    this.window.ariaExpanded = "false";
    view.tools = this;
    this.follow();
  }

  button(icon, title, act) {
    const button = made("button", { type: "button", title, ariaLabel: title });
    const [svg, path] = [drawn("svg", { viewBox: "0 0 24 24" }), drawn("path", { d: ICONS[icon] })];
    svg.append(path);
    button.append(svg);
    button.addEventListener("click", act);
    return this.bar.appendChild(button);
  }

  slider(name) {
    const label = made("label", { textContent: name });
    const input = made("input", { type: "range", min: -100, max: 100, ariaLabel: name });
    input.addEventListener("input", () =>
      this.view.setWindow(Number(this.brightness.value), Number(this.contrast.value)),
    );
    label.append(input);
    this.sliders.append(label);
    return input;
  }

  toggle() {
    this.sliders.hidden = !this.sliders.hidden;
    this.window.ariaExpanded = String(!this.sliders.hidden);
  }

  follow() {
    const { view } = this;
    this.zoom.textContent = `${Math.round(100 * view.zoom)}%`;
    this.brightness.value = view.brightness;
    this.contrast.value = view.contrast;
    this.inverted.ariaPressed = String(view.inverted);
  }
}

function clamp(value, low, high) {
  return value < low ? low : value > high ? high : value;
}

function made(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function drawn(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
