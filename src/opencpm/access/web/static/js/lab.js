// The demo's other side. Bob's phones and Bob's MSN window show what the stand-in networks themselves hold.
import { atEnd, by, h, keyed, toEnd, toast } from "./dom.js";
import * as home from "./home.js";
import { label, person, state, statusSoon } from "./state.js";
import { time } from "./words.js";

const STATUSES = { NLN: "Online", BSY: "Busy", AWY: "Away", FLN: "Appear offline" };
const FAULTS = { none: "works", down: "is down", throttle: "is throttling", undeliverable: "cannot deliver" };
let url = "";
let atHome = false; // whether Bob has a telephone line at home
let phoneList, phoneInput, msnList, msnBar, msnStatus, msnInput, phoneNumber, lastTyping = 0;

export function start(demo) {
  url = demo.lab.replace(/\/$/, "");
  by("far").hidden = false;
  by("main").classList.add("demo");
  atHome = Boolean(demo.bob_home);
  phone();
  msn();
  controls();
  const events = new EventSource(`${url}/lab/events`);
  events.onmessage = (event) => heard(JSON.parse(event.data));
  for (const type of ["phone", "home", "msn", "story"]) events.addEventListener(type, (event) => heard(JSON.parse(event.data)));
  events.onopen = load;
}

async function lab(method, path, body) {
  const options = { method };
  if (body !== undefined) Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  try {
    const answer = await fetch(`${url}/lab/${path}`, options);
    const json = await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(json?.detail ?? json?.error ?? `The lab answered ${answer.status}.`);
    return json;
  } catch (problem) {
    toast(problem.message, true);
    return null;
  }
}

async function load() {
  const [phoneNow, msnNow, homeNow] = await Promise.all([lab("GET", "phone"), lab("GET", "msn"), atHome ? lab("GET", "home") : null]);
  if (homeNow) home.draw(homeNow, ring);
  if (phoneNow) drawPhone(phoneNow);
  if (msnNow) drawMsn(msnNow);
}

function heard(event) {
  if (event.type === "phone") event.messages ? drawPhone(event) : load();
  else if (event.type === "msn") event.window ? drawMsn(event) : load();
  else if (event.type === "home" && atHome) home.draw(event, ring);
  else if (event.type === "story") story(event);
}

function sender(input, path) {
  return async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    lastTyping = 0;
    if ((await lab("POST", path, { text })) === null) input.value = text;
  };
}

// -- the phone

function phone() {
  phoneNumber = h("span", {});
  phoneList = h("div", { class: "list", role: "log", "aria-label": "Text messages on Bob's phone", tabindex: 0 });
  phoneInput = h("input", { placeholder: "Reply by SMS", "aria-label": "Text message from Bob", maxlength: 1600 });
  const mobile = h(
    "div", { class: "screen", id: "mobile" }, h("header", {}, h("h2", { id: "phone-title" }, "Bob's phone"), phoneNumber), phoneList,
    h("form", { onsubmit: sender(phoneInput, "phone/send"), autocomplete: "off" }, phoneInput, h("button", {}, "Send")),
  );
  by("phone").replaceChildren(...(atHome ? [kinds(), mobile, home.panel(lab, sender)] : [mobile]));
  if (atHome) {
    mobile.setAttribute("role", "tabpanel");
    mobile.setAttribute("aria-labelledby", "tab-mobile");
    turn("mobile");
  }
}

// Two telephones in one place: arrow keys go from one to the other.
function kinds() {
  const other = (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const next = by("home").hidden ? "home" : "mobile";
    turn(next);
    by(`tab-${next}`).focus();
  };
  const tab = (id, words) => h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": id, onclick: () => turn(id), onkeydown: other }, words);
  const ofHome = tab("home", "Home telephone");
  home.tell(ofHome);
  return h("div", { class: "kinds", role: "tablist", "aria-label": "Bob's telephones" }, tab("mobile", "Mobile"), ofHome);
}

function turn(id) {
  for (const one of ["mobile", "home"]) {
    by(one).hidden = one !== id;
    by(`tab-${one}`).setAttribute("aria-selected", String(one === id));
    by(`tab-${one}`).tabIndex = one === id ? 0 : -1;
  }
  for (const list of by(id).querySelectorAll(".list")) toEnd(list);
}

// The home telephone rings: turn to it, unless Bob is writing on the mobile.
function ring() {
  if (!phoneInput.value) turn("home");
}

const fromBob = (message) => /^(sent|out|from|mo)/i.test(message.direction ?? "");

function drawPhone({ number, messages }) {
  if (number) phoneNumber.textContent = number;
  const stay = !atEnd(phoneList);
  const items = messages.map((message, index) => [
    String(index), JSON.stringify(message),
    () => h("div", { class: fromBob(message) ? "sms mine" : "sms" }, message.text, h("small", {}, when(message.at), message.status ? ` · ${message.status}` : "")),
  ]);
  if (!items.length) items.push(["empty", "", () => h("p", { class: "empty" }, "No messages. This handset hangs on the stand-in SMS centre.")]);
  keyed(phoneList, items);
  if (!stay) toEnd(phoneList);
}

