// Each mode of an edge in Node, by Debian's `ws`, and by the client library on it.
//
// usage: node modes-node.mjs ws|library MILLRACE.JS URL OTHER-URL PREFIX

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Debian's packages are found by `require` only.
const WebSocket = createRequire(import.meta.url)("ws");
const [kind, path, ...words] = process.argv.slice(2);
const { modes, library } = await import("./modes.js");
if (kind === "ws") {
  await modes(WebSocket, ...words, console.log);
} else {
  const { MillraceClient } = await import(pathToFileURL(path).href);
  await library(MillraceClient, WebSocket, ...words, console.log);
}
process.exit(0);
