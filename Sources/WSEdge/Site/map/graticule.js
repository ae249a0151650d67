import { colour } from "../theme.js";

/** Degrees between two lines. */
const steps = [45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/** Meridians and parallels behind a map, named at its right and lower edge. */
export class Graticule {
  #map;
  #canvas = document.createElement("canvas");

  constructor(map) {
    this.#map = map;
    this.#canvas.className = "graticule";
    map.getContainer().prepend(this.#canvas);
    map.on("move zoomend resize", () => this.draw());
    this.draw();
  }

  draw() {
    const { x: width, y: height } = this.#map.getSize();
    const ratio = globalThis.devicePixelRatio || 1;
    Object.assign(this.#canvas, { width: width * ratio, height: height * ratio });
    Object.assign(this.#canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = this.#canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    Object.assign(context, { strokeStyle: colour("graticule"), fillStyle: colour("graticule-text"), textBaseline: "bottom" });

    const bounds = this.#map.getBounds();
    const wanted = 220 / 2 ** this.#map.getZoom();
    const step = steps.find((each) => each <= wanted) ?? steps.at(-1);
    const name = (degrees, positive, negative) => {
      const digits = Math.max(0, Math.ceil(-Math.log10(step)));
      return `${Math.abs(degrees).toFixed(digits)}° ${degrees < 0 ? negative : positive}`;
    };
    context.beginPath();
    for (let index = Math.ceil(bounds.getWest() / step); index * step <= bounds.getEast(); index += 1) {
      const x = Math.round(this.#map.latLngToContainerPoint([0, index * step]).x) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, height);
      context.fillText(name(index * step, "E", "W"), x + 4, height - 3);
    }
    context.textAlign = "right";
    for (let index = Math.ceil(bounds.getSouth() / step); index * step <= bounds.getNorth(); index += 1) {
      const y = Math.round(this.#map.latLngToContainerPoint([index * step, 0]).y) + 0.5;
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.fillText(name(index * step, "N", "S"), width - 4, y - 2);
    }
    context.stroke();
  }
}
