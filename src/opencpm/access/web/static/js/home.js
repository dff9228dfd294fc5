// Bob's home telephone: texts that came and went as sound. What is shown is the handset's and the line's own log.
import { atEnd, by, h, keyed, toEnd } from "./dom.js";
import { open } from "./sound.js";
import { both } from "./wave.js";
import { time } from "./words.js";

const FAULTS = { none: "Line works", busy: "Line is busy", packet: "Next frame is spoilt" };
const WAY = { line: "the telephone", centre: "the SMS centre" };
let lab, list, number, state, tab, rang = "";

// `ask(method, path, body)` calls the lab; `sender(input, path)` makes a form's submit handler.
export function panel(ask, sender) {
  lab = ask;
  number = h("span", {});
  state = h("p", { class: "line-state", role: "status" });
  list = h("div", { class: "list", role: "log", "aria-label": "Texts and calls of Bob's home telephone", tabindex: 0 });
  const input = h("input", { placeholder: "Write on the telephone", "aria-label": "Text from Bob's home telephone", maxlength: 400 });
  const fault = h("select", { "aria-label": "The telephone line", onchange: () => lab("POST", "home/fault", { kind: fault.value }) },
    Object.entries(FAULTS).map(([value, words]) => h("option", { value }, words)));
  return h(
    "div", { class: "screen home", id: "home", role: "tabpanel", "aria-labelledby": "tab-home" },
    h("header", {}, number, fault), state, list,
    h("form", { onsubmit: sender(input, "home/send"), autocomplete: "off" }, input, h("button", {}, "Send")),
  );
}

export function tell(button) {
  tab = button;
}

export function draw({ number: own, messages, calls }, show) {
  number.textContent = own;
  const stay = !atEnd(list);
  const lines = [...messages.map((m, at) => [m.at, text(m, at)]), ...calls.map((c) => [c.at, call(c)])];
  lines.sort((a, b) => a[0] - b[0]);
  const items = lines.map(([, item]) => item);
  if (!items.length) items.push(["empty", "", empty]);
  keyed(list, items);
  if (!stay) toEnd(list);
  status(calls.at(-1), show);
}

function status(last, show) {
  const live = last && ["ringing", "talking"].includes(last.state);
  state.textContent = live ? now(last) : "";
  tab.classList.toggle("rings", Boolean(live));
  if (live && !last.by_line && last.id !== rang) show(); // it rings: look there
  if (live) rang = last.id;
}

function now(call) {
  const frame = call.frames.at(-1);
  if (!frame) return call.by_line ? "Calling the SMS centre…" : "Ringing… the telephone knows the number and answers";
  return `${frame.by === "line" ? "Telephone" : "SMS centre"}: ${frame.name}, ${frame.meaning}`;
}

const empty = () => h("p", { class: "empty" }, "No texts. Choose this number above Alice's message: the server will call this line, and speak.");
const when = (at) => time(at * 1000);

function text(message, at) {
  const note = message.direction === "sent" ? ` · ${message.status}` : "";
  return [
    `text ${message.direction} ${message.at}`, JSON.stringify([message, at]),
    () => h("div", { class: message.direction === "sent" ? "sms mine" : "sms" }, message.text, h("small", {}, when(message.at), note)),
  ];
}

function call(item) {
  if (item.state === "busy") return [`call ${item.at}`, "busy", () => h("div", { class: "call missed" }, `Line busy at ${when(item.at)}: the server will call again`)];
  return [`call ${item.id}`, JSON.stringify([item.state, item.seconds, item.frames.length]), () => card(item)];
}

function card(item) {
  const title = item.by_line ? "Call to SMS centre" : "Call from SMS centre";
  const ended = item.state === "over" ? ` · ${item.end}` : item.state === "ringing" ? " · ringing" : " · talking";
  const look = h("button", { type: "button", class: "look", "aria-label": `${title} at ${when(item.at)}: look at the sound`, onclick: () => open(lab, item) }, both(item.wave, item.seconds, ""));
  return h(
    "div", { class: `call ${item.state}` }, h("p", {}, h("b", {}, title), h("span", {}, `${item.seconds.toFixed(1)} s${ended}`)), look,
    h("ol", { class: "frames" }, item.frames.map((frame) => h("li", { class: frame.name === "?" ? "spoilt" : frame.by, title: `${frame.at.toFixed(2)} s, ${WAY[frame.by]}: ${frame.meaning}` }, frame.name, h("span", { class: "visually-hidden" }, ` by ${WAY[frame.by]}: ${frame.meaning}`)))),
  );
}
