// A JsSIP user agent on a command line: node phone.js <WebSocket URL> <SIP URI> <password> [<log file>]
// In, a line each:  {"to": "sip:…", "text": "…", "type": "text/plain"}  or  "quit".
// Out, a JSON line each: what JsSIP told us.

"use strict";

const readline = require("node:readline");

global.WebSocket = require("ws");
const JsSIP = require("jssip");

const [, , url, uri, password] = process.argv;
const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

const phone = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(url)],
  uri,
  password,
  register_expires: 600,
});

phone.on("connected", () => say("connected"));
phone.on("disconnected", () => say("disconnected"));
phone.on("registered", (e) => say("registered", { status: e.response.status_code }));
phone.on("unregistered", () => say("unregistered"));
phone.on("registrationFailed", (e) => say("refused", { cause: e.cause, status: e.response && e.response.status_code }));
phone.on("newMessage", ({ originator, request }) => {
  if (originator !== "remote") return;
  say("message", {
    from: request.from.uri.toString(),
    type: request.getHeader("Content-Type"),
    body: request.body,
  });
});

function send({ to, text, type = "text/plain" }) {
  phone.sendMessage(to, text, {
    contentType: type,
    eventHandlers: {
      succeeded: (e) => say("sent", { status: e.response.status_code }),
      failed: (e) => say("failed", { cause: e.cause, status: e.response && e.response.status_code }),
    },
  });
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if (order === "quit") phone.stop();
  else send(order);
});
phone.start();
