import { session } from "../session.js";

/** Who looks at this page, and the small form to become somebody. After it the page begins anew, as who one is then. */
export class SignInView {
  #dialog = document.getElementById("sign-in");
  #button = document.getElementById("sign-in-open");
  #form = document.getElementById("sign-in-form");
  #error = document.getElementById("sign-in-error");

  constructor() {
    const { user, role } = session.user ?? {};
    this.#button.hidden = !user;
    if (user) {
      this.#button.textContent = `Sign out ${user}`;
      this.#button.title = `${user}, ${role}`;
    }
    this.#button.addEventListener("click", () => (session.user ? this.#signOut() : this.#open()));
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    document.getElementById("sign-in-cancel").addEventListener("click", () => this.#dialog.close());
  }

  /** Something needs a user, or another one. Asked for once; then there is a button. */
  offer() {
    const isFirst = this.#button.hidden || session.user;
    session.forget();
    this.#button.textContent = "Sign in";
    this.#button.hidden = false;
    if (isFirst) this.#open();
  }

  #open() {
    this.#error.textContent = "";
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #signOut() {
    session.forget();
    location.reload();
  }

  async #submit(event) {
    event.preventDefault();
    const { username, password, submit } = this.#form.elements;
    submit.disabled = true;
    try {
      await session.signIn(username.value, password.value);
      location.reload();
    } catch (error) {
      this.#error.textContent = error.message;
      password.select();
    } finally {
      submit.disabled = false;
    }
  }
}
