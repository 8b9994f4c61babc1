// A server on ws, the usual WebSocket library of Node, as its documentation sends to all clients; compression off.
'use strict';
const { WebSocketServer } = require('ws');

const options = { port: 0, mode: 'broadcast' };
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options) || i + 1 === process.argv.length) {
    console.error('usage: ws_node.js [--port N] [--mode echo|broadcast]');
    process.exit(2);
  }
  options[name] = process.argv[i + 1];
}

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(options.port), backlog: 4096, perMessageDeflate: false });
server.on('connection', (client) => {
  client.on('error', () => {});
  if (options.mode === 'echo') {
    client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
    return;
  }
  client.on('message', (data, isBinary) => {
    for (const other of server.clients) {
      if (other.readyState === 1) other.send(data, { binary: isBinary });
    }
  });
});
server.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
server.on('listening', () => console.log(`listening on port ${server.address().port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
