// The HTTP API. Errors are RFC 9457 problems; events come over fetch, so that the token stays in a header.
const BASE = "/api/v1";
const KEY = "opencpm.token";
let token = "";

export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail || "The server does not answer.");
    this.status = status;
    this.reason = problem.reason || "unknown";
    this.problem = problem;
  }
}

export function remember(value, keep) {
  token = value;
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  if (value) (keep ? localStorage : sessionStorage).setItem(KEY, value);
}

export function recall() {
  token = sessionStorage.getItem(KEY) || localStorage.getItem(KEY) || "";
  return token;
}

export function use(value) {
  token = value;
}

function headers(more) {
  return token ? { Authorization: `Bearer ${token}`, ...more } : { ...more };
}

export async function call(method, path, body) {
  const options = { method, headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }) };
  if (body !== undefined) options.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(BASE + path, options);
  } catch {
    throw new Problem(0, { reason: "no-connection", detail: "The server cannot be reached. Your text is still here; try again." });
  }
  if (answer.status === 204) return null;
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, json);
  return json;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);

export async function blob(href) {
  const answer = await fetch(href, { headers: headers() });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer.blob();
}

// Bring a file, or (with what the server knows of it) the rest. XMLHttpRequest, because fetch tells no progress.
export function upload(file, tid, known, progress, stoppable) {
  if (known?.complete) return Promise.resolve(known);
  return new Promise((done, fail) => {
    const from = known?.received ?? 0;
    const request = new XMLHttpRequest();
    request.open(known ? "PUT" : "POST", BASE + (known ? `/files/${known.id}` : "/files"));
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => progress(file.size ? Math.min(1, (from + event.loaded) / file.size) : 1));
    request.addEventListener("load", () => (request.status < 300 ? done(request.response) : fail(new Problem(request.status, request.response ?? {}))));
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => fail(new Problem(0, { detail: "The connection broke." })));
    stoppable(() => request.abort());
    if (known) {
      request.setRequestHeader("Content-Range", `bytes ${from}-${file.size - 1}/${file.size}`);
      return request.send(file.slice(from));
    }
    const form = new FormData();
    form.append("tid", tid);
    form.append("File", file, file.name || "file");
    request.send(form);
  });
}

const pause = (time) => new Promise((done) => setTimeout(done, time));

// Calls heard(id, event) for each event, connected(true | false) on changes; comes back after every break.
export async function listen(heard, connected) {
  let last = "";
  let wait = 1000;
  for (;;) {
    try {
      const answer = await fetch(`${BASE}/events`, { headers: headers(last ? { "Last-Event-ID": last } : {}) });
      if (answer.status === 401 || answer.status === 403) return answer.status;
      if (!answer.ok) throw new Error(String(answer.status));
      connected(true);
      wait = 1000;
      for await (const event of frames(answer.body)) {
        if (event.id) last = event.id;
        if (event.data) heard(event.id, JSON.parse(event.data));
      }
    } catch {
      // a broken connection: come back below
    }
    connected(false);
    await pause(wait);
    wait = Math.min(wait * 2, 15000);
  }
}

async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { id: "", data: "" };
      for (const line of block.split("\n")) {
        if (line.startsWith("id: ")) event.id = line.slice(4);
        else if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      yield event;
    }
  }
}
