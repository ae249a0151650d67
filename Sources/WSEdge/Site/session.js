/** Who has signed in on this page. The token is kept for as long as the tab is open, and nowhere else. */

const key = "millrace.session";
/** A token is renewed when so much of its time is over. */
const renewAt = 0.7;
// Milliseconds.
const retryAfter = 30_000;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? undefined;
  } catch {
    return undefined; // Nothing that this page wrote.
  }
}

class Session {
  #kept = read();
  #timer;
  /** Called with each new token. */
  onRenewed = () => {};

  constructor() {
    this.#plan();
  }

  get token() {
    return this.#kept?.token;
  }

  /** {user, role}; undefined: nobody. */
  get user() {
    return this.#kept && { user: this.#kept.user, role: this.#kept.role };
  }

  /** Throws an `Error` with what the edge says against it. */
  async signIn(username, password) {
    this.#keep(await this.#ask({ body: JSON.stringify({ username, password }) }));
  }

  forget() {
    clearTimeout(this.#timer);
    this.#kept = undefined;
    sessionStorage.removeItem(key);
  }

  async #ask(request) {
    const headers = request.body ? { "content-type": "application/json" } : { authorization: `Bearer ${this.token}` };
    const response = await fetch("v1/token", { method: "POST", headers, ...request });
    const answer = await response.json().catch(() => undefined);
    if (!response.ok) throw new Error(answer?.error?.message ?? `the edge answers ${response.status}`);
    return answer;
  }

  #keep({ token, user, role, expires_in: seconds }) {
    const now = Date.now();
    this.#kept = { token, user, role, renewAt: now + seconds * 1000 * renewAt, endsAt: now + seconds * 1000 };
    sessionStorage.setItem(key, JSON.stringify(this.#kept));
    this.#plan();
  }

  #plan() {
    clearTimeout(this.#timer);
    if (!this.#kept) return;
    if (this.#kept.endsAt <= Date.now()) return this.forget();
    this.#timer = setTimeout(() => this.#renew(), Math.max(0, this.#kept.renewAt - Date.now()));
  }

  async #renew() {
    const { token } = this;
    try {
      const answer = await this.#ask({});
      if (token !== this.token) return;
      this.#keep(answer);
      this.onRenewed();
    } catch {
      // It counts until its end: perhaps the edge, or its Postgres, is there again before that.
      if (token !== this.token) return;
      this.#timer = setTimeout(() => this.#plan(), retryAfter);
    }
  }
}

export const session = new Session();
