/** Numbers, times and spans as people read them. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export const count = (number) => whole.format(number);

export const rate = (number) => (number < 10 ? short.format(number) : whole.format(number));

/** The time of day here. */
export function time(timestamp) {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? "–" : clock.format(date);
}

/** A span of any length, in its own unit. */
export function span(milliseconds) {
  if (milliseconds === null || !Number.isFinite(milliseconds)) return "–";
  const units = [[1000, 1, "ms"], [120_000, 1000, "s"], [7_200_000, 60_000, "min"], [172_800_000, 3_600_000, "h"]];
  const [, size, unit] = units.find(([limit]) => milliseconds < limit) ?? [0, 86_400_000, "d"];
  const value = milliseconds / size;
  return `${unit === "ms" || value >= 10 ? whole.format(value) : short.format(value)} ${unit}`;
}

/** `3 rows`, `1 row`. */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