const when = (at) => (at ? time(typeof at === "number" ? at * 1000 : at) : "");

// -- the MSN window

function msn() {
  msnList = h("div", { class: "list", role: "log", "aria-label": "Bob's MSN conversation", tabindex: 0 });
  msnBar = h("div", { class: "bar" });
  msnStatus = h(
    "select", { "aria-label": "Bob's status", onchange: () => lab("POST", "msn/status", { status: msnStatus.value }) },
    Object.entries(STATUSES).map(([value, words]) => h("option", { value }, words)),
  );
  msnInput = h("input", { placeholder: "Say something as Bob", "aria-label": "MSN message from Bob", oninput: bobTypes, maxlength: 1200 });
  by("msn").replaceChildren(
    h("header", {}, h("h2", { id: "msn-title" }, "Bob on MSN"), msnStatus), msnBar, msnList,
    h("form", { onsubmit: sender(msnInput, "msn/send"), autocomplete: "off" }, msnInput, h("button", {}, "Send")),
  );
}

function bobTypes() {
  if (Date.now() - lastTyping < 4000) return;
  lastTyping = Date.now();
  lab("POST", "msn/typing");
}

function drawMsn({ address, status, window: box }) {
  const open = box?.open ?? false;
  if (address) by("msn-title").textContent = `MSN: ${address}`;
  if (status && status in STATUSES) msnStatus.value = status;
  const toggle = h("button", { type: "button", onclick: () => lab("POST", open ? "msn/close" : "msn/open") }, open ? "Close window" : "Open window");
  const words = open ? (box.typing ? `${box.peer || "Alice"} is typing…` : `Window open with ${box.peer || "Alice"}`) : "No window open";
  msnBar.replaceChildren(h("span", {}, words), toggle);
  msnInput.disabled = status === "FLN";
  msnInput.placeholder = status === "FLN" ? "Bob is signed out" : "Say something as Bob";
  const stay = !atEnd(msnList);
  const lines = box?.messages ?? [];
  const items = lines.map((line, index) => [String(index), JSON.stringify(line), () => said(line, address)]);
  if (!items.length) items.push(["empty", "", () => h("p", { class: "empty" }, "Nothing said yet. Alice can open a session, or Bob this window.")]);
  keyed(msnList, items);
  if (!stay) toEnd(msnList);
}

function said(line, address) {
  const bob = line.from === address || /^bob/i.test(line.from ?? "");
  return h("div", { class: "line" }, h("b", { class: bob ? "" : "alice" }, `${line.from} says:`, h("small", {}, when(line.at))), line.text);
}

// -- faults and the story

function controls() {
  const fault = h("select", { "aria-label": "The SMS network", onchange: () => breakSms(fault.value) },
    Object.entries(FAULTS).map(([value, words]) => h("option", { value }, `SMS ${words}`)));
  const play = h("button", { type: "button", onclick: () => tell(play) }, "Play the story");
  by("controls").prepend(fault, play);
}

async function breakSms(kind) {
  if (kind !== "down") await lab("POST", "sms/fault", { kind: "up" });
  await lab("POST", "sms/fault", { kind });
  statusSoon();
  setTimeout(statusSoon, 1500);
}

let steps = [];
let running = false;

export const telling = () => running;

async function tell(button) {
  button.disabled = true;
  document.dispatchEvent(new CustomEvent("sent")); // the first-time hint has done its work
  steps = [];
  running = true;
  drawStory("The story begins: Alice writes to Bob.");
  await lab("POST", "story/start", {});
  button.disabled = false;
}

function story(event) {
  if (event.step) steps[event.step - 1] = event;
  running = !event.done;
  drawStory(event.what ?? (event.done ? "The story is told." : ""), event.step);
}

function drawStory(words, number) {
  const dots = Array.from({ length: 23 }, (_, at) => h("li", { class: steps[at] ? (steps[at].ok ? "ok" : "bad") : "", title: steps[at]?.what ?? `Step ${at + 1}` }));
  by("story").hidden = false;
  by("story").replaceChildren(
    h("ol", { "aria-hidden": "true" }, dots), h("p", {}, number ? `${number}. ${words}` : words),
    h("button", { class: "quiet", type: "button", onclick: () => { by("story").hidden = true; } }, "Close"),
  );
}

export function hint() {
  document.addEventListener("sent", () => by("talk").querySelector(".hint")?.remove());
  if (localStorage.getItem("opencpm.hint") || !state.peer) return;
  const name = person(state.peer).name;
  const sms = label("sms");
  const telephone = atHome ? `Choose ${state.demo.bob_home.slice(-4)} below, and the server calls the telephone at home and speaks. ` : "";
  const box = h(
    "div", { class: "hint" }, h("p", {}, `You are ${state.me.name}. Write to ${name}: it leaves as ${sms} and arrives on the stand-in phone. Answer there as ${name}. ${telephone}Choose any bubble to see its path.`),
    h("button", { class: "quiet", type: "button", onclick: () => { box.remove(); localStorage.setItem("opencpm.hint", "1"); } }, "Got it"),
  );
  by("composer").before(box);
}
