// Owns the watch over every client that this thread opens: each request, and each record of a producer that is awaited, is settled
// once, and a client that is closed has nothing left. Test thread. It changes methods of the client's classes. Must not keep a
// client from being collected.

import { ClientRoles } from '../../../src/main/client/client-roles.ts';
import { Session } from '../../../src/main/client/session.ts';
import { InFlight } from '../../../src/main/link/in-flight.ts';
import { ResponseAdapter } from '../../../src/main/link/response-adapter.ts';
import { Deliveries } from '../../../src/main/producer/deliveries.ts';
import { ProducerSession } from '../../../src/main/producer/producer-session.ts';
import { Account } from './account.ts';

export interface WatchedClient {
  /** What is wrong with it if nothing changes any more. It may only be under way. */
  problems(): string[];
  /** Whether it is closed or lost. A client that was collected is. */
  readonly isClosed: boolean;
  /** Whether nobody has it any more, or it was told of. */
  readonly isCollected: boolean;
  /** Its problems were told: later tests must not fail because of them. */
  toldOf(): void;
}

let clients: Client[] = [];
const requestAccounts = new WeakMap<InFlight, RequestAccount>();
const recordAccounts = new WeakMap<Deliveries, Account>();
let lastAdapter: ResponseAdapter | null = null;

/** Begins the watch. */
export function watchClients(): void {
  watchRequests();
  watchRecords();
  const { listen } = ResponseAdapter.prototype;
  ResponseAdapter.prototype.listen = function () {
    lastAdapter = this;
    listen.call(this);
  };
  const { watch } = Session.prototype;
  Session.prototype.watch = function (client) {
    clients.push(new Client(this, lastAdapter!));
    lastAdapter = null;
    watch.call(this, client);
  };
}

/** Clients that somebody has, closed or not. */
export function watchedClients(): readonly WatchedClient[] {
  clients = clients.filter((client) => !client.isCollected);
  return clients;
}

/** Requests of one client. */
class RequestAccount extends Account {
  /** Requests that this thread itself has settled. The network thread may answer each of them once more. */
  settledHere = 0;
}

class Client implements WatchedClient {
  readonly #session: WeakRef<Session>;
  readonly #adapter: WeakRef<ResponseAdapter>;
  readonly #requests: RequestAccount;
  readonly #producers: WeakRef<ProducerSession>[] = [];
  #isToldOf = false;

  constructor(session: Session, adapter: ResponseAdapter) {
    this.#session = new WeakRef(session);
    this.#adapter = new WeakRef(adapter);
    this.#requests = new RequestAccount();
    requestAccounts.set(session.inFlight, this.#requests);
    producersOf.set(session.roles, this.#producers);
  }

  get isCollected(): boolean {
    return this.#isToldOf || this.#session.deref() === undefined;
  }

  toldOf(): void {
    this.#isToldOf = true;
  }

  get isClosed(): boolean {
    return this.#session.deref()?.isClosed ?? true;
  }

  problems(): string[] {
    const session = this.#session.deref();
    if (session === undefined)
      return this.#requests.open === 0 ? [] : [`requests of a dropped client: ${this.#requests}`];
    return [...this.#problemsOfRequests(session), ...this.#problemsOfLinks(session), ...this.#problemsOfProducers()];
  }

  #problemsOfRequests(session: Session): string[] {
    const requests = this.#requests;
    const isEven = requests.open === session.inFlight.size && (!session.isClosed || requests.open === 0);
    const problems = isEven ? [] : [`requests: ${requests}; the client counts ${session.inFlight.size} open`];
    const late = this.#adapter.deref()?.lateResponses ?? 0;
    if (late > requests.settledHere)
      problems.push(`${late} answers to requests that were settled, but this thread settled ${requests.settledHere}`);
    return problems;
  }

  /** When nothing is under way, the memory of both links is free. What a closed client has not read is gone with it. */
  #problemsOfLinks(session: Session): string[] {
    if (session.isClosed || this.#requests.open > 0) return [];
    const { requests, responses } = session.thread.end;
    const used = {
      'ring of requests': requests.usedBytes,
      'spill budget of requests': requests.spilledBytesOutstanding,
      'ring of responses': responses.usedBytes,
      'spill budget of responses': responses.spilledBytesOutstanding,
    };
    return Object.entries(used).flatMap(([what, bytes]) =>
      bytes === 0 ? [] : [`${bytes} bytes of the ${what} are used`],
    );
  }

  #problemsOfProducers(): string[] {
    return this.#producers.flatMap((reference) => {
      const producer = reference.deref();
      return producer === undefined ? [] : problemsOfProducer(producer);
    });
  }
}

const producersOf = new WeakMap<ClientRoles, WeakRef<ProducerSession>[]>();

function problemsOfProducer(producer: ProducerSession): string[] {
  const problems: string[] = [];
  const account = recordAccounts.get(producer.deliveries);
  const isOver = producer.refusal !== null && !producer.deliveries.isBusy;
  if (isOver && account !== undefined && account.open > 0) problems.push(`awaited records: ${account}`);
  const acknowledged = producer.counters.get('acknowledged');
  const failed = producer.counters.get('failed');
  if (acknowledged + failed > producer.appended)
    problems.push(`records: appended ${producer.appended}, acknowledged ${acknowledged}, failed ${failed}`);
  return problems;
}

function watchRequests(): void {
  const { add, take, takeAll, giveUp } = InFlight.prototype;
  InFlight.prototype.add = function (request) {
    add.call(this, request);
    requestAccounts.get(this)?.take(request.future);
  };
  InFlight.prototype.take = function (requestId) {
    const request = take.call(this, requestId);
    const account = requestAccounts.get(this);
    // The application has settled the Future itself, or has given the request up, which is counted there.
    if (account !== undefined && request?.future.isDone === true) account.settledHere++;
    return request;
  };
  InFlight.prototype.takeAll = function (nodeId) {
    const requests = takeAll.call(this, nodeId);
    const account = requestAccounts.get(this);
    if (account !== undefined) account.settledHere += requests.length;
    return requests;
  };
  InFlight.prototype.giveUp = function (requestId) {
    giveUp.call(this, requestId);
    const account = requestAccounts.get(this);
    if (account !== undefined) account.settledHere++;
  };
}

function watchRecords(): void {
  const { addRecord, addGroup } = Deliveries.prototype;
  const accountOf = (deliveries: Deliveries): Account => {
    const account = recordAccounts.get(deliveries) ?? new Account();
    recordAccounts.set(deliveries, account);
    return account;
  };
  Deliveries.prototype.addRecord = function (trackId, record) {
    addRecord.call(this, trackId, record);
    accountOf(this).take(record.future);
  };
  Deliveries.prototype.addGroup = function (trackId, future) {
    addGroup.call(this, trackId, future);
    accountOf(this).take(future);
  };
  const { addRole } = ClientRoles.prototype;
  ClientRoles.prototype.addRole = function (role) {
    addRole.call(this, role);
    if (role instanceof ProducerSession) producersOf.get(this)?.push(new WeakRef(role));
  };
}
