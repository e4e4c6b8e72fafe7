// Owns the counting of a process's TCP connections: reports every attempt, whoever makes it. Preloaded with `--import`, which
// worker threads inherit. Every thread of a contender.

import { Socket } from 'node:net';
import { nowMs, report } from './reports.ts';

// What `net.connect` and `tls.connect` come down to, and the one way to connect a socket made by hand.
const { connect } = Socket.prototype;
Socket.prototype.connect = function counted(this: Socket, ...args: unknown[]): Socket {
  report({ kind: 'connect', atMs: nowMs() });
  return Reflect.apply(connect, this, args) as Socket;
};
