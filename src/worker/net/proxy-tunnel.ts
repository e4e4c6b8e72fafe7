// Owns connections through a proxy: asks a SOCKS 5 server or an HTTP proxy for a connection and passes on its socket. Network
// thread. Must not read the bytes of the connection, and must not show user and password. Source: RFC 1928, RFC 1929, RFC 9110
// section 9.3.6.

import { request } from 'node:http';
import { isIPv6, type LookupFunction, type Socket, type SocketConnectOpts } from 'node:net';
import { SocksClient } from 'socks';
import type { ProxyServer } from '../../common/config/proxy-url.ts';
import { KafkaConnectionError } from '../../common/errors/errors.ts';
import type { NodeOptions } from './dial.ts';
import { type OpenTransport, SocketTransport, type TransportTarget } from './transport.ts';

/** The place that the proxy is asked to connect to. */
interface Destination {
  readonly host: string;
  readonly port: number;
}

interface TunnelEvents {
  /** The tunnel is open: bytes written to the socket now reach the destination. */
  onOpen(socket: Socket): void;
  onFailure(error: KafkaConnectionError): void;
}

/** SOCKS 5 has one byte for the length of a name. */
const maxHostBytes = 255;

export interface TunnelOptions {
  readonly byNode: NodeOptions;
  /** A tunnel that has not opened after this time ends. */
  readonly maxMs: number;
  /** Looks up the name of the proxy. */
  readonly lookup: LookupFunction;
}

/** Makes any number of connections through one proxy. */
export class Tunnel {
  readonly resolvesNames: boolean;
  readonly #proxy: ProxyServer;
  readonly #options: TunnelOptions;

  constructor(proxy: ProxyServer, options: TunnelOptions) {
    this.#options = options;
    this.resolvesNames = proxy.resolvesNames;
    this.#proxy = proxy;
  }

  /** Plain TCP through the proxy. */
  readonly open: OpenTransport = (target, events) => {
    const transport = new SocketTransport(events);
    this.lead(target, transport, (socket) => {
      transport.copyFrom(socket);
      transport.use(socket, null);
      events.onConnect();
    });
    return transport;
  };

