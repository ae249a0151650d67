import { labelOf, labels } from "../theme.js";

/** More than anybody sees; the ones that were silent the longest go. */
const limit = 5000;
/** A camera that said nothing for so long is shown as silent. */
const silentAfterMs = 120_000;

/** The newest row of each camera. */
export class Cameras {
  /** By stream_id: {row, label, seenAt}, the longest silent first. */
  #byID = new Map();
  #changed = new Set();

  get size() {
    return this.#byID.size;
  }

  get(id) {
    return this.#byID.get(id);
  }

  /** Rows may come twice, or late: the newer stays. Timestamps are canonical, so they compare as text. */
  take(row, seenAt) {
    const id = row.stream_id;
    const known = this.#byID.get(id);
    if (known && known.row.timestamp > row.timestamp) return;
    this.#byID.delete(id);
    this.#byID.set(id, { row, label: labelOf(row), seenAt });
    this.#changed.add(id);
    if (this.#byID.size > limit) {
      const oldest = this.#byID.keys().next().value;
      this.#byID.delete(oldest);
      this.#changed.add(oldest);
    }
  }

  /** Ids of those that came, changed or went since it was asked last. */
  takeChanged() {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  isSilent(camera, now) {
    return now - camera.seenAt > silentAfterMs;
  }

  /** How many there are of each label, and how many are silent. */
  count(now) {
    const counts = Object.fromEntries(labels.map((label) => [label, 0]));
    let silent = 0;
    for (const camera of this.#byID.values()) {
      if (this.isSilent(camera, now)) silent += 1;
      else counts[camera.label] += 1;
    }
    return { counts, silent };
  }

  *[Symbol.iterator]() {
    yield* this.#byID;
  }
}
