// What the page knows. Everything in here came from the server; `changed` tells the views what to draw again.
import { get } from "./api.js";
import { soon } from "./dom.js";

export const state = {
  me: null,
  contacts: [],
  threads: new Map(), // contact id -> {last, last_at}
  talks: new Map(), // contact id -> {messages: Map, next, sessions, loaded}
  peers: new Map(), // contact id -> {id, name, addresses}
  sessions: new Map(), // session id -> session
  typing: new Map(), // contact id -> when it lapses
  presence: { me: {}, accounts: {}, contacts: {} },
  connectors: [],
  peer: "", // whose conversation is open
  subject: null, // what the path shows: {kind: "message" | "session", id}
  online: false,
  demo: null,
};

const views = [];
let waiting = new Set();

export function watch(topics, draw) {
  views.push([new Set(topics), draw]);
}

// Drawn together at the end of the turn, each view once.
export function changed(...topics) {
  if (!waiting.size) queueMicrotask(draw);
  for (const topic of topics) waiting.add(topic);
}

function draw() {
  const topics = waiting;
  waiting = new Set();
  for (const [wanted, view] of views) if ([...topics].some((topic) => wanted.has(topic))) view();
}

export const person = (id) =>
  state.contacts.find((contact) => contact.id === id) ?? state.peers.get(id) ?? { id, name: id.replace(/^\w+:/, ""), addresses: [] };

export const network = (name) => state.connectors.find((connector) => connector.name === name);
export const label = (name) => network(name)?.label ?? name.toUpperCase();

export function talk(peer) {
  if (!state.talks.has(peer)) state.talks.set(peer, { messages: new Map(), next: null, sessions: [], loaded: false });
  return state.talks.get(peer);
}

// The session that stands, or is being set up, with a person; the page's own before those of other devices.
export function sessionWith(peer) {
  const live = [...state.sessions.values()].filter((session) => session.peer === peer && session.state !== "closed");
  return live.find((session) => session.mine) ?? live[0];
}

const RANK = ["queued", "sending", "accepted", "delivered", "displayed", "failed", "expired", "unknown"];

// Answers and events overtake each other: of two views of one delivery the later one counts.
function later(one, other) {
  if (!other || one.updated_at > other.updated_at) return one;
  if (one.updated_at < other.updated_at) return other;
  return RANK.indexOf(one.state) >= RANK.indexOf(other.state) ? one : other;
}

function keep(item) {
  const { messages } = talk(item.peer);
  const before = messages.get(item.id)?.deliveries ?? [];
  const now = item.deliveries ?? [];
  const known = (id) => before.find((delivery) => delivery.id === id);
  const fresh = { ...item, deliveries: now.length ? now.map((delivery) => later(delivery, known(delivery.id))) : before };
  messages.set(item.id, fresh);
  return fresh;
}

export function take(item) {
  if (!item?.peer) return;
  const fresh = keep(item);
  const thread = state.threads.get(item.peer);
  if (!thread || thread.last.id === item.id || item.received_at >= thread.last_at) {
    state.threads.set(item.peer, { last: fresh, last_at: item.received_at });
  }
  changed("people", "thread");
}

const path = (peer) => `/conversations/${encodeURIComponent(peer)}/messages`;

export async function loadTalk(peer) {
  const page = await get(path(peer));
  const known = talk(peer);
  page.messages.forEach(keep);
  if (!known.loaded) known.next = page.next;
  known.sessions = page.sessions;
  known.loaded = true;
  state.peers.set(peer, page.peer);
  changed("thread");
}

export async function loadOlder(peer) {
  const known = talk(peer);
  const page = await get(`${path(peer)}?before=${encodeURIComponent(known.next)}`);
  known.messages = new Map([...page.messages.map((item) => [item.id, item]), ...known.messages]);
  known.next = page.next;
  changed("thread");
}

export async function loadAll() {
  const [me, contacts, threads] = await Promise.all([get("/me"), get("/contacts"), get("/conversations")]);
  state.me = me;
  state.contacts = contacts;
  for (const thread of threads) {
    state.threads.set(thread.peer.id, { last: thread.last, last_at: thread.last_at });
    state.peers.set(thread.peer.id, thread.peer);
  }
  if (!state.peer) state.peer = threads.find((t) => t.peer.id !== SERVICE)?.peer.id ?? contacts[0]?.id ?? "";
  changed("me", "people", "thread");
  await Promise.all([loadSessions(), loadStatus(), loadPresence(), state.peer ? loadTalk(state.peer) : null]);
}

export const SERVICE = "cpm:service"; // the server itself, which tells how sessions ended

export async function loadSessions() {
  const sessions = await get("/sessions");
  state.sessions = new Map(sessions.map((session) => [session.session, session]));
  changed("sessions", "thread");
}

export async function loadStatus() {
  state.connectors = (await get("/status")).connectors;
  changed("status", "thread", "people");
}

export async function loadPresence() {
  state.presence = await get("/presence");
  changed("presence", "people");
}

export const presenceSoon = soon(() => loadPresence().catch(() => {}), 150);
export const statusSoon = soon(() => loadStatus().catch(() => {}), 150);
export const sessionsSoon = soon(() => {
  loadSessions().catch(() => {});
  if (state.peer) loadTalk(state.peer).catch(() => {});
}, 150);
