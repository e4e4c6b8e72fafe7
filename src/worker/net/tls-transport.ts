// Owns TLS connections: the name, the session, the version, and whether an end counts as a failed handshake. Network thread.
// Must not read files (tls-contexts.ts does) and must not make texts of failures (tls-failures.ts does).

import { X509Certificate } from 'node:crypto';
import { isIP, isIPv6, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Dial, NodeOptions } from './dial.ts';
import type { Tunnel } from './proxy-tunnel.ts';
import type { TlsContext, TlsContexts } from './tls-contexts.ts';
import { type TlsStage, tlsFailure } from './tls-failures.ts';
import { type OpenTransport, SocketTransport, type TransportEvents, type TransportTarget } from './transport.ts';

/** How many sessions are remembered. Clusters have fewer brokers. Beyond that, the oldest session is forgotten. */
const maxSessions = 1000;

interface Session {
  readonly context: TlsContext;
  readonly ticket: Buffer;
}

export interface TlsTransportOptions {
  readonly contexts: TlsContexts;
  readonly checkHostname: boolean;
  /** Default: connect to the broker without a proxy. */
  readonly tunnel?: Tunnel | null;
  readonly byNode: NodeOptions;
  /** Makes the socket, when options are configured that Node cannot set. */
  readonly dial?: Dial | null;
}

/** Opens TLS connections. A connection resumes the session of an earlier one to the same name and port. */
export function tlsTransports(options: TlsTransportOptions): OpenTransport {
  const { contexts, checkHostname, tunnel, dial, byNode } = options;
  const sessions = new Map<string, Session>();
  return (target, events) => {
    const stage: TlsStage = { target, isConnected: false, isSecure: false, hasRead: false, context: null };
    const transport = new TlsTransport(watched(events, stage), stage);
    const open = (context: TlsContext): void => {
      if (transport.isDestroyed) return;
      stage.context = context;
      const name = `${target.host}:${target.port}`;
      const known = sessions.get(name);
      // A session from older settings must not be resumed: the new settings may not accept that server.
      const session = known?.context === context ? known.ticket : undefined;
      const settings = { ...tlsOptions(target, context, checkHostname), session };
      sessions.delete(name);
      const use = (socket: TLSSocket): void => {
        socket.on('session', (ticket) => {
          sessions.set(name, { context, ticket });
          if (sessions.size > maxSessions) sessions.delete(sessions.keys().next().value!);
        });
        follow(socket, stage);
        transport.use(socket, 'secureConnect');
      };
      const useAbove = (below: Socket): void => {
        const socket = connect({ ...settings, socket: below });
        transport.copyFrom(socket);
        use(socket);
      };
      if (tunnel) {
        tunnel.lead(target, transport, (below) => {
          stage.isConnected = true;
          useAbove(below);
        });
      } else if (dial) {
        const below = dial(target.address, target.port);
        below.once('connect', () => {
          stage.isConnected = true;
        });
        useAbove(below);
      } else {
        const socket = connect({ ...settings, onread: transport.onread } as ConnectionOptions);
        // Node uses these settings only for plain sockets, so they are set here.
        socket.once('connect', () => {
          socket.setNoDelay(byNode.noDelay);
          socket.setKeepAlive(byNode.keepAlive, byNode.keepAliveInitialDelay);
        });
        use(socket);
      }
    };
    // Events must come between rounds, and a round may be running now. Also, a connection that has just ended may still deliver its session.
    setImmediate(() => {
      try {
        open(contexts.current());
      } catch (error) {
        transport.fail(error as Error);
      }
    });
    return transport;
  };
}

class TlsTransport extends SocketTransport {
  readonly #stage: TlsStage;

  constructor(events: TransportEvents, stage: TlsStage) {
    super(events);
    this.#stage = stage;
  }

  override describeWait(): string | null {
    const waits = super.describeWait();
    if (waits !== null) return waits;
    return this.#stage.isConnected && !this.#stage.isSecure
      ? 'the server did not answer the TLS handshake; it may be a plaintext port'
      : null;
  }
}

function tlsOptions(target: TransportTarget, context: TlsContext, checkHostname: boolean): ConnectionOptions {
  // A trailing dot is meant for the resolver. Certificates and SNI have none (RFC 6066).
  const name = (context.perConnection.servername ?? target.host).replace(/\.$/, '');
  return {
    ...context.perConnection,
    host: target.address,
    port: target.port,
    secureContext: context.secureContext,
    rejectUnauthorized: context.rejectUnauthorized,
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_, certificate) => (checkHostname ? identityProblem(name, certificate) : undefined),
  };
}

function identityProblem(name: string, certificate: PeerCertificate): Error | undefined {
  // Node 22.23, 24.17 and 26.4 do not find IPv6 addresses in a certificate (nodejs/node#64144). OpenSSL does.
  if (isIPv6(name) && new X509Certificate(certificate.raw).checkIP(name) !== undefined) return undefined;
  return checkServerIdentity(name, certificate);
}

function follow(socket: TLSSocket, stage: TlsStage): void {
  socket.once('connect', () => {
    stage.isConnected = true;
  });
  socket.once('secureConnect', () => {
    stage.isSecure = true;
    stage.protocol = socket.getProtocol() ?? undefined;
  });
}

/** With TLS 1.3 the client's handshake ends before the broker has checked the client's certificate. The broker's first byte shows that it has accepted it. */
function watched(events: TransportEvents, stage: TlsStage): TransportEvents {
  return {
    onConnect: () => events.onConnect(),
    memoryForRead: () => events.memoryForRead(),
    onRead: (memory, byteCount) => {
      stage.hasRead = true;
      return events.onRead(memory, byteCount);
    },
    onDrain: () => events.onDrain(),
    onClose: (error) => events.onClose(stage.hasRead ? error : tlsFailure(error, stage)),
  };
}
