// Writing: the text, the choice of network, sessions, typing, and what selection would decide.
import { post, remove } from "./api.js";
import * as attach from "./attach.js";
import { by, h, soon, toast } from "./dom.js";
import { changed, label, loadTalk, person, sessionWith, sessionsSoon, state, statusSoon, take, talk, watch } from "./state.js";

let text, to, route, forecast, row, send, lastTyping = 0;
let numbers = ""; // which telephone numbers the choice is made of
let waiting = false; // for files, to send

export function start() {
  text = h("textarea", { rows: 1, "aria-label": "Message", placeholder: "Write a message", maxlength: 20000, oninput: written, onkeydown: key, onpaste: attach.pasted });
  send = h("button", { class: "primary send" }, "Send");
  route = h("select", { "aria-label": "Network", onchange: () => predict() });
  forecast = h("span", { class: "forecast", "aria-live": "polite" });
  to = h("select", { "aria-label": "Telephone number", hidden: true, onchange: () => predict() });
  row = h("div", { class: "row" }, to, route, forecast);
  by("composer").replaceChildren(h("div", { class: "field" }, attach.button(), text, send), row);
  attach.start();
  by("composer").addEventListener("submit", submit);
  document.addEventListener("session", (event) => (event.detail === "open" ? open() : close()));
  watch(["status", "me"], networks);
  watch(["talk", "people", "thread"], telephones);
  watch(["talk", "sessions", "me", "thread", "attached"], mode);
  watch(["attached"], () => (waiting && !attach.uploading() ? by("composer").requestSubmit() : predict()));
}

function networks() {
  const chosen = route.value;
  const options = state.connectors.filter((connector) => !connector.access);
  const words = (connector) => connector.label + (connector.state === "down" ? " (down)" : "");
  route.replaceChildren(h("option", { value: "" }, "Automatic"), ...options.map((c) => h("option", { value: c.name }, words(c))));
  route.value = options.some((connector) => connector.name === chosen) ? chosen : "";
}

// Who has several numbers: which one. The number they last wrote from is the choice for an answer.
function telephones() {
  const tels = person(state.peer).addresses.filter((one) => one.startsWith("tel:"));
  to.hidden = tels.length < 2;
  const [last] = [...talk(state.peer).messages.values()].filter((item) => item.direction === "received" && tels.includes(item.from)).slice(-1);
  const now = JSON.stringify([state.peer, tels, last?.id]);
  if (now === numbers) return;
  numbers = now;
  to.replaceChildren(...tels.map((one) => h("option", { value: one }, one.slice(4))));
  if (last) to.value = last.from;
  predict();
}

function mode() {
  const session = sessionWith(state.peer);
  const talking = session?.mine && session.state === "established";
  const name = state.peer ? person(state.peer).name : "";
  text.placeholder = talking ? `Talk with ${name}` : name ? `Message ${name}` : "Choose a person first";
  text.disabled = !state.peer;
  send.disabled = !state.peer;
  by("composer").querySelector(".attach").hidden = !state.me?.limits?.files;
  row.hidden = (talking && !attach.attached()) || !state.peer;
  invitation(session);
}

function invitation(session) {
  const asked = session?.mine && session.outgoing === false && ["invited", "ringing"].includes(session.state);
  const before = by("talk").querySelector(".invitation");
  if (asked && before?.dataset.session === session.session) return;
  before?.remove();
  if (!asked) return;
  const decide = (what) => () => post(`/sessions/${session.session}/${what}`).catch((problem) => toast(problem.message, true));
  by("composer").before(
    h(
      "div", { class: "invitation", role: "alert", "data-session": session.session }, h("span", {}, `${person(session.peer).name} asks you for a session`),
      h("button", { class: "primary", type: "button", onclick: decide("accept") }, "Accept"),
      h("button", { type: "button", onclick: decide("decline") }, "Decline"),
    ),
  );
}

