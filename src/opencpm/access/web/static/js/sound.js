// A call from near: the whole of it, its frames one by one, and the bits of the chosen one over its real samples.
import { h } from "./dom.js";
import { el, lane, picture } from "./wave.js";

const WHO = { line: "Telephone", centre: "SMS centre" };
const seen = () => (window.innerWidth > 860 ? 33 : 22); // bits at once: three octets, or two
const WIDTH = 900;

export async function open(lab, call) {
  const found = await lab("GET", `home/calls/${call.id}/sound`);
  if (!found) return;
  const near = h("div", { class: "near" });
  const whole = h("div", { class: "whole" });
  const rows = h("ol", { class: "spoken" });
  const show = (index) => choose(lab, call, found, index, { near, whole, rows });
  rows.append(...found.bursts.map((burst, index) => h("li", {}, row(found, burst, () => show(index)))));
  const close = h("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Close");
  const seconds = (found.samples / found.rate).toFixed(1);
  const title = call.by_line ? "Bob's telephone calls the SMS centre" : "The SMS centre calls Bob's home telephone";
  const box = h(
    "dialog", { class: "sound", "aria-labelledby": "sound-title", onclose: () => box.remove() },
    h("header", {}, h("h2", { id: "sound-title" }, title), h("span", { class: "sub" }, `${seconds} s, ${found.samples} samples each way, as the line heard and said them`), close),
    whole, rows, near,
  );
  document.body.append(box);
  box.showModal();
  const data = found.bursts.findIndex((burst) => burst.text);
  if (found.bursts.length) await show(Math.max(data, 0));
  else whole.replaceChildren(overview(found, -1, () => {}));
}

function row(found, burst, chosen) {
  return h(
    "button", { type: "button", onclick: chosen }, h("time", {}, `${(burst.start / found.rate).toFixed(2)} s`),
    h("b", { class: burst.by }, burst.name), h("span", {}, `${WHO[burst.by]}: ${burst.text ? `“${burst.text}”` : burst.meaning}`),
  );
}

async function choose(lab, call, found, index, { near, whole, rows }) {
  rows.querySelectorAll("button").forEach((button, at) => button.setAttribute("aria-pressed", String(at === index)));
  whole.replaceChildren(overview(found, index, (at) => rows.querySelectorAll("button")[at].click()));
  const burst = await lab("GET", `home/calls/${call.id}/bursts/${index}`);
  if (burst) near.replaceChildren(...bits(burst, found.rate));
}

// The page's security policy allows no style attributes.
function placed(element, left, width) {
  element.style.left = `${left}%`;
  if (width !== undefined) element.style.width = `${width}%`;
  return element;
}

// -- the whole call

function overview(found, index, chosen) {
  const scale = WIDTH / Math.max(found.samples, 1);
  const bands = found.bursts.map((burst, at) => {
    const band = el("rect", { class: at === index ? "band chosen" : "band", x: (burst.start * scale).toFixed(1), width: ((burst.end - burst.start) * scale).toFixed(1), y: burst.by === "line" ? 66 : 2, height: 62, rx: 3 });
    band.addEventListener("click", () => chosen(at));
    return band;
  });
  const spoken = found.bursts.map((burst) => `${WHO[burst.by]} ${burst.name} from ${(burst.start / found.rate).toFixed(1)} to ${(burst.end / found.rate).toFixed(1)} s`);
  const label = `Waveform of the call, SMS centre above, telephone below. ${spoken.join("; ")}.`;
  const drawn = picture(WIDTH, 130, label, ...bands, lane(found.centre, WIDTH, 33, 28, "centre"), lane(found.line, WIDTH, 97, 28, "line"));
  const names = h("div", { class: "names", "aria-hidden": "true" }, found.bursts.map((burst) => placed(h("i", { class: burst.by }, burst.name), ((burst.start + burst.end) / 2 / found.samples) * 100)));
  return h("div", { class: "drawn" }, h("b", { class: "centre" }, "SMS centre"), drawn, h("b", { class: "line" }, "Telephone"), names);
}

// -- the bits of one frame

