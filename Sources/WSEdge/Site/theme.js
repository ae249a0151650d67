/** Colours, which style.css has for dark and light, for what is drawn on canvases. */

/** From the calmest; what a row says beside these is `other`. */
export const labels = ["free", "moderate", "heavy", "jam", "other"];

export const labelOf = (row) => (labels.includes(row.label) ? row.label : "other");

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Now, and when the colours change. */
export function onTheme(apply) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}

export const stillness = matchMedia("(prefers-reduced-motion: reduce)");
