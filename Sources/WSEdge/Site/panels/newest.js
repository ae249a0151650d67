import * as format from "../format.js";
import { labelOf } from "../theme.js";

const limit = 40;

/** The table of the newest rows. Drawn when asked, not when rows come. */
export class NewestRows {
  #rows = [];
  #isStale = true;
  #isPaused = false;
  #lines = [];
  #body = document.getElementById("rows");

  /** @param {function(string)} onChosen with the stream_id of the row whose camera to show. */
  constructor(onChosen) {
    const button = document.getElementById("pause");
    button.addEventListener("click", () => {
      this.#isPaused = !this.#isPaused;
      button.setAttribute("aria-pressed", String(this.#isPaused));
      button.textContent = this.#isPaused ? "Go on" : "Pause";
      this.draw();
    });
    this.#body.addEventListener("click", (event) => {
      const id = event.target.closest("button")?.dataset.id;
      if (id) onChosen(id);
    });
    // One stop for the tab key, arrows within.
    this.#body.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = this.#lines[this.#lines.findIndex(({ button }) => button === event.target) + step];
      if (!step || !next) return;
      event.preventDefault();
      event.target.tabIndex = -1;
      next.button.tabIndex = 0;
      next.button.focus();
    });
  }

  /** @param rows in the order in which they came */
  take(rows) {
    this.#rows = rows.slice(-limit).reverse().concat(this.#rows).slice(0, limit);
    this.#isStale = true;
  }

  draw() {
    // Under a hand or the keyboard's focus a moving table can't be used.
    const isHeld = this.#body.contains(document.activeElement) || this.#body.matches(":hover");
    document.getElementById("held").hidden = !isHeld || this.#isPaused;
    if (!this.#isStale || this.#isPaused || (isHeld && this.#lines.length > 0)) return;
    this.#isStale = false;
    while (this.#lines.length < this.#rows.length) this.#lines.push(this.#makeLine());
    this.#rows.forEach((row, index) => this.#fill(this.#lines[index], row));
  }

  #makeLine() {
    const line = this.#body.insertRow();
    const [time, location, cars, label, type] = Array.from({ length: 5 }, () => line.insertCell());
    cars.className = "number";
    type.className = "wide";
    const button = location.appendChild(document.createElement("button"));
    button.type = "button";
    button.title = "Show on the map";
    button.tabIndex = this.#lines.length ? -1 : 0;
    const mark = label.appendChild(document.createElement("span"));
    return { time, button, cars, mark, type };
  }

  #fill({ time, button, cars, mark, type }, row) {
    time.textContent = format.time(row.timestamp);
    button.textContent = row.location ?? row.stream_id;
    button.dataset.id = row.stream_id;
    cars.textContent = row.numbers_of_cars ?? "–";
    mark.className = `mark ${labelOf(row)}`;
    mark.textContent = row.label ?? "–";
    type.textContent = row.type ?? "–";
  }
}
