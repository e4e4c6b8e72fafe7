// Owns how sockets are made with the configured options. Node sets no-delay and keep-alive. The optional package `koffi` sets
// all others, before the socket connects. Network thread. Must not choose options.

import { connect, isIPv6, type OnReadOpts, Socket } from 'node:net';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import { isKeepAlive, isNoDelay, type ResolvedOption, resolveOption } from '../../common/config/socket-options.ts';
import { KafkaConfigurationError } from '../../common/errors/errors.ts';
import { requireFrom } from '../../common/require-from.ts';

export type SocketConfig = Pick<KafkaClientConfig, 'socketOptions' | 'receiveBufferBytes' | 'sendBufferBytes'>;

/** The options that Node sets. */
export interface NodeOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
}

const keepAliveInitialDelay = 60_000;

export function socketOptionsOf(config: SocketConfig): { byNode: NodeOptions; native: readonly ResolvedOption[] } {
  const buffers = [
    ['SO_RCVBUF', config.receiveBufferBytes],
    ['SO_SNDBUF', config.sendBufferBytes],
  ] as const;
  const given = [
    ...(config.socketOptions ?? []),
    // These come last, so they overrule the same options above.
    ...buffers.flatMap(([name, bytes]) => (bytes === null ? [] : [['SOL_SOCKET', name, bytes] as const])),
  ].map(resolveOption);
  return {
    byNode: {
      noDelay: (given.findLast(isNoDelay)?.value ?? 1) !== 0,
      keepAlive: (given.findLast(isKeepAlive)?.value ?? 1) !== 0,
      keepAliveInitialDelay,
    },
    native: given.filter((option) => !isNoDelay(option) && !isKeepAlive(option)),
  };
}

/** Opens sockets; `onread` as for `net.connect`. */
export type Dial = (address: string, port: number, onread?: OnReadOpts) => Socket;

export function dialWithNode(byNode: NodeOptions): Dial {
  return (host, port, onread) => connect({ host, port, ...byNode, ...(onread !== undefined && { onread }) });
}

/** Throws KafkaConfigurationError when the package cannot be used, or when the system does not know an option. */
export function dialWithOptions(byNode: NodeOptions, options: readonly ResolvedOption[], load = loadKoffi): Dial {
  const system = loadSystem(load);
  const problems = options.flatMap((option) => system.problemOf(option) ?? []);
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  return (host, port, onread) => {
    const fd = system.open(isIPv6(host) ? inet6 : inet);
    for (const option of options) system.set(fd, option);
    // Without `manualStart`, Node would read from the socket before it is connected.
    const settings = { fd, manualStart: true, ...(onread !== undefined && { onread }) };
    const socket = new Socket(settings);
    socket.setNoDelay(byNode.noDelay);
    socket.setKeepAlive(byNode.keepAlive, byNode.keepAliveInitialDelay);
    return socket.connect({ host, port });
  };
}

// --- system calls of Linux

interface Koffi {
  load(path: null): { func(prototype: string): (...args: unknown[]) => number };
  errno(): number;
}

const inet = 2;
const inet6 = 10;
const streamNonBlockingCloseOnExec = 1 | 0o4000 | 0o2000000;
const require = requireFrom(import.meta.url);

class System {
  readonly #koffi: Koffi;
  readonly #socket: (...args: unknown[]) => number;
  readonly #setsockopt: (...args: unknown[]) => number;
  readonly #close: (...args: unknown[]) => number;

  constructor(koffi: Koffi) {
    const library = koffi.load(null);
    this.#koffi = koffi;
    this.#socket = library.func('int socket(int, int, int)');
    this.#setsockopt = library.func('int setsockopt(int, int, int, const int *, uint32_t)');
    this.#close = library.func('int close(int)');
  }

  /** Makes a socket that is not connected. */
  open(family: number): number {
    const fd = this.#socket(family, streamNonBlockingCloseOnExec, 0);
    if (fd < 0) throw new Error(`no socket can be made: ${this.#reason()}`);
    return fd;
  }

  /** Closes the socket before it throws. */
  set(fd: number, { level, option, value, name }: ResolvedOption): void {
    if (this.#setsockopt(fd, level, option, [value], 4) === 0) return;
    const reason = this.#reason();
    this.#close(fd);
    throw new Error(`socket option ${name} cannot be set to ${value}: ${reason}`);
  }

  /** The option is tried on a socket of each family, because some options exist for one family only. */
  problemOf(option: ResolvedOption): string | null {
    let problem = '';
    for (const family of [inet, inet6]) {
      try {
        const fd = this.open(family);
        this.set(fd, option);
        this.#close(fd);
        return null;
      } catch (error) {
        problem ||= (error as Error).message;
      }
    }
    return problem;
  }

  #reason(): string {
    return process.getBuiltinModule('node:util').getSystemErrorName(-this.#koffi.errno());
  }
}

const loadKoffi = (): unknown => require('koffi');

function loadSystem(load: () => unknown): System {
  const what = 'socketOptions other than no-delay and keep-alive, receiveBufferBytes and sendBufferBytes';
  if (process.platform !== 'linux')
    throw new KafkaConfigurationError(`${what} are set on Linux only, not on ${process.platform}`);
  try {
    return new System(load() as Koffi);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    const reason = isMissing ? 'is not installed: npm install koffi' : `cannot be loaded: ${(cause as Error).message}`;
    throw new KafkaConfigurationError(`${what} need the package 'koffi', which ${reason}`, { cause });
  }
}
