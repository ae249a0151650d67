/** Of a second's latencies at most so many are kept, each as likely as the others. */
const sampleLimit = 1000;

/** Rows and latencies of one second after another. */
export class Meter {
  #rows = 0;
  #samples = [];
  #begin = performance.now();

  /** @param {number} now milliseconds since 1970, as `Date.now()` */
  take(rows, now) {
    for (const row of rows) {
      this.#rows += 1;
      // A clock that is a little ahead of ours makes no row from the future.
      const latency = Math.max(now - Date.parse(row.timestamp), 0);
      if (!Number.isFinite(latency)) continue;
      if (this.#samples.length < sampleLimit) {
        this.#samples.push(latency);
      } else {
        const place = Math.floor(Math.random() * this.#rows);
        if (place < sampleLimit) this.#samples[place] = latency;
      }
    }
  }

  /** What was taken since the last time: rows a second; milliseconds, or null when no row came. */
  read() {
    const end = performance.now();
    const samples = this.#samples.sort((a, b) => a - b);
    const at = (share) => samples[Math.min(Math.floor(samples.length * share), samples.length - 1)] ?? null;
    const reading = { rate: (this.#rows * 1000) / Math.max(end - this.#begin, 1), median: at(0.5), worst: at(0.95) };
    this.#rows = 0;
    this.#samples = [];
    this.#begin = end;
    return reading;
  }
}
