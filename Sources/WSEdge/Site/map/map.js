import { Backdrop } from "./backdrop.js";
import * as format from "../format.js";
import { colour, labels, onTheme, stillness } from "../theme.js";

/** A camera's marker glides to its new place in so long. */
const glideMs = 700;
/** The view follows what comes until the map is touched, or for so long. */
const settleMs = 20_000;

/** The cameras where they are, as large as their traffic. */
export class CameraMap {
  #map;
  #backdrop;
  #cameras;
  #legend;
  #markers = new Map();
  /** Of markers on their way: {from, to, begin}. */
  #glides = new Map();
  #colours = {};
  #renderer = L.canvas({ padding: 0.2, tolerance: 6 });
  #popup = L.popup({ autoPan: false, className: "camera" });
  #chosen;
  #isTouched = false;
  #begin = Date.now();
  #fittedCount = 0;

  constructor(site, roads, cameras, legend) {
    this.#cameras = cameras;
    this.#legend = legend;
    this.#map = L.map("map", {
      attributionControl: false, zoomSnap: 0.25, zoomAnimation: !stillness.matches, fadeAnimation: false,
      inertia: !stillness.matches, minZoom: 3, maxZoom: 18, worldCopyJump: true,
    }).setView([0, 0], 3);
    this.#backdrop = new Backdrop(this.#map, site, roads);
    if (this.#backdrop.bounds) this.#map.fitBounds(this.#backdrop.bounds, { animate: false });
    this.#map.getContainer().addEventListener("pointerdown", () => (this.#isTouched = true));
    this.#map.getContainer().addEventListener("wheel", () => (this.#isTouched = true), { passive: true });
    this.#map.getContainer().addEventListener("keydown", () => (this.#isTouched = true));
    this.#map.on("popupclose", () => (this.#chosen = undefined));
    this.#map.on("zoomend", () => this.restyle());
    new ResizeObserver(() => this.#map.invalidateSize({ pan: false })).observe(this.#map.getContainer());
    onTheme(() => {
      this.#colours = Object.fromEntries([...labels, "silent", "outline"].map((name) => [name, colour(name)]));
      this.restyle();
    });
  }

  /** Where each marker is now: `[latitude, longitude]` by stream_id. */
  get places() {
    const place = (marker) => [marker.getLatLng().lat, marker.getLatLng().lng];
    return Object.fromEntries([...this.#markers].map(([id, marker]) => [id, place(marker)]));
  }

  /** Cameras that came, changed or went. @returns whether some are still on their way. */
  apply(ids, now) {
    for (const id of ids) {
      const camera = this.#cameras.get(id);
      const { latitude, longitude } = camera?.row ?? {};
      if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) this.#remove(id);
      else this.#place(id, camera, L.latLng(latitude, longitude), now);
    }
    this.#glide(now);
    if (ids.has(this.#chosen)) this.#describe(this.#chosen);
    this.#follow();
    return this.#glides.size > 0;
  }

  #remove(id) {
    this.#markers.get(id)?.remove();
    this.#markers.delete(id);
    this.#glides.delete(id);
  }

  #place(id, camera, place, now) {
    let marker = this.#markers.get(id);
    if (!marker) {
      marker = L.circleMarker(place, { renderer: this.#renderer, bubblingMouseEvents: false });
      marker.on("click", () => this.choose(id, false));
      this.#markers.set(id, marker);
    } else if (!place.equals(this.#glides.get(id)?.to ?? marker.getLatLng(), 1e-9)) {
      marker.isMoving = true;
      if (stillness.matches || document.hidden) marker.setLatLng(place);
      else this.#glides.set(id, { from: marker.getLatLng(), to: place, begin: now });
    }
    this.#style(marker, camera);
  }

  #style(marker, camera) {
    const name = this.#cameras.isSilent(camera, Date.now()) ? "silent" : camera.label;
    const isShown = !this.#legend.hidden.has(name);
    if (isShown !== this.#map.hasLayer(marker)) isShown ? marker.addTo(this.#map) : marker.remove();
    // With room for a ring in it.
    const least = marker.isMoving ? 5 : 3;
    const radius = this.#scale * (least + 0.6 * Math.sqrt(Math.max(camera.row.numbers_of_cars ?? 0, 0)));
    const looks = `${name} ${radius} ${marker.isMoving} ${this.#colours.outline}`;
    if (marker.looks === looks) return;
    marker.looks = looks;
    marker.setStyle({
      radius, fillColor: this.#colours[name], fillOpacity: name === "silent" ? 0.35 : 0.9,
      color: this.#colours.outline, weight: marker.isMoving ? 1.75 : 0.75, opacity: marker.isMoving ? 0.9 : 0.5,
    });
  }

  #glide(now) {
    for (const [id, { from, to, begin }] of this.#glides) {
      const share = Math.min((now - begin) / glideMs, 1);
      const marker = this.#markers.get(id);
      marker.setLatLng([from.lat + (to.lat - from.lat) * share, from.lng + (to.lng - from.lng) * share]);
      if (share === 1) this.#glides.delete(id);
      if (id === this.#chosen) this.#popup.setLatLng(marker.getLatLng());
    }
  }

  /** Markers are smaller where a screen shows a whole city. */
  get #scale() {
    return Math.min(Math.max(1.2 ** (this.#map.getZoom() - 13), 0.6), 1.6);
  }

  /** Everything anew: other colours, another scale, other labels shown, or time has passed. */
  restyle() {
    for (const [id, marker] of this.#markers) this.#style(marker, this.#cameras.get(id));
  }

  /** All cameras in sight, while more come and nobody has moved the map. */
  #follow() {
    const count = this.#markers.size;
    if (this.#isTouched || count === this.#fittedCount || Date.now() - this.#begin > settleMs) return;
    this.#fittedCount = count;
    const bounds = L.latLngBounds([...this.#markers.values()].map((marker) => marker.getLatLng()));
    this.#map.fitBounds(bounds, { padding: [16, 16], maxZoom: 15, animate: false });
  }

  /** Shows what a camera says. @param {boolean} moves the map to where it is. */
  choose(id, moves = true) {
    const marker = this.#markers.get(id);
    if (!marker) return;
    this.#isTouched = true;
    this.#describe(id);
    this.#popup.setLatLng(marker.getLatLng()).openOn(this.#map);
    this.#chosen = id;
    if (moves) this.#map.setView(marker.getLatLng(), Math.max(this.#map.getZoom(), 14), { animate: !stillness.matches });
  }

  #describe(id) {
    const camera = this.#cameras.get(id);
    if (!camera) return;
    const { row, label } = camera;
    const content = document.createElement("dl");
    const add = (term, text, className = "") => {
      content.appendChild(document.createElement("dt")).textContent = term;
      const element = content.appendChild(document.createElement("dd")).appendChild(document.createElement("span"));
      Object.assign(element, { textContent: text, className });
    };
    add("Location", row.location ?? id);
    add("Traffic", `${row.label ?? "–"}`, `mark ${label}`);
    add("Cars", row.numbers_of_cars ?? "–");
    add("Type", row.type ?? "–");
    add("Last row", format.time(row.timestamp));
    this.#popup.setContent(content);
  }
}