function bits(burst, rate) {
  const drawing = h("div", { class: "drawn bits" });
  const last = Math.max(0, burst.bits.length - seen());
  const first = Math.max(0, Math.min(last, (burst.octets[0]?.[0] ?? 0) - 3));
  const slider = h("input", { type: "range", min: 0, max: last, value: first, "aria-label": "First bit shown", oninput: () => draw(Number(slider.value)) });
  const octets = octetsOf(burst, (bit) => { slider.value = Math.min(last, Math.max(0, bit - 3)); draw(Number(slider.value)); });
  const draw = (from) => {
    drawing.replaceChildren(zoom(burst, from));
    slider.setAttribute("aria-valuetext", `bit ${from} of ${burst.bits.length}`);
    octets.mark(from);
  };
  draw(first);
  const words = `${burst.name}: ${burst.meaning}. ${burst.bits.length} bits at ${Math.round(burst.baud)} bit/s, read from ${burst.samples.length} samples (${((burst.samples.length / rate) * 1000).toFixed(0)} ms). Slow waves, 1300 Hz, are 1; fast ones, 2100 Hz, are 0. An octet is a start bit 0, eight bits with the low one first, and a stop bit 1.`;
  return [h("p", { class: "what" }, words), drawing, slider, octets.list];
}

function octetsOf(burst, go) {
  const buttons = burst.octets.map(([bit, value]) => h("button", { type: "button", onclick: () => go(bit), title: `Octet from bit ${bit}` }, value.toString(16).padStart(2, "0")));
  const mark = (from) => buttons.forEach((button, at) => button.classList.toggle("in-view", burst.octets[at][0] >= from && burst.octets[at][0] + 10 <= from + seen()));
  return { list: h("div", { class: "octets", role: "group", "aria-label": "Octets of the frame, in hex" }, buttons), mark };
}

function zoom(burst, from) {
  const { bits: values, edges, samples } = burst;
  if (!values) return h("p", { class: "sub" }, "Too short to hold bits.");
  const to = Math.min(values.length, from + seen());
  const [begin, end] = [edges[from], edges[to]];
  const x = (sample) => (((sample - begin) / (end - begin)) * WIDTH).toFixed(1);
  const loud = Math.max(500, ...samples.map(Math.abs));
  const cells = [];
  for (let at = from; at < to; at += 1) {
    const [left, right] = [x(edges[at]), x(edges[at + 1])];
    cells.push(el("rect", { class: values[at] === "1" ? "bit one" : "bit zero", x: left, width: (right - left).toFixed(1), y: 0, height: 110 }));
  }
  const points = [];
  for (let at = Math.max(0, Math.floor(begin)); at <= Math.min(samples.length - 1, Math.ceil(end)); at += 1) points.push(`${x(at)} ${(55 - (samples[at] / loud) * 48).toFixed(1)}`);
  const said = burst.octets.filter(([bit]) => bit + 10 > from && bit < to);
  const label = `Samples of ${to - from} bits from bit ${from}: ${values.slice(from, to)}. Octets in view: ${said.map(([, value]) => value.toString(16).padStart(2, "0")).join(" ") || "none"}.`;
  const drawn = picture(WIDTH, 110, label, ...cells, el("path", { class: `near-wave ${burst.by}`, d: `M${points.join("L")}`, "vector-effect": "non-scaling-stroke" }));
  const percent = (bit) => ((edges[bit] - begin) / (end - begin)) * 100;
  const digits = Array.from({ length: to - from }, (_, at) => placed(h("i", {}, values[from + at]), (percent(from + at) + percent(from + at + 1)) / 2));
  const boxes = said.map(([bit, value]) => {
    const [left, right] = [Math.max(0, percent(Math.max(bit, from))), percent(Math.min(bit + 10, to))];
    return placed(h("u", {}, value.toString(16).padStart(2, "0")), left, right - left);
  });
  return h("div", {}, drawn, h("div", { class: "digits", "aria-hidden": "true" }, digits), h("div", { class: "boxes", "aria-hidden": "true" }, boxes));
}