  /** Opens a tunnel for a transport. The transport may be destroyed before the tunnel is open. */
  lead(target: TransportTarget, transport: SocketTransport, onOpen: (socket: Socket) => void): void {
    const destination = { host: target.address, port: target.port };
    const events: TunnelEvents = {
      onOpen: (socket) => {
        if (transport.isDestroyed) socket.destroy();
        else {
          prepare(socket, this.#options.byNode);
          onOpen(socket);
        }
      },
      onFailure: (error) => transport.fail(error),
    };
    const giveUp =
      this.#proxy.kind === 'socks5'
        ? socks(this.#proxy, destination, events, this.#options)
        : connect(this.#proxy, destination, events, this.#options);
    transport.awaits(`the proxy ${this.#proxy.text}`, giveUp);
  }
}

function failure(proxy: ProxyServer, what: string, cause?: unknown): KafkaConnectionError {
  return new KafkaConnectionError(`proxy ${proxy.text} ${what}`, cause === undefined ? {} : { cause });
}

function placeOf({ host, port }: Destination): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function prepare(socket: Socket, { noDelay, keepAlive, keepAliveInitialDelay }: NodeOptions): void {
  socket.setNoDelay(noDelay);
  socket.setKeepAlive(keepAlive, keepAliveInitialDelay);
}

// --- SOCKS 5

/** The library's messages, and our text for each. */
const socksFailures: readonly (readonly [RegExp, (destination: string, reason: string) => string])[] = [
  [/Authentication failed/, () => 'refused the user and password of proxyUrl'],
  [/no accepted authentication type/, () => 'wants a login: proxyUrl needs another user and password, or needs one'],
  [/proxy rejected connection/, (to, reason) => `could not connect to ${to}: ${rejection(reason)}`],
  [/invalid socks version|unknown authentication type|invalid Socks5/i, () => 'does not answer like a SOCKS 5 server'],
  [/Socket closed/, () => 'closed the connection before it had answered'],
];

function socks(proxy: ProxyServer, destination: Destination, events: TunnelEvents, options: TunnelOptions): () => void {
  const client = socksClient(proxy, destination, options);
  client.on('established', ({ socket }) => {
    events.onOpen(socket);
  });
  // The library's error must not become a cause: it holds the options, and the password is among them.
  client.on('error', ({ message }) => {
    const known = socksFailures.find(([pattern]) => pattern.test(message))?.[1];
    const what = known?.(placeOf(destination), message) ?? `cannot be reached: ${message}`;
    events.onFailure(failure(proxy, what));
  });
  client.connect();
  const { socket } = client as unknown as { readonly socket: Socket };
  return () => {
    client.removeAllListeners();
    client.on('error', () => {});
    socket.destroy();
  };
}

/** Throws when the library refuses the options. The thrown text has no password; the library's own error has it. */
function socksClient(
  proxy: ProxyServer,
  destination: Destination,
  { maxMs: timeout, lookup }: TunnelOptions,
): SocksClient {
  const { host, port, user, password } = proxy;
  const login = user === null ? {} : { userId: user, password: password ?? '' };
  if (Buffer.byteLength(destination.host) > maxHostBytes) {
    throw new RangeError(`a name of more than ${maxHostBytes} bytes cannot go through SOCKS 5`);
  }
  try {
    return new SocksClient({
      proxy: { host, port, type: 5, ...login },
      command: 'connect',
      destination,
      timeout,
      // The library adds the proxy's host and port.
      socket_options: { lookup } as SocketConnectOpts,
    });
  } catch (error) {
    throw new RangeError((error as Error).message);
  }
}

const rejections: Readonly<Record<string, string>> = {
  Failure: 'it gives no reason; the name may be unknown or the port closed',
  NotAllowed: 'its rules do not allow it',
  NetworkUnreachable: 'network unreachable',
  HostUnreachable: 'host unreachable, or its name is unknown',
  ConnectionRefused: 'connection refused',
  TTLExpired: 'time to live expired',
  CommandNotSupported: 'it supports no connections',
  AddressNotSupported: 'it does not support this kind of address',
};

function rejection(message: string): string {
  const code = /- (\w+)$/.exec(message)?.[1] ?? '';
  return rejections[code] ?? 'with a reply code that SOCKS 5 does not define';
}

// --- HTTP CONNECT

function connect(
  proxy: ProxyServer,
  destination: Destination,
  events: TunnelEvents,
  { lookup }: TunnelOptions,
): () => void {
  const to = placeOf(destination);
  const asked = request({
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: to,
    agent: false,
    lookup,
    headers: { Host: to, ...authorization(proxy) },
  });
  asked.on('connect', ({ statusCode = 0, statusMessage = '' }, socket: Socket, head: Buffer) => {
    const refusal = refusalOf(statusCode, withoutLogin(statusMessage, proxy), to, head);
    if (refusal === null) {
      events.onOpen(socket);
    } else {
      socket.destroy();
      events.onFailure(failure(proxy, refusal));
    }
  });
  asked.on('error', (error) => events.onFailure(failure(proxy, troubleOf(error), error)));
  asked.end();
  return () => asked.destroy();
}

function authorization(proxy: ProxyServer): Record<string, string> {
  return proxy.user === null ? {} : { 'Proxy-Authorization': `Basic ${encodedLogin(proxy)}` };
}

function encodedLogin({ user, password }: ProxyServer): string {
  return Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64');
}

/** Removes the login from a text of the proxy, which may repeat what it was sent. */
function withoutLogin(text: string, proxy: ProxyServer): string {
  if (proxy.user === null) return text;
  const concealed = text.replaceAll(encodedLogin(proxy), '[secret]');
  return proxy.password ? concealed.replaceAll(proxy.password, '[secret]') : concealed;
}

function refusalOf(status: number, text: string, to: string, head: Buffer): string | null {
  // A broker sends nothing before it gets a request.
  if (status === 200 && head.length > 0)
    return `sent ${head.length} bytes before any request was sent; a Kafka broker sends nothing first`;
  if (status === 200) return null;
  if (status === 407) return 'wants a login: proxyUrl needs another user and password, or needs one (HTTP 407)';
  return `could not connect to ${to}: HTTP ${status} ${text.slice(0, 100)}`;
}

function troubleOf(error: NodeJS.ErrnoException & { rawPacket?: unknown }): string {
  // These are the bytes that were not HTTP. They must not appear in a log.
  delete error.rawPacket;
  if (error.code?.startsWith('HPE_') === true) return `does not answer in HTTP: ${error.message}`;
  if (error.message === 'socket hang up') return 'closed the connection before it had answered';
  return `cannot be reached: ${error.message}`;
}
