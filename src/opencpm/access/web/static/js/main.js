// Begins: who is there, what do they see, and what the server tells from then on.
import { listen, post, remove } from "./api.js";
import * as composer from "./composer.js";
import { by, h, toast } from "./dom.js";
import * as lab from "./lab.js";
import { demo, login, recall, remember } from "./login.js";
import * as people from "./people.js";
import { SERVICE, changed, loadAll, loadStatus, presenceSoon, sessionsSoon, state, statusSoon, take, watch } from "./state.js";
import * as thread from "./thread.js";
import * as trail from "./trail.js";
import { sessionLine } from "./words.js";

const VIEWS = { alice: "Chats", path: "Path", phone: "Phone", msn: "MSN" };
let acks = [];

async function begin() {
  state.demo = await demo();
  if (!state.demo && !recall()) await login();
  while (!(await enter())) {
    remember("");
    await login();
  }
  show();
  if (state.demo) {
    lab.start(state.demo);
    lab.hint();
  }
  setInterval(() => document.visibilityState === "visible" && loadStatus().catch(() => {}), 10000);
  const status = await listen(heard, connected);
  if (status) {
    remember("");
    location.reload();
  }
}

async function enter() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
    try {
      await loadAll();
      return true;
    } catch (problem) {
      if (problem.status === 401 || problem.status === 403) return false;
      banner(problem.message);
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

function show() {
  banner("");
  for (const id of ["top", "main", "tabs"]) by(id).hidden = false;
  for (const part of [people, thread, composer, trail]) part.start();
  watch(["status"], networks);
  watch(["me", "presence"], me);
  if (!state.demo) by("controls").append(h("button", { class: "quiet", type: "button", onclick: leave }, "Sign out"));
  view("alice");
  changed("me", "people", "thread", "talk", "status", "sessions", "presence");
}

async function leave() {
  await remove("/login").catch(() => {});
  remember("");
  location.reload();
}

function me() {
  by("alice-name").textContent = state.demo ? `${state.me.name}'s device` : state.me.name;
  by("alice-sub").textContent = state.me.addresses[0].replace(/^\w+:/, "");
}

function networks() {
  const foreign = state.connectors.filter((connector) => !connector.access);
  const words = { up: "", busy: " is busy", down: " is down" };
  by("networks").replaceChildren(
    ...foreign.map((c) => h("li", { title: c.detail || c.state }, h("i", { class: `dot ${c.state}`, "aria-hidden": "true" }), c.label + words[c.state], h("span", { class: "visually-hidden" }, c.state))),
  );
  const down = foreign.filter((connector) => connector.state === "down").map((connector) => connector.label);
  if (state.online) banner(down.length ? `The ${down.join(" and ")} network is down. Messages that need it wait and go out when it is back.` : "");
}

function banner(text) {
  by("banner").textContent = text;
  by("banner").hidden = !text;
}

function view(name) {
  by("main").dataset.view = name;
  const shown = Object.entries(VIEWS).filter(([key]) => state.demo || key === "alice" || key === "path");
  by("tabs").replaceChildren(...shown.map(([key, words]) => h("button", { type: "button", "aria-current": String(key === name), onclick: () => view(key) }, words)));
}

// -- what the server tells

function connected(yes) {
  if (yes && !state.online) loadAll().catch(() => {});
  state.online = yes;
  if (yes) networks();
  else banner("No connection to the server. Trying again…");
}

function heard(id, event) {
  if (event.item) take(event.item);
  if (event.ack) acknowledge(id);
  if (event.type === "resync") loadAll().catch(() => {});
  else if (event.type === "composing") typing(event);
  else if (event.type === "session") session(event);
  else if (event.type === "presence") presenceSoon();
  else if (event.type === "state" && ["queued", "failed"].includes(event.state)) statusSoon();
  if (event.type === "message") arrived(event);
  if (lab.telling()) follow(event);
  if (state.subject && [event.message, event.session, event.subject].includes(state.subject.id)) trail.refresh();
}

// The server counts a message as delivered only when the page says that it has it; it is in the page's state now.
function acknowledge(id) {
  if (!acks.length) setTimeout(flush, 0);
  acks.push(id);
}

function flush() {
  const ids = acks;
  acks = [];
  post("/events/ack", { ids }).catch(() => {});
}

// While the story is told, the path shows what it is about.
function follow(event) {
  if (event.type === "message" && event.peer !== SERVICE && !event.item?.session) thread.choose("message", event.message);
  else if (event.type === "session" && state.subject?.id !== event.session) thread.choose("session", event.session);
}

function arrived(event) {
  state.typing.delete(event.peer);
  changed("typing");
  if (event.peer === SERVICE && event.ack) toast(event.item.text); // how a session ended, for one
}

function typing(event) {
  state.typing.set(event.peer, event.active ? Date.now() + 1000 * Math.min(event.refresh ?? 15, 15) : 0);
  changed("typing");
  if (event.active) setTimeout(() => changed("typing"), 15100);
}

function session(event) {
  const before = state.sessions.get(event.session);
  if (event.state === "closed") {
    state.sessions.delete(event.session);
    state.typing.delete(event.peer);
    changed("typing");
  } else state.sessions.set(event.session, { ...before, ...event });
  if (event.state === "closed" && event.mine && before && before.state !== "established" && event.detail) toast(event.detail, true);
  if (event.outgoing === false && event.state === "ringing" && event.peer !== state.peer) toast(sessionLine(event));
  changed("sessions", "thread");
  sessionsSoon();
}

begin();
