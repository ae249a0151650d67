import * as format from "../format.js";
import { labels } from "../theme.js";

const names = { other: "other", silent: "silent" };

/** How many cameras there are of each label; which of them the map shows. */
export class Legend {
  #counts = new Map();
  #items = new Map();
  #shares = new Map();
  hidden = new Set();

  /** @param {function()} onChange when others are to be shown */
  constructor(onChange) {
    const shares = document.getElementById("shares");
    for (const label of [...labels, "silent"]) {
      this.#items.set(label, this.#makeItem(label, onChange));
      if (label === "silent") continue;
      const share = shares.appendChild(document.createElement("span"));
      share.className = label;
      this.#shares.set(label, share);
    }
    const moving = document.getElementById("legend").appendChild(document.createElement("span"));
    moving.className = "mark ring";
    moving.textContent = "on the move";
  }

  #makeItem(label, onChange) {
    const item = document.createElement("label");
    const box = item.appendChild(document.createElement("input"));
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) this.hidden.delete(label);
      else this.hidden.add(label);
      onChange();
    });
    const name = item.appendChild(document.createElement("span"));
    name.className = `mark ${label}`;
    name.textContent = names[label] ?? label;
    const number = item.appendChild(document.createElement("b"));
    this.#counts.set(label, number);
    document.getElementById("legend").append(item);
    return item;
  }

  draw({ counts, silent }) {
    const all = { ...counts, silent };
    for (const [label, number] of this.#counts) {
      number.textContent = format.count(all[label]);
      // These are exceptions: no place is kept for them.
      if (label === "other" || label === "silent") this.#items.get(label).hidden = !all[label];
    }
    for (const [label, share] of this.#shares) share.style.flexGrow = counts[label];
  }
}
