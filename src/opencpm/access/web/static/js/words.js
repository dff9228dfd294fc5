// How states and steps are said to people.
import { label, network, person } from "./state.js";

export function time(iso) {
  return iso ? new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "";
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function day(iso) {
  const date = new Date(iso);
  const today = new Date();
  const days = Math.round((new Date(today.toDateString()) - new Date(date.toDateString())) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

export const initial = (name) => (name.replace(/^[^\p{L}\p{N}]+/u, "")[0] ?? "?").toUpperCase();

const CLOCK = "M8.500 1.500a4.500 4.500 0 1 0 0 9a4.500 4.500 0 1 0 0-9M8.500 3.800V6l1.600 1.200";
const ONE = "M4 6.500 7 9.500 13 2.500";
const TWO = "M1.500 6.500 4.500 9.500 10.500 2.500M8 9 8.500 9.500 15 2.500";
const BAD = "M8.500 2v5M8.500 10v.100";
const WAY = "M3 6h9M9 3l3 3-3 3";
const ASK = "M6.500 4a2 2 0 1 1 2.800 1.900c-.6.3-.8.7-.8 1.300M8.500 10v.100";

const MARKS = { queued: CLOCK, sending: WAY, accepted: ONE, delivered: TWO, displayed: TWO, failed: BAD, expired: BAD, unknown: ASK };
export const mark = (state) => MARKS[state] ?? WAY;

// One short sentence for a delivery's state.
export function said(delivery) {
  const net = delivery.network ? label(delivery.network) : "the network";
  switch (delivery.state) {
    case "queued": return waiting(delivery);
    case "sending": return "On its way";
    case "accepted": return `Taken by ${net}`;
    case "delivered": return "Delivered";
    case "displayed": return "Seen";
    case "failed": return failed(delivery);
    case "expired": return "Expired before it could be delivered";
    case "unknown": return `${net} never reported`;
    default: return delivery.state;
  }
}

function waiting(delivery) {
  const [kind, name, ...rest] = (delivery.waits_for || "").split(":");
  if (kind === "network") return `The ${label(name)} network is down; your message waits`;
  if (kind === "presence") return `Waits until ${rest.join(":").replace(/^\w+:/, "")} is online on ${label(name)}`;
  if (kind === "user") return "Waits until a device is online";
  return delivery.next_try_at ? `Waits; next try at ${time(delivery.next_try_at)}` : "Waits for its turn";
}

function failed(delivery) {
  return delivery.detail ? `Not delivered: ${delivery.detail}` : `Not delivered (${delivery.error || "no reason given"})`;
}

const STEPS = {
  received: "Received by the server",
  refused: "Refused",
  selected: "Way chosen",
  submitted: "Handed to the network",
  accepted: "Taken by the network",
  delivered: "Delivered",
  displayed: "Seen",
  failed: "Failed",
  deferred: "Kept until it can go",
  retried: "Tried again",
  expired: "Expired",
  reported: "The sender was told",
  invited: "Session asked for",
  ringing: "Asking the other side",
  established: "Session stands",
  closing: "Closing",
  closed: "Closed",
  feedback: "Feedback to who closed",
};
export const step = (name) => STEPS[name] ?? name;

const BAD_STEPS = new Set(["refused", "failed", "expired"]);
const WAIT_STEPS = new Set(["deferred", "retried", "closing", "ringing", "invited"]);
export const tone = (name) => (BAD_STEPS.has(name) ? "bad" : WAIT_STEPS.has(name) ? "wait" : "done");

const RULES = {
  content: "Content", recipient: "Receiver", receiver: "Receiver", sender: "Sender", blocked: "Blocking", status: "Status", route: "Route",
  "number-type": "Kind of number", allowed: "Operator", denied: "Preference", account: "Account", health: "Health", fit: "Fit",
  segments: "Length", sessions: "Sessions", reach: "Presence", tried: "Tried before", number: "Number",
};
export const rule = (name) => RULES[name] ?? name.replace(/[-_]/g, " ").replace(/^./, (c) => c.toUpperCase());

export const AVAILABILITY = { available: "online", busy: "busy", away: "away", offline: "offline", unknown: "" };

export const origin = (item) => (item.direction === "sent" ? item.deliveries[0]?.network : item.origin) || "";

export function sessionLine(session) {
  const name = person(session.peer).name;
  const net = session.network && network(session.network) ? ` on ${label(session.network)}` : "";
  const reasons = { offline: "offline", declined: "declined", busy: "busy", "no-answer": "no answer", "unknown-address": "unknown there", cancelled: "taken back" };
  if (session.state === "closed") {
    if (!session.answered_at) return `Session${net} did not come about${session.reason ? `: ${reasons[session.reason] ?? session.reason.replace(/-/g, " ")}` : ""}`;
    const [from, to] = [time(session.opened_at), time(session.closed_at)];
    return `Session${net} · ${from === to ? from : `${from} to ${to}`} · ${session.reason === "left" ? `${name} left` : "closed"}`;
  }
  if (session.state === "established") return `In session with ${name}${net}`;
  if (session.state === "closing") return `Closing the session${net}…`;
  return session.outgoing === false ? `${name} asks for a session${net}` : `Asking ${name} for a session${net}…`;
}
