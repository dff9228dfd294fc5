// One conversation: bubbles with their network and ticks, lines for sessions.
import { post } from "./api.js";
import { atEnd, by, h, keyed, path, toEnd, toast } from "./dom.js";
import { medium } from "./media.js";
import { changed, label, loadOlder, person, sessionWith, state, talk, watch } from "./state.js";
import { AVAILABILITY, day, mark, origin, said, sessionLine, time } from "./words.js";

let shown = "";
const told = new Set(); // messages reported as displayed

export function start() {
  watch(["thread", "talk", "sessions", "subject"], draw);
  watch(["thread", "talk", "presence", "status", "sessions"], head);
  watch(["typing", "talk"], typing);
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("focus", seen);
}

function head() {
  if (!state.peer) return keyed(by("talk-head"), []);
  const who = person(state.peer);
  const places = state.presence.contacts[state.peer] ?? [];
  const where = who.addresses.map((address) => {
    const place = places.find((entry) => entry.address === address);
    const words = AVAILABILITY[place?.availability] ?? "";
    return h("span", {}, h("i", { class: `dot ${place?.availability ?? ""}`, "aria-hidden": "true" }), address.replace(/^\w+:/, ""), words && ` ${words}`);
  });
  const signature = JSON.stringify([who, places]);
  const items = [["who", signature, () => h("div", { class: "who" }, h("b", {}, who.name), h("div", { class: "where" }, where))]];
  const words = sessionWords();
  if (words) items.push(["session", words, () => sessionButton(words)]);
  keyed(by("talk-head"), items);
}

function sessionWords() {
  const session = sessionWith(state.peer);
  const canTalk = state.connectors.some((connector) => !connector.access && connector.sessions);
  if (session?.mine) return session.state === "established" ? "Close session" : session.state === "closing" ? "" : session.outgoing === false ? "" : "Cancel";
  return canTalk && !session ? "Open session" : "";
}

function sessionButton(words) {
  const open = words === "Open session";
  return h("button", { type: "button", class: open ? null : "danger", onclick: () => act(open ? "open" : "close") }, words);
}

const act = (what) => document.dispatchEvent(new CustomEvent("session", { detail: what }));

function draw() {
  const thread = by("thread");
  const stay = shown === state.peer && !atEnd(thread);
  const { messages, next, sessions, loaded } = talk(state.peer);
  const lines = [...messages.values()].map((item) => [item.received_at, item]);
  for (const session of sessions) lines.push([session.opened_at, session]);
  lines.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const items = next ? [["more", next, () => h("button", { class: "more quiet", type: "button", onclick: older }, "Earlier messages")]] : [];
  let today = "";
  for (const [at, line] of lines) {
    if (day(at) !== today) {
      today = day(at);
      items.push([`day ${today}`, "", () => h("p", { class: "day" }, at && day(at))]);
    }
    items.push(line.session !== undefined && line.parts === undefined ? sessionItem(line) : messageItem(line));
  }
  if (!lines.length) items.push(["empty", state.peer + loaded, () => empty(loaded)]);
  if (shown !== state.peer) thread.replaceChildren();
  keyed(thread, items);
  if (!stay) toEnd(thread);
  shown = state.peer;
  seen();
}

function empty(loaded) {
  if (!state.peer) return h("p", { class: "empty" }, h("b", {}, "Nobody here yet"), "Add a person with a phone number or an address to write to.");
  if (!loaded) return h("p", { class: "empty" }, "Loading…");
  return h("p", { class: "empty" }, h("b", {}, `Write to ${person(state.peer).name}`), "The server finds the way: SMS, an instant messenger, or a device of their own.");
}

async function older() {
  const thread = by("thread");
  const height = thread.scrollHeight - thread.scrollTop;
  await loadOlder(state.peer).catch((problem) => toast(problem.message, true));
  queueMicrotask(() => { thread.scrollTop = thread.scrollHeight - height; });
}

function sessionItem(session) {
  const live = state.sessions.get(session.session);
  const line = { ...session, ...(live && session.state !== "closed" ? live : {}) };
  const words = sessionLine(line);
  const open = () => choose("session", session.session);
  return [`session ${session.session}`, words, () => h("button", { class: "event", type: "button", onclick: open }, words)];
}

function messageItem(item) {
  const picked = state.subject?.id === item.id;
  const delivery = item.deliveries[0];
  const signature = JSON.stringify([picked, delivery?.state, delivery?.detail, delivery?.waits_for, delivery?.network, delivery?.losses, state.connectors.length]);
  return [item.id, signature, () => bubble(item, picked)];
}

function bubble(item, picked) {
  const sent = item.direction === "sent";
  const name = origin(item);
  const pick = () => getSelection().isCollapsed && choose("message", item.id);
    return h(
    "div", { class: sent ? "bubble-row sent" : "bubble-row" },
    h("span", { class: "visually-hidden" }, sent ? "You:" : `${person(item.peer).name}:`), content(item, picked, pick),
    h(
      "div", { class: "meta" }, h("time", { datetime: item.sent_at }, time(item.sent_at)),
      name && name !== "web" && h("span", { class: `badge on-${name}` }, label(name)),
      sent && item.deliveries.map((delivery) => ticks(delivery)),
    ),
    sent && losses(item),
  );
}

function content(item, picked, pick) {
  const media = item.parts.filter((part) => part.href).map(medium);
  const inside = [item.subject && h("span", { class: "subject" }, item.subject), item.text, ...media];
  const title = "Show the path of this message";
  if (!media.length) {
    // no <button>, so that its text can be selected and copied
    return h("div", { class: "bubble", role: "button", tabindex: 0, "aria-pressed": String(picked), title, onclick: pick, onkeydown: pressed(pick) }, inside);
  }
  // what is inside has controls of its own, and nothing may have any inside a button
  const way = h("button", { type: "button", class: "way", onclick: pick, "aria-pressed": String(picked) }, title);
  return h("div", { class: picked ? "bubble picked" : "bubble", title, onclick: pick }, inside, way);
}

// What the receiver did not get as it was sent.
function losses(item) {
  const found = [...new Set(item.deliveries.flatMap((delivery) => delivery.losses ?? []))];
  return found.length > 0 && h("ul", { class: "losses", "aria-label": "Changed on the way" }, found.map((loss) => h("li", {}, loss)));
}

const pressed = (act) => (event) => {
  if (event.target !== event.currentTarget) return; // a button inside it
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  act();
};

export function ticks(delivery) {
  return h("span", { class: `state ${delivery.state}` }, path(mark(delivery.state)), said(delivery));
}

export function choose(kind, id) {
  state.subject = { kind, id };
  changed("subject");
}

function typing() {
  const lapses = state.typing.get(state.peer) ?? 0;
  const active = lapses > Date.now();
  const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  by("typing").replaceChildren(...(active ? [dots, `${person(state.peer).name} is typing`] : []));
}

// Only what a person can see in front of them counts as displayed.
function seen() {
  if (document.visibilityState !== "visible" || !document.hasFocus() || !state.peer) return;
  for (const item of talk(state.peer).messages.values()) {
    const delivery = item.deliveries[0];
    if (item.direction !== "received" || delivery?.state !== "delivered" || told.has(item.id)) continue;
    told.add(item.id);
    post(`/messages/${item.id}/displayed`).catch(() => told.delete(item.id));
  }
}
