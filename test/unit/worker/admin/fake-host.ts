// Owns a network thread's insides as administration calls see them: brokers that answer by script, and a clock that tests move.

import { NodeNotReadyError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';
import { AdminRole } from '../../../../src/worker/admin/admin-role.ts';
import { Call } from '../../../../src/worker/admin/call.ts';
import type { BrokerRequest, BrokerRequests, Destination } from '../../../../src/worker/client/broker-requests.ts';
import type { ClusterView } from '../../../../src/worker/client/cluster-view.ts';
import { saltPassword } from '../../../../src/worker/sasl/salted-password.ts';

export interface Asked {
  readonly brokerId: number;
  readonly api: string;
  readonly request: unknown;
  readonly atMs: number;
}

/** An answer as the API's response object, or what the request failed with. */
export type Reply = { readonly response: object; readonly version?: number } | { readonly error: Error };

export class FakeHost {
  readonly asked: Asked[] = [];
  readonly role: AdminRole;
  now = 1000;
  /** Called for each request. */
  reply: (asked: Asked, request: BrokerRequest) => Reply = () => ({ error: new NodeNotReadyError('no script') });
  isReady: (to: Destination) => boolean = () => true;
  updatesAsked = 0;

  constructor() {
    const requests: Partial<BrokerRequests> = {
      isReady: (to) => this.isReady(to),
      readyAt: (to, now) => (this.isReady(to) ? now : Number.POSITIVE_INFINITY),
      lastError: () => null,
      send: (request, now) => this.#send(request as unknown as BrokerRequest, now),
    };
    const cluster: Partial<ClusterView> = {
      requestUpdate: () => {
        this.updatesAsked++;
      },
    };
    this.role = new AdminRole(
      {
        requests: requests as BrokerRequests,
        cluster: cluster as ClusterView,
        wake: () => {},
        random: () => 0.5,
        wallClock: () => 0,
      },
      this.now,
    );
  }

  call(timeoutMs = 10_000, isByControllers = false): Call {
    return new Call(this.role, {
      name: 'testCall',
      timeoutMs,
      requestTimeoutMs: 3000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1000,
      saltPassword,
      isByControllers,
    });
  }

  /** Runs turns, and moves the clock to what is waited for, until `work` is settled. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = work.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    for (let turn = 0; !isSettled; turn++) {
      if (turn > 10_000) throw new Error('the call goes on and on');
      for (let i = 0; i < 20; i++) await Promise.resolve();
      if (isSettled) break;
      this.role.poll(this.now);
      for (let i = 0; i < 20; i++) await Promise.resolve();
      if (isSettled) break;
      const next = this.role.nextDeadline(this.now);
      if (Number.isFinite(next) && next > this.now) this.now = next;
    }
    return settled;
  }

  #send(request: BrokerRequest, now: number): void {
    const asked = { brokerId: request.to.brokerId, api: request.api.name, request: request.request, atMs: this.now };
    this.asked.push(asked);
    const reply = this.reply(asked, request);
    checkEncodes(request, 'error' in reply ? undefined : reply.version);
    // Made at once, so that a script that cannot be written fails the call.
    const response = 'error' in reply ? null : viewOf(request.api, reply.response);
    queueMicrotask(() => {
      if ('error' in reply) request.onFailure(reply.error, now);
      else request.onResponse(response, reply.version ?? request.api.maxVersion, now, () => {});
    });
  }
}

/** Fails for a request that the version, or each end of the range that is asked for, cannot carry. */
function checkEncodes({ api, request, minVersion, maxVersion }: BrokerRequest, answered?: number): void {
  const codec = wireCodec(api.key);
  const top = maxVersion ?? (api.latestVersionUnstable ? api.maxVersion - 1 : api.maxVersion);
  for (const version of answered === undefined
    ? [top, Math.max(minVersion ?? api.minVersion, api.minVersion)]
    : [answered]) {
    if (answered === undefined && version !== top && minVersion === undefined) continue;
    const memory = new HeapMemory(4096);
    const writer = new FlatWriter().reset(memory);
    api.writeRequest(writer, request as never);
    const byteLength = writer.finish();
    const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
    codec.encodeRequest(message, new WireWriter(), version, {});
  }
}

function viewOf(api: Api<never, unknown>, response: object): unknown {
  const memory = new HeapMemory(4096);
  const writer = new FlatWriter().reset(memory);
  api.writeResponse(writer, response as never);
  const byteLength = writer.finish();
  return api.readResponse(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }));
}
