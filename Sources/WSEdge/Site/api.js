/** What the edge answers over HTTP. */

import { session } from "./session.js";

const timeoutMs = 10_000;

async function get(path) {
  const headers = { accept: "application/json" };
  if (session.token) headers.authorization = `Bearer ${session.token}`;
  const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs), headers });
  if (!response.ok) {
    const answer = await response.json().catch(() => undefined);
    const error = new Error(answer?.error?.message ?? `${path} was answered with ${response.status}`);
    throw Object.assign(error, { needsUser: response.status === 401 || response.status === 403 });
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
