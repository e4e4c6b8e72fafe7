// Owns the count of a process's TCP connections: reports every attempt. It is loaded by `--import`, which worker threads inherit. Every
// thread of a contender.

import { Socket } from 'node:net';
import { nowMs, report } from './reports.ts';

// `net.connect` and `tls.connect` both call this function.
const { connect } = Socket.prototype;
Socket.prototype.connect = function counted(this: Socket, ...args: unknown[]): Socket {
  report({ kind: 'connect', atMs: nowMs() });
  return Reflect.apply(connect, this, args) as Socket;
};
