import * as api from "./api.js";
import { Cameras } from "./map/cameras.js";
import { Charts } from "./panels/charts.js";
import { ConnectionView } from "./panels/connection.js";
import * as format from "./format.js";
import { Legend } from "./map/legend.js";
import { CameraMap } from "./map/map.js";
import { Meter } from "./panels/meter.js";
import { MillraceClient } from "./millrace.js";
import { NewestRows } from "./panels/newest.js";
import { session } from "./session.js";
import { SignInView } from "./panels/sign-in.js";
import { Stock } from "./panels/stock.js";

const traffic = "traffic_data";
const stock = "stocks";
const camerasLimit = 5000;
const ms = { counts: 250, table: 500, chart: 1000, silence: 5000, hidden: 1000 };

const cameras = new Cameras();
const meter = new Meter();
const charts = new Charts();
const legend = new Legend(() => map?.restyle());
const newest = new NewestRows((id) => map?.choose(id));
const connection = new ConnectionView(() => client.retryNow());
const signIn = new SignInView();
let map;
let frame;

const client = new MillraceClient("ws", { token: () => session.token, onState: showState });
session.onRenewed = () => client.refresh();
const subscription = client.subscribe(traffic, {
  snapshot: readCameras,
  onRows: take,
  onResumed: () => connection.resumed(false),
  onGap: () => connection.resumed(true),
  onError: fail,
});

function fail(error) {
  notice(error.message);
  if (error.code === "forbidden" || error.code === "unauthorized") signIn.offer();
}

function showState(state, detail) {
  if (state === "refused" && detail.code === 4401) signIn.offer();
  if (state === "live" && subscription.state === "open") notice("");
  connection.show(state, detail);
  showCounts();
}

/** What there is already, and where the feed goes on from it. */
async function readCameras() {
  const { rows, epoch, position } = await api.latest(traffic, camerasLimit).catch((error) => {
    // Then the subscription is refused too, and not asked for again and again.
    if (error.needsUser) return { rows: [] };
    throw error;
  });
  for (const row of rows) cameras.take(row, Date.parse(row.timestamp));
  draw();
  return epoch === undefined ? {} : { epoch, position };
}

function take(rows) {
  const now = Date.now();
  for (const row of rows) cameras.take(row, now);
  meter.take(rows, now);
  newest.take(rows);
  draw();
}

/** With the next frame: as often as the screen can show it, however many rows come. */
function draw() {
  // A page that nobody sees has no frames, and yet what has changed must not pile up.
  if (document.hidden) frame ??= setTimeout(drawNow, ms.hidden);
  else frame ??= requestAnimationFrame(drawNow);
}

function drawNow() {
  frame = undefined;
  if (map?.apply(cameras.takeChanged(), performance.now())) draw();
}

function showCounts() {
  const write = (name, number) => (document.getElementById(`figure-${name}`).textContent = format.count(number));
  write("rows", subscription.rows);
  write("cameras", cameras.size);
  write("resumed", subscription.resumed);
  write("gaps", subscription.gaps);
  legend.draw(cameras.count(Date.now()));
  Object.assign(document.documentElement.dataset, {
    state: client.state, rows: subscription.rows, gaps: subscription.gaps, resumed: subscription.resumed,
    repeats: subscription.repeats, reconnects: client.reconnects,
  });
}

function notice(text) {
  const element = document.getElementById("notice");
  element.textContent = text;
  element.hidden = !text;
}

async function begin() {
  const [site, roads] = await Promise.all([api.site().catch(() => ({ tiles: null })), api.roads()]);
  if (globalThis.L) map = new CameraMap(site, roads, cameras, legend);
  else document.getElementById("map").textContent = "The edge has no Leaflet: there is no map. Debian's package is libjs-leaflet.";
  draw();
  newest.take((await api.rows(traffic, 40).catch(() => [])).reverse());
  if ((await api.streams().catch(() => [])).some(({ name }) => name === stock)) new Stock(client, stock);
}

setInterval(showCounts, ms.counts);
setInterval(() => newest.draw(), ms.table);
setInterval(() => charts.add(meter.read(), client.state === "live"), ms.chart);
setInterval(() => map?.restyle(), ms.silence);
document.addEventListener("visibilitychange", drawNow);
addEventListener("online", () => client.retryNow());
client.connect();
begin();

/** What the page has seen, for tests and for the curious. */
globalThis.millraceDashboard = {
  get state() {
    return client.state;
  },
  get rows() {
    return subscription.rows;
  },
  get cameras() {
    return cameras.size;
  },
  get reconnects() {
    return client.reconnects;
  },
  get resumed() {
    return subscription.resumed;
  },
  get gaps() {
    return subscription.gaps;
  },
  get repeats() {
    return subscription.repeats;
  },
  /** `[latitude, longitude]` of each marker, by stream_id. */
  get markers() {
    return map?.places ?? {};
  },
};
