import * as format from "../format.js";

const limit = 1000;

/** Stock levels: the first so many parts, by quantity. */
export class Stock {
  #panel = document.getElementById("stock");
  #lines = new Map();
  #frame;

  /**
   * @param {MillraceClient} client
   * @param {string} stream
   */
  constructor(client, stream) {
    this.#panel.hidden = false;
    this.subscription = client.subscribe(stream, {
      key: ["sku"],
      request: { mode: "latest", max_hz: 5 },
      onChange: () => this.#change(),
    });
  }

  /** However much comes, it is drawn with the next frame. */
  #change() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw([...this.subscription.table.values()]);
    });
  }

  #draw(all) {
    const rows = all.sort((a, b) => a.quantity - b.quantity || String(a.sku).localeCompare(b.sku)).slice(0, limit);
    const highest = rows.reduce((high, row) => Math.max(high, row.quantity), 1);
    const gone = new Set(this.#lines.keys());
    const body = document.getElementById("parts");
    rows.forEach((row, index) => {
      const line = this.#lines.get(row.sku) ?? this.#makeLine(row);
      gone.delete(row.sku);
      this.#fill(line, row, highest);
      if (body.rows[index] !== line.element) body.insertBefore(line.element, body.rows[index] ?? null);
    });
    for (const sku of gone) {
      this.#lines.get(sku).element.remove();
      this.#lines.delete(sku);
    }
    const out = all.filter((row) => row.quantity <= 0).length;
    document.getElementById("stock-value").textContent = format.plural(all.length, "part") + (out ? `, ${out} out` : "");
  }

  #makeLine(row) {
    const element = document.createElement("tr");
    const head = element.appendChild(document.createElement("th"));
    head.scope = "row";
    const [quantity, change] = [element.insertCell(), element.insertCell()];
    quantity.className = "quantity number";
    change.className = "change number";
    const bar = head.appendChild(document.createElement("span"));
    bar.className = "bar";
    const name = head.appendChild(document.createElement("span"));
    name.className = "name";
    const line = { element, name, bar, quantity, change, known: row.quantity };
    this.#lines.set(row.sku, line);
    return line;
  }

  #fill(line, row, highest) {
    const step = row.quantity - line.known;
    line.known = row.quantity;
    line.name.textContent = row.name ?? row.sku;
    line.name.title = row.sku;
    line.bar.style.setProperty("--share", Math.max(row.quantity, 0) / highest);
    line.element.classList.toggle("out", row.quantity <= 0);
    line.quantity.textContent = format.count(row.quantity);
    if (step) line.change.textContent = `${step > 0 ? "+" : "−"}${format.count(Math.abs(step))}`;
    line.change.classList.toggle("now", step !== 0);
  }
}
