import * as format from "../format.js";

/** For so long it is said that the page has gone on without a gap. */
const resumedMs = 8000;
const title = document.title;
const words = {
  idle: "Connecting", connecting: "Connecting", live: "Live", resumed: "Resumed", gap: "Live", reconnecting: "Reconnecting",
  refused: "Refused", closed: "Closed",
};

const isLive = (state) => state === "live" || state === "resumed" || state === "gap";

/** What the page says of its connection: the client's state, and for a while that it was resumed. */
export class ConnectionView {
  state = "connecting";
  #lostAt;
  /** {state, text, until}: said for a while. */
  #note;
  #timer;
  #detail = document.getElementById("connection-detail");
  #retry = document.getElementById("retry");

  constructor(onRetry) {
    this.#retry.addEventListener("click", onRetry);
  }

  /** The client's state, and how it came to it. */
  show(state, { reason, retryInMs }) {
    clearTimeout(this.#timer);
    if (state === "reconnecting") this.#lostAt ??= Date.now();
    if (state === "live") this.#showLive();
    else if (state === "refused") this.#write(state, reason || "the edge lets nobody in like this");
    else if (state === "closed") this.#write(state, "");
    else this.#count(state, Date.now() + (retryInMs ?? 0));
    this.#retry.hidden = !(state === "refused" || (state === "reconnecting" && retryInMs > 1000));
  }

  /** It goes on from where it was, or rows are missing. Said when it is live. */
  resumed(isMissing) {
    const away = this.#lostAt === undefined ? "" : ` after ${format.span(Date.now() - this.#lostAt)}`;
    const [state, text] = isMissing ? ["gap", "rows may be missing"] : ["resumed", "without a gap"];
    this.#note = { state, text: text + away, until: Date.now() + resumedMs };
    if (isLive(this.state)) this.#showLive();
  }

  #showLive() {
    this.#lostAt = undefined;
    const left = (this.#note?.until ?? 0) - Date.now();
    if (left <= 0) return this.#write("live", "");
    this.#write(this.#note.state, this.#note.text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#showLive(), left + 1);
  }

  #count(state, until) {
    const left = Math.ceil((until - Date.now()) / 1000);
    this.#write(state, left > 1 ? `next try in ${left} s` : "");
    if (left > 1) this.#timer = setTimeout(() => this.#count(state, until), 1000);
  }

  #write(state, detail) {
    this.state = state;
    document.getElementById("connection").dataset.shown = state;
    const word = document.getElementById("connection-state");
    if (word.textContent !== words[state]) word.textContent = words[state];
    this.#detail.textContent = detail;
    document.title = isLive(state) ? title : `${words[state]}: ${title}`;
    // The countdown is for the eye.
    this.#detail.setAttribute("aria-hidden", String(detail.startsWith("next")));
  }
}
