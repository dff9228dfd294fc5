// An ESME made of node-smpp: node esme.js <url> <system_id> <password> <bind_transceiver|...>; JSON lines in and out.

"use strict";

const readline = require("node:readline");
const smpp = require("smpp");

const tell = (event, more) => console.log(JSON.stringify({ event, ...more }));
const [, , url, systemId, password, bind] = process.argv;
const session = smpp.connect({ url, auto_enquire_link_period: 10000 }, () => {
  session[bind]({ system_id: systemId, password, interface_version: 0x34 }, (pdu) => {
    tell('bound', { status: pdu.command_status });
  });
});
session.on('deliver_sm', (pdu) => {
  const content = pdu.short_message.message || pdu.message_payload || '';
  tell('delivered', {
    from: pdu.source_addr, to: pdu.destination_addr, esm: pdu.esm_class, text: String(content.message || content),
    id: pdu.receipted_message_id, state: pdu.message_state,
  });
  session.send(pdu.response());
});
session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); tell('unbound'); });
session.on('close', () => { tell('closed'); process.exit(0); });
session.on('error', (error) => tell('error', { what: error.message }));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  if (order.submit) {
    session.submit_sm(order.submit, (pdu) => tell('submitted', { status: pdu.command_status, id: pdu.message_id }));
  } else if (order.query) {
    session.query_sm({ message_id: order.query }, (pdu) => {
      tell('state', { status: pdu.command_status, state: pdu.message_state });
    });
  } else if (order.unbind) {
    session.unbind(() => { session.close(); });
  }
});
