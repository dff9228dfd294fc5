// Pictures, sound, film and files in a bubble. They are fetched with the token in a header, so no element does it itself.
import { blob } from "./api.js";
import { atEnd, by, h, toEnd, toast } from "./dom.js";
import { size } from "./words.js";

const KINDS = { image: "Picture", audio: "Sound", video: "Film" };
const SHOWN = /^image\/(png|jpeg|gif|webp)/;
const PLAYED = /^(audio\/(mpeg|mp4|aac|ogg|wav|x-wav|3gpp)|video\/(mp4|webm|3gpp))/;

export function medium(part) {
  const kind = part.content_type.split("/")[0];
  const name = part.name || KINDS[kind] || part.content_type.split(";")[0];
  if (part.link) return elsewhere(part.link);
  if (SHOWN.test(part.content_type)) return picture(part, name);
  return h("span", { class: "media" }, PLAYED.test(part.content_type) && player(part, kind, name), file(part, name));
}

const inside = (act) => (event) => {
  event.stopPropagation(); // a click on the bubble itself shows the path of the message
  act?.(event);
};

function picture(part, name) {
  const image = h("img", { alt: part.name ? `Picture: ${name}` : name });
  const frame = h("span", { class: "picture loading" }, image);
  const instead = () => frame.replaceWith(file(part, name));
  blob(part.href).then((data) => { image.src = URL.createObjectURL(data); }, instead);
  image.addEventListener("load", () => {
    const stay = atEnd(by("thread"));
    URL.revokeObjectURL(image.src);
    frame.classList.remove("loading");
    if (stay) toEnd(by("thread"));
  });
  image.addEventListener("error", instead);
  return frame;
}

function player(part, kind, name) {
  const play = h("button", { type: "button", class: "play", onclick: inside(load) }, `Play ${name}`);
  async function load() {
    play.disabled = true;
    try {
      const source = URL.createObjectURL(await blob(part.href));
      const element = h(kind, { controls: true, src: source, "aria-label": name, onclick: inside() });
      play.replaceWith(element);
      element.focus();
      element.play().catch(() => {});
    } catch (problem) {
      play.disabled = false;
      toast(problem.message, true);
    }
  }
  return play;
}

function file(part, name) {
  async function save() {
    try {
      const address = URL.createObjectURL(await blob(part.href));
      h("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    } catch (problem) {
      toast(problem.message, true);
    }
  }
  return h("button", { type: "button", class: "file", onclick: inside(save) }, h("b", {}, `Save ${name}`), h("span", {}, size(part.size)));
}

function elsewhere(link) {
  const about = h("span", {}, `${size(link.size)}, on another server`);
  return h("a", { class: "file", href: link.url, target: "_blank", rel: "noopener noreferrer", onclick: inside() }, h("b", {}, link.name || link.url), about);
}
