// An image of a page, with the tools of view.js and, where a box is asked for, of framing.js.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".viewer");
  root.viewer ??= new Viewer(root, (frame) => setTriggerValue("frame", frame));
  root.viewer.show(data);
}

class Viewer {
  constructor(root, send) {
    const find = (selector) => root.querySelector(selector);
    Object.assign(this, { root, send, image: find("img"), outlines: find("svg") });
    [this.stage, this.caption] = [find(".stage"), find("figcaption")];
    this.view = new View(root, this.stage, find(".content"), [this.image]);
    const tools = new Tools(this.view);
    this.stage.after(tools.bar, tools.sliders);
  }

  // A rerun of the page keeps zoom and window, and so does another image of the same scene.
  show(data) {
    const { version, scene } = this.root.dataset;
    if (version === data.version) return;
    Object.assign(this.root.dataset, { version: data.version, scene: data.scene });
    Object.assign(this.image, { src: data.image, alt: data.alt });
    this.stage.setAttribute("aria-label", `${data.alt}. ${KEYS}`);
    this.caption.textContent = data.caption;
    if (scene !== data.scene) this.view.reset();
    this.view.setBase(data.window);
    this.root.style.setProperty("--ratio", data.width / data.height);
    this.root.style.setProperty("--height", `${data.max_height}vh`);
    if (data.frame) {
      this.framing ??= new Framing(this.view, this.root, this.send);
      this.framing.start(data);
      return;
    }
    this.outlines.setAttribute("viewBox", `-0.5 -0.5 ${data.width} ${data.height}`);
    this.outlines.replaceChildren(
      ...data.outlines.map(({ points, thin }) =>
        drawn("polygon", { points: points.join(" "), class: thin ? "thin" : "" }),
      ),
    );
  }
}
