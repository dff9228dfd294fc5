// An SMS centre made of node-smpp: node smsc.js <system_id> <password>
// Out, a JSON line each: {"event": "listening", "port": …}, bound, refused, submitted, delivered, lost.
// In, a JSON line each:
//   {"receipt": "DELIVRD" | "UNDELIV" | ""}   the state that receipts report from now on; "": none
//   {"status": "ESME_RTHROTTLED", "times": 2} how the next submit_sm are answered
//   {"deliver": {…}}                          a deliver_sm to whoever is bound
//   {"drop": true}                            all connections end

"use strict";

const readline = require("node:readline");
const smpp = require("smpp");

const [, , account, password] = process.argv;
const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const sessions = new Set();
let receipt = "DELIVRD";
let refusal = { status: "ESME_ROK", times: 0 };
let serial = 0xabc0;

function report(session, pdu, id) {
  const code = receipt === "DELIVRD" ? 2 : 5;
  session.deliver_sm({
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    short_message:
      `id:${id} sub:001 dlvrd:${code === 2 ? "001" : "000"} submit date:2611240800 done date:2611240801 ` +
      `stat:${receipt} err:000 text:`,
    receipted_message_id: id,
    message_state: code,
  });
}

function submitted(session, pdu) {
  if (refusal.times > 0) {
    refusal.times -= 1;
    say("refused", { status: refusal.status });
    session.send(pdu.response({ command_status: smpp[refusal.status] }));
    return;
  }
  const id = (serial += 1).toString(16).toUpperCase();
  session.send(pdu.response({ message_id: id }));
  say("submitted", {
    id,
    source: pdu.source_addr,
    destination: pdu.destination_addr,
    coding: pdu.data_coding,
    udh: (pdu.short_message.udh || []).map((element) => element.toString("hex")),
    text: pdu.short_message.message,
  });
  if (receipt) report(session, pdu, id);
}

const server = smpp.createServer((session) => {
  sessions.add(session);
  session.on("bind_transceiver", (pdu) => {
    const right = pdu.system_id === account && pdu.password === password;
    session.send(pdu.response(right ? { system_id: "node" } : { command_status: smpp.ESME_RBINDFAIL }));
    say(right ? "bound" : "refused", { system_id: pdu.system_id });
  });
  session.on("submit_sm", (pdu) => submitted(session, pdu));
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => session.send(pdu.response()));
  session.on("deliver_sm_resp", (pdu) => say("delivered", { status: pdu.command_status }));
  session.on("close", () => sessions.delete(session) && say("lost"));
  session.on("error", () => {});
});

function deliver({ udh, ...fields }) {
  const short = fields.short_message;
  const message = udh ? { udh: Buffer.from(udh, "hex"), message: short } : short;
  for (const session of sessions) session.deliver_sm({ ...fields, short_message: message });
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if ("receipt" in order) receipt = order.receipt;
  if ("status" in order) refusal = order;
  if ("deliver" in order) deliver(order.deliver);
  if ("drop" in order) for (const session of sessions) session.destroy ? session.destroy() : session.socket.destroy();
});
server.listen(0, "127.0.0.1", () => say("listening", { port: server.address().port }));
