// Making elements without templates: h("p", {class: "x"}, "text", child).
const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "open") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function path(d, viewBox = "0 0 17 12") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", d);
  svg.append(shape);
  return svg;
}

export const by = (id) => document.getElementById(id);

// Put children in place without touching those that stay: `items` are [key, signature, make].
export function keyed(parent, items) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let at = parent.firstElementChild;
  for (const [key, signature, make] of items) {
    let element = known.get(key);
    known.delete(key);
    if (!element || element.dataset.signature !== signature) {
      const fresh = make();
      fresh.dataset.key = key;
      fresh.dataset.signature = signature;
      if (element) {
        const focused = element.contains(document.activeElement);
        if (at === element) at = fresh;
        element.replaceWith(fresh);
        if (focused) (fresh.querySelector("button, [role=button]") ?? fresh).focus();
      }
      element = fresh;
    }
    if (at === element) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  for (const gone of known.values()) gone.remove();
}

export function toast(text, bad = false) {
  const element = h("p", { class: bad ? "toast bad" : "toast" }, text);
  by("toasts").append(element);
  setTimeout(() => element.remove(), bad ? 7000 : 4500);
}

export function soon(work, wait) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
}

export const atEnd = (element) => element.scrollHeight - element.scrollTop - element.clientHeight < 90;
export const toEnd = (element) => { element.scrollTop = element.scrollHeight; };
