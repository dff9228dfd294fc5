// Drawings of sound as SVG: they follow the page's colours by themselves, and are sharp at any size.
const SVG = "http://www.w3.org/2000/svg";

export function el(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function picture(width, height, label, ...children) {
  const svg = el("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" }, ...children);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  return svg;
}

const FULL = 9000; // of 32768: what a telephone sends fills two thirds of a lane

// One side of a call: lowest and highest sample of each column.
export function lane(columns, width, middle, half, kind) {
  const step = width / Math.max(columns.length, 1);
  const y = (value) => (middle - Math.max(-1, Math.min(1, value / FULL)) * half).toFixed(1);
  const top = columns.map(([, high], at) => `${(at * step).toFixed(1)} ${y(high)}L${((at + 1) * step).toFixed(1)} ${y(high)}`);
  const low = columns.map(([bottom], at) => `${((at + 1) * step).toFixed(1)} ${y(bottom)}L${(at * step).toFixed(1)} ${y(bottom)}`).reverse();
  return el("path", { class: `wave ${kind}`, d: columns.length ? `M${[...top, ...low].join("L")}Z` : "", "vector-effect": "non-scaling-stroke" });
}

// The whole call, both sides, at least `least` seconds wide so that a call grows from the left while it lasts.
export function both(wave, seconds, label, least = 1.2) {
  const width = 600;
  const used = width * Math.min(1, seconds / Math.max(least, seconds, 0.01));
  return picture(width, 64, label, lane(wave.centre, used, 17, 15, "centre"), lane(wave.line, used, 47, 15, "line"));
}
