// The door: shown where there is no token, or it is no longer good.
import { post, recall, remember, use } from "./api.js";
import { by, h } from "./dom.js";

export function login() {
  return new Promise((entered) => {
    const user = h("input", { autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
    const password = h("input", { type: "password", autocomplete: "current-password", required: true });
    const keep = h("input", { type: "checkbox" });
    const error = h("p", { class: "error", role: "alert" });
    const enter = async (event) => {
      event.preventDefault();
      error.textContent = "";
      try {
        const { token } = await post("/login", { user: user.value.trim(), password: password.value });
        remember(token, keep.checked);
        by("door").hidden = true;
        entered();
      } catch (problem) {
        error.textContent = problem.message;
        password.select();
      }
    };
    by("door").replaceChildren(
      h(
        "form", { onsubmit: enter }, h("h1", {}, "Sign in to OpenCPM"), h("label", {}, "Name", user), h("label", {}, "Password", password),
        h("label", { class: "check" }, keep, "Keep me signed in on this device"), error, h("button", { class: "primary" }, "Sign in"),
      ),
    );
    by("door").hidden = false;
    user.focus();
  });
}

// The demo's card, where this server is one; its token is used and not kept.
export async function demo() {
  try {
    const answer = await fetch("/demo.json");
    if (!answer.ok) return null;
    const card = await answer.json();
    use(card.alice_token);
    return card;
  } catch {
    return null;
  }
}

export { recall, remember };
