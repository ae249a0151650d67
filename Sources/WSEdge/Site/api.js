/** What the edge answers over HTTP. */

const timeoutMs = 10_000;

async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs), headers: { accept: "application/json" } });
  if (!response.ok) {
    const answer = await response.json().catch(() => undefined);
    throw new Error(answer?.error?.message ?? `${path} was answered with ${response.status}`);
  }
  return response.json();
}

export const site = () => get("v1/site");

/** GeoJSON, or nothing where the edge has none. */
export const roads = () => get("roads.geojson").catch(() => undefined);

export const streams = async () => (await get("v1/streams")).streams;

/** The newest row of each key, with the position to go on from. */
export const latest = (stream, limit) => get(`v1/streams/${encodeURIComponent(stream)}/rows?latest=true&limit=${limit}`);

/** The newest rows. */
export const rows = async (stream, limit) =>
  (await get(`v1/streams/${encodeURIComponent(stream)}/rows?limit=${limit}`)).rows;
