// The list of people: everybody in the address book, and everybody who has written.
import { post } from "./api.js";
import { by, h, keyed, toast } from "./dom.js";
import { SERVICE, changed, loadTalk, person, state, talk, watch } from "./state.js";
import { AVAILABILITY, initial, time } from "./words.js";

let adding = false;

export function start() {
  watch(["people", "presence", "me"], draw);
}

export function best(id) {
  const order = ["available", "busy", "away", "offline"];
  const seen = (state.presence.contacts[id] ?? []).map((entry) => entry.availability);
  return order.find((availability) => seen.includes(availability)) ?? "";
}

export function choose(id) {
  state.peer = id;
  changed("people", "thread", "talk");
  if (!talk(id).loaded) loadTalk(id).catch((problem) => toast(problem.message, true));
}

function ids() {
  const known = new Set([...state.threads.keys(), ...state.contacts.map((contact) => contact.id)]);
  known.delete(SERVICE);
  const last = (id) => state.threads.get(id)?.last_at ?? "";
  return [...known].sort((a, b) => last(b).localeCompare(last(a)));
}

function draw() {
  const items = ids().map((id) => {
    const thread = state.threads.get(id);
    const signature = JSON.stringify([person(id).name, thread?.last.id, thread?.last.deliveries?.[0]?.state, best(id), id === state.peer]);
    return [id, signature, () => row(id, thread)];
  });
  items.push(["+", String(adding), adding ? form : () => h("button", { class: "add quiet", type: "button", onclick: open }, "Add a person")]);
  keyed(by("people"), items);
}

function row(id, thread) {
  const { name } = person(id);
  const availability = best(id);
  const unread = thread && thread.last.direction === "received" && thread.last.deliveries?.[0]?.state !== "displayed" && id !== state.peer;
  return h(
    "button",
    { class: unread ? "person unread" : "person", type: "button", "aria-current": id === state.peer ? "true" : null, onclick: () => choose(id) },
    h("span", { class: "avatar", "aria-hidden": "true" }, initial(name), availability && h("i", { class: `dot ${availability}` })),
    h("span", { class: "name" }, h("span", {}, name), thread && h("time", {}, time(thread.last_at))),
    h("span", { class: "last" }, last(thread), availability && h("span", { class: "visually-hidden" }, `, ${AVAILABILITY[availability]}`)),
  );
}

function last(thread) {
  if (!thread) return "No messages yet";
  return (thread.last.direction === "sent" ? "You: " : "") + (thread.last.text || "Media");
}

function open() {
  adding = true;
  draw();
  by("people").querySelector("input")?.focus();
}

function form() {
  const name = h("input", { placeholder: "Name", "aria-label": "Name", required: true, maxlength: 128 });
  const address = h("input", { placeholder: "+44… or msn:…", "aria-label": "Addresses, separated by commas", required: true });
  const shut = () => { adding = false; draw(); };
  const save = async (event) => {
    event.preventDefault();
    try {
      const addresses = address.value.split(",").map((text) => text.trim()).filter(Boolean);
      const contact = await post("/contacts", { name: name.value, addresses });
      state.contacts.push(contact);
      shut();
      choose(contact.id);
    } catch (problem) {
      toast(problem.message, true);
    }
  };
  return h(
    "form", { class: "new-contact", onsubmit: save }, name, address,
    h("button", { class: "primary" }, "Add"), h("button", { class: "quiet", type: "button", onclick: shut }, "Cancel"),
  );
}
