import { Graticule } from "./graticule.js";
import { colour, onTheme } from "../theme.js";

/** How each kind is drawn, from below: its colour, and its width in pixels where a screen is about a quarter. */
const kinds = new Map([
  ["river", ["river", 9]],
  ["canal", ["river", 4.5]],
  ["street", ["road", 1.2]],
  ["bridge", ["road", 2.2]],
  ["main", ["road-wide", 2]],
  ["ring", ["road-wide", 2.6]],
  ["motorway", ["road-wide", 3.4]],
]);
const quarterZoom = 13;

const kindOf = (feature) => (kinds.has(feature.properties.kind) ? feature.properties.kind : "street");

/** What lies below the cameras: tiles where an address is configured, else the roads that are known and a graticule. */
export class Backdrop {
  #map;
  #lines = [];

  /** @param {{tiles: string|null, attribution: string}} site */
  constructor(map, site, roads) {
    this.#map = map;
    if (site.tiles) {
      L.tileLayer(site.tiles, { maxZoom: 19 }).addTo(map);
      if (site.attribution) L.control.attribution({ prefix: false }).addAttribution(site.attribution).addTo(map);
      return;
    }
    const graticule = new Graticule(map);
    if (roads) this.#addRoads(roads);
    map.on("zoomend", () => this.#paint());
    onTheme(() => {
      graticule.draw();
      this.#paint();
    });
  }

  /** Of the roads; undefined without any. */
  get bounds() {
    return this.#lines.length ? L.featureGroup(this.#lines).getBounds() : undefined;
  }

  #addRoads(roads) {
    const pane = this.#map.createPane("roads");
    pane.style.zIndex = 300;
    const renderer = L.canvas({ pane: "roads", padding: 0.3 });
    const order = [...kinds.keys()];
    const rank = (feature) => order.indexOf(kindOf(feature));
    for (const feature of [...roads.features].sort((a, b) => rank(a) - rank(b))) {
      const places = L.GeoJSON.coordsToLatLngs(feature.geometry.coordinates);
      const options = { renderer, pane: "roads", interactive: false, smoothFactor: 0.6, kind: kindOf(feature) };
      this.#lines.push(L.polyline(places, options).addTo(this.#map));
    }
  }

  #paint() {
    const growth = 2 ** ((this.#map.getZoom() - quarterZoom) / 2);
    const colours = Object.fromEntries(["river", "road", "road-wide"].map((name) => [name, colour(name)]));
    for (const line of this.#lines) {
      const [name, width] = kinds.get(line.options.kind);
      line.setStyle({ color: colours[name], weight: Math.max(width * growth, 0.6) });
    }
  }
}
