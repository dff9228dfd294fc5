// Files on their way into a message: chosen, pasted or dropped; uploaded at once, with what is still to come shown.
import { get, remove, upload } from "./api.js";
import { atEnd, by, h, keyed, path, toEnd, toast } from "./dom.js";
import { changed, state } from "./state.js";
import { size } from "./words.js";

const MOST = 10;
const TRIES = 6;
const CLIP = "M14.500 9.200 9 14.700a3.300 3.300 0 0 1-4.700-4.700l6-6a2.200 2.200 0 0 1 3.100 3.100l-5.800 5.800a1.100 1.100 0 0 1-1.600-1.600l5-5";
let tray, input, news;
let items = []; // {key, file, tid, progress, id, failed, picture, stop}
let count = 0;

export function start() {
  news = h("span", { class: "visually-hidden", role: "status" });
  tray = h("ul", { class: "tray", "aria-label": "Attached files", hidden: true });
  input = h("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-hidden": "true", onchange: chosen });
  by("composer").prepend(tray, input, news);
  const talk = by("talk");
  talk.addEventListener("dragenter", over);
  talk.addEventListener("dragover", over);
  talk.addEventListener("dragleave", (event) => talk.contains(event.relatedTarget) || talk.classList.remove("dropping"));
  talk.addEventListener("drop", dropped);
}

export const button = () =>
  h("button", { type: "button", class: "attach", "aria-label": "Attach files", title: "Attach files", onclick: () => input.click() }, path(CLIP, "0 0 20 20"));

export const attached = () => items.length > 0;
export const uploading = () => items.some((item) => !item.id && !item.failed);
export const broken = () => items.find((item) => item.failed)?.file.name ?? "";
export const parts = () => items.filter((item) => item.id).map((item) => ({ file: item.id }));

// What is attached, handed over to a message: the tray is empty afterwards. `back` puts it there again.
export function take() {
  const taken = items;
  items = [];
  if (taken.length) draw();
  const back = () => {
    items = [...taken, ...items];
    if (taken.length) draw();
  };
  return { parts: taken.map((item) => ({ file: item.id })), back };
}

export function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  add(files);
}

function chosen() {
  add([...input.files]);
  input.value = "";
}

function over(event) {
  if (!state.peer || ![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  by("talk").classList.add("dropping");
}

function dropped(event) {
  by("talk").classList.remove("dropping");
  if (!state.peer || !event.dataTransfer.files.length) return;
  event.preventDefault();
  add([...event.dataTransfer.files]);
}

function add(files) {
  if (!state.me?.limits?.files) return toast("This server takes no files.", true);
  const limit = state.me.limits.message_bytes;
  for (const file of files) {
    if (items.length >= MOST) {
      toast(`A message can have ${MOST} files at most.`, true);
      break;
    }
    if (file.size > limit) {
      toast(`${file.name} is too large: ${size(file.size)}. A message can have ${size(limit)} at most.`, true);
      continue;
    }
    count += 1;
    const tid = `page-${Date.now()}-${count}-${Math.random().toString(36).slice(2)}`;
    const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
    const item = { key: `f${count}`, file, tid, progress: 0, id: "", failed: "", picture };
    items.push(item);
    bring(item);
  }
  draw();
  document.querySelector("#composer textarea").focus();
}

// Upload, and go on from where the server says it is when the way breaks.
async function bring(item) {
  item.failed = "";
  const progress = (done) => {
    item.progress = done;
    const bar = tray.querySelector(`[data-key="${item.key}"] progress`);
    if (bar) bar.value = done;
  };
  for (let attempt = 1; items.includes(item); attempt += 1) {
    try {
      const known = attempt > 1 ? await reached(item) : null;
      const found = await upload(item.file, item.tid, known, progress, (stop) => { item.stop = stop; });
      item.id = found.id;
      news.textContent = `${item.file.name} is attached`;
      break;
    } catch (problem) {
      if (problem.status || attempt >= TRIES) {
        item.failed = problem.message;
        news.textContent = `${item.file.name} could not be uploaded: ${problem.message}`;
        break;
      }
      await new Promise((done) => setTimeout(done, 500 * 2 ** attempt));
    }
  }
  draw();
}

function reached(item) {
  return get(`/files?tid=${encodeURIComponent(item.tid)}`).catch((problem) => {
    if (problem.status === 404) return null;
    throw problem;
  });
}

function drop(item) {
  items = items.filter((other) => other !== item);
  item.stop?.();
  if (item.picture) URL.revokeObjectURL(item.picture);
  if (item.id) remove(`/files/${item.id}`).catch(() => {});
  news.textContent = `${item.file.name} removed`;
  draw();
  document.querySelector(".attach").focus();
}

function again(item) {
  bring(item);
  draw();
}

function draw() {
  const thread = by("thread");
  const stay = atEnd(thread);
  tray.hidden = !items.length;
  keyed(tray, items.map((item) => [item.key, JSON.stringify([item.id, item.failed]), () => chip(item)]));
  if (stay) toEnd(thread);
  changed("attached");
}

function chip(item) {
  const { file } = item;
  const about = item.failed || (item.id ? size(file.size) : `Uploading, ${size(file.size)}`);
  const kind = (file.name.includes(".") ? file.name.split(".").pop() : "file").slice(0, 4).toUpperCase();
  const going = !item.id && !item.failed;
  return h(
    "li", { class: item.failed ? "chip bad" : "chip" },
    item.picture ? h("img", { src: item.picture, alt: "" }) : h("span", { class: "kind", "aria-hidden": "true" }, kind),
    h("span", { class: "told" }, h("b", {}, file.name), h("span", {}, about), going && h("progress", { max: 1, value: item.progress, "aria-label": `Uploading ${file.name}` })),
    item.failed && h("button", { type: "button", onclick: () => again(item) }, "Try again"),
    h("button", { type: "button", class: "quiet", "aria-label": `Remove ${file.name}`, onclick: () => drop(item) }, "✕"),
  );
}