function key(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    by("composer").requestSubmit();
  }
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 140)}px`;
}

function written() {
  grow();
  predict();
  const session = sessionWith(state.peer);
  if (session?.mine && session.state === "established" && Date.now() - lastTyping > 4000 && text.value) {
    lastTyping = Date.now();
    post(`/sessions/${session.session}/composing`, { active: true }).catch(() => {});
    idle(session.session);
  }
}

const idle = soon((session) => {
  if (!lastTyping) return;
  lastTyping = 0;
  post(`/sessions/${session}/composing`, { active: false }).catch(() => {});
}, 6000);

// Ask the server what it would do with this text; nothing is sent.
const predict = soon(async () => {
  const receiver = address(state.peer);
  const content = text.value;
  const files = attach.parts();
  if ((!content.trim() && !files.length) || row.hidden || !receiver) return forecast.replaceChildren();
  try {
    const parts = files.length ? { parts: [...said(content.trim()), ...files] } : { text: content };
    const plan = await post("/routes/explain", { to: receiver, route: route.value, ...parts });
    if (content !== text.value) return;
    forecast.className = plan.action === "refuse" ? "forecast bad" : "forecast";
    const way = plan.chosen ? `Goes by ${label(plan.chosen.network)}: ` : "";
    forecast.replaceChildren(way + (plan.error?.detail ?? plan.reason));
    forecast.title = forecast.textContent;
  } catch (problem) {
    forecast.replaceChildren(problem.message);
  }
}, 350);

async function submit(event) {
  event.preventDefault();
  const content = text.value.trim();
  const peer = state.peer;
  if ((!content && !attach.attached()) || !peer) return;
  waiting = attach.uploading();
  if (waiting) return forecast.replaceChildren("Goes when the files are here");
  if (attach.broken()) return toast(`${attach.broken()} is not uploaded. Try again, or remove it.`, true);
  const files = attach.take();
  const kept = text.value;
  text.value = "";
  grow();
  forecast.replaceChildren();
  try {
    const item = await deliver(peer, content, files.parts);
    take({ ...item, peer: item.peer || peer });
    document.dispatchEvent(new CustomEvent("sent"));
    state.subject = { kind: "message", id: item.id };
    changed("subject");
  } catch (problem) {
    if (!text.value) text.value = kept;
    files.back();
    grow();
    toast(problem.message, true);
    if (problem.problem?.message) {
      state.subject = { kind: "message", id: problem.problem.message };
      changed("subject");
    }
  }
  text.focus();
}

const said = (content) => (content ? [{ text: content }] : []);

function deliver(peer, content, files) {
  const session = sessionWith(peer);
  const id = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  if (files.length) return post("/messages", { to: [address(peer)], parts: [...said(content), ...files], route: route.value, message_id: id });
  if (session?.mine && session.state === "established") {
    lastTyping = 0;
    return post(`/sessions/${session.session}/messages`, { text: content, message_id: id });
  }
  return post("/messages", { to: [address(peer)], text: content, route: route.value, message_id: id });
}

function address(peer) {
  if (peer === state.peer && to.value && !to.hidden) return to.value;
  return person(peer).addresses[0] ?? peer;
}

async function open() {
  const peer = state.peer;
  const usable = state.connectors.find((connector) => connector.name === route.value)?.sessions ? route.value : "";
  try {
    const session = await post("/sessions", { to: address(peer), route: usable });
    state.sessions.set(session.session, session);
    state.subject = { kind: "session", id: session.session };
    changed("sessions", "thread", "subject");
    text.focus();
  } catch (problem) {
    toast(problem.message, true);
    statusSoon();
  }
}

async function close() {
  const session = sessionWith(state.peer);
  if (!session) return;
  try {
    await remove(`/sessions/${session.session}`);
    state.subject = { kind: "session", id: session.session };
    changed("subject");
  } catch (problem) {
    toast(problem.message, true);
  }
  sessionsSoon();
  loadTalk(session.peer).catch(() => {});
}
