// The path: what happened to one message or session, and why, as the server wrote it down.
import { get } from "./api.js";
import { by, h, keyed, soon } from "./dom.js";
import { label, person, state, watch } from "./state.js";
import { ticks } from "./thread.js";
import { rule, sessionLine, step, tone } from "./words.js";

let shown = "";
let found = null;

export function start() {
  watch(["subject"], load);
  draw();
}

export const refresh = soon(() => load(), 60);

async function load() {
  const subject = state.subject;
  if (!subject) return draw();
  try {
    const answer = await get(`/${subject.kind}s/${subject.id}/trail`);
    if (state.subject !== subject) return;
    found = answer;
  } catch (problem) {
    if (state.subject === subject) found = { trail: [], problem };
  }
  draw();
}

function draw() {
  const body = by("path-body");
  if (!found) {
    by("path-sub").replaceChildren();
    return body.replaceChildren(h("p", { class: "empty" }, h("b", {}, "Every step, with its reasons"), "Choose a message to see what the server checked, which networks it considered, and what they answered."));
  }
  const id = state.subject.id;
  if (shown !== id) body.replaceChildren();
  shown = id;
  by("path-sub").replaceChildren(state.subject.kind === "session" ? "of the session" : "of the message");
  if (!found.trail.length) return body.replaceChildren(h("p", { class: "empty" }, found.problem?.message ?? "Nothing is written down yet."));
  body.querySelector(".empty")?.remove();
  const first = new Date(found.trail[0].at);
  const items = [["about", JSON.stringify([found.message?.deliveries, found.session]), about]];
  found.trail.forEach((entry, index) => items.push([`${id} ${index}`, entry.step + entry.what, () => line(entry, first)]));
  const list = body.querySelector(".steps") ?? h("div", { class: "steps" });
  const top = body.querySelector(".about");
  const [aboutItem, ...steps] = items;
  if (!top || top.dataset.signature !== aboutItem[1]) {
    const fresh = about();
    fresh.dataset.signature = aboutItem[1];
    top ? top.replaceWith(fresh) : body.append(fresh);
  }
  if (!list.isConnected) body.append(list);
  keyed(list, steps);
}

function about() {
  if (found.session) return h("div", { class: "about" }, sessionLine(found.session));
  const message = found.message;
  if (!message) return h("div", { class: "about" }, "The server refused this message and kept only this trail.");
  const deliveries = message.direction === "sent" ? message.deliveries : [];
  return h(
    "div", { class: "about" }, h("span", {}, message.text.slice(0, 160) || "Media"),
    h("div", { class: "meta" }, `${message.direction === "sent" ? "to" : "from"} ${person(message.peer).name}`, deliveries.map(ticks)),
  );
}

function elapsed(at, first) {
  const passed = new Date(at) - first;
  if (passed < 1000) return `+${passed} ms`;
  if (passed < 100000) return `+${(passed / 1000).toFixed(1)} s`;
  return new Date(at).toLocaleTimeString();
}

function line(entry, first) {
  const plan = entry.data && entry.data.candidates ? entry.data : null;
  const name = state.subject.kind === "session" && entry.step === "deferred" ? "No way now" : step(entry.step);
  const notice = (entry.delivery ?? "").includes("!");
  return h(
    "div", { class: `step ${tone(entry.step)}` },
    h("h3", {}, notice && entry.step !== "reported" ? `${name} (word to the sender)` : name, h("time", { datetime: entry.at, title: new Date(entry.at).toLocaleString() }, elapsed(entry.at, first))),
    h("p", { class: "what" }, entry.what),
    plan && decision(plan),
  );
}

function decision(plan) {
  return h(
    "div", {},
    plan.facts.length > 0 && h("span", { class: "label" }, "Checks"),
    h("div", { class: "checks" }, plan.facts.map(check)),
    plan.candidates.length > 0 && h("span", { class: "label" }, "Networks considered"),
    plan.candidates.map((candidate) => considered(candidate, plan)),
  );
}

function check(note) {
  return h(
    "div", { class: note.kept ? "check" : "check no" },
    h("span", { class: "mark", role: "img", "aria-label": note.kept ? "yes" : "no" }, note.kept ? "✓" : "✗"),
    h("span", {}, h("b", {}, `${rule(note.rule)}: `), note.evidence),
  );
}

function considered(candidate, plan) {
  const chosen = candidate.kept && plan.chosen?.network === candidate.network;
  const dropped = candidate.notes.find((note) => !note.kept);
  const verdict = chosen ? "Chosen" : candidate.kept ? "Possible" : "Dropped";
  const why = dropped ? `${rule(dropped.rule)}: ${dropped.evidence}` : "";
  return h(
    "details", { open: chosen, class: `candidate ${chosen ? "chosen" : candidate.kept ? "" : "dropped"}` },
    h(
      "summary", {}, h("span", { class: `badge on-${candidate.network}` }, label(candidate.network)),
      h("span", { class: "target" }, String(candidate.target).replace(/^\w+:/, "")), h("span", { class: "verdict" }, verdict),
      why && h("span", { class: "why" }, why),
    ),
    h("div", { class: "checks" }, candidate.notes.map(check), candidate.losses.map((loss) => check({ kept: false, rule: "Loses", evidence: loss }))),
  );
}
