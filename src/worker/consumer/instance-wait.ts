// Owns for how long a static member of KIP-848 asks for its instance id while another member holds it: until the session of a holder that is
// gone must be over. How long that is only brokers know. Network thread. Must not join. Source: KIP-345, KIP-848, protocol guide, DescribeConfigs.

import { errorFor, UnsupportedVersionError } from '../../common/errors/errors.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { DescribeConfigs } from '../../protocol/flat/generated/apis.ts';
import type { DescribeConfigsResponseView } from '../../protocol/flat/generated/describe-configs.ts';
import type { Destination } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { codes } from './codes.ts';

const groupResource = 32;
const sessionKey = 'consumer.session.timeout.ms';
/** The longest session of a group, unless `group.consumer.max.session.timeout.ms` of the brokers says otherwise. */
const usualMaxSessionMs = 60_000;
/** A broker notices the end of a session a little late, and writes it to its log before the instance id is free. */
const marginMs = 5000;

export interface InstanceWaitSettings {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly requestTimeoutMs: number;
}

export class InstanceWait {
  readonly #host: Pick<RoleHost, 'requests'>;
  readonly #settings: InstanceWaitSettings;
  readonly #log: (level: 'info' | 'warn', text: string) => void;
  /** Null: the brokers have not said it. */
  #sessionMs: number | null = null;
  /** Why they have not; for the log. */
  #whyUnknown = 'they have not answered yet';
  #isAsking = false;
  /** They will not say it. */
  #isRefused = false;
  #since: number | null = null;
  #isSaid = false;
  /** Sessions begin anew when another broker becomes the coordinator. */
  #brokerId = -1;

  constructor(
    host: Pick<RoleHost, 'requests'>,
    settings: InstanceWaitSettings,
    log: (level: 'info' | 'warn', text: string) => void,
  ) {
    this.#host = host;
    this.#settings = settings;
    this.#log = log;
  }

  /**
   * Another member holds the instance id.
   * @param to the coordinator that says so; null if it is not known any more
   * @returns whether to ask again
   */
  goesOn(to: Destination | null, now: number): boolean {
    if (to === null) return true;
    if (to.brokerId !== this.#brokerId) this.restarted();
    this.#brokerId = to.brokerId;
    this.#since ??= now;
    if (this.#sessionMs === null && !this.#isRefused && !this.#isAsking) this.#ask(to, now);
    else if (!this.#isAsking) this.#say();
    return now - this.#since < this.#limitMs;
  }

  /** The coordinator was loading the group: each session begins when that is done. */
  restarted(): void {
    this.#since = null;
    this.#isSaid = false;
  }

  /** The member has the instance id. */
  over(now: number): void {
    if (this.#since === null) return;
    this.#log('info', `instance id '${this.#settings.instanceId}' was free after ${Math.round(now - this.#since)} ms`);
    this.restarted();
  }

  /** What to do about an instance id that is never free; for the error. */
  get help(): string {
    const { instanceId } = this.#settings;
    return `another member has held the instance id '${instanceId}' for longer than ${this.#limitText}: each process needs a groupInstanceId of its own`;
  }

  get #limitMs(): number {
    return (this.#sessionMs ?? usualMaxSessionMs) + marginMs;
  }

  get #limitText(): string {
    if (this.#sessionMs !== null) return `a session of the group lasts (${sessionKey} is ${this.#sessionMs})`;
    return `sessions usually last (${usualMaxSessionMs} ms; brokers did not say ${sessionKey} of the group: ${this.#whyUnknown})`;
  }

  /** Once in each wait. */
  #say(): void {
    if (this.#since === null || this.#isSaid) return;
    this.#isSaid = true;
    const text = `another member holds the instance id '${this.#settings.instanceId}'. If that member has died, brokers free the id when its session is over. This member asks again each second, for no longer than ${this.#limitText}, and ${marginMs} ms`;
    this.#log('warn', text);
  }

  #ask(to: Destination, now: number): void {
    this.#isAsking = true;
    const { groupId, requestTimeoutMs } = this.#settings;
    this.#host.requests.send(
      {
        to,
        api: DescribeConfigs,
        request: {
          resources: [{ resourceType: groupResource, resourceName: groupId, configurationKeys: [sessionKey] }],
        },
        timeoutMs: requestTimeoutMs,
        onResponse: (response) => {
          this.#isAsking = false;
          this.#answered(response!.results);
          this.#say();
        },
        onFailure: (error) => {
          this.#isAsking = false;
          this.#whyUnknown = error.message;
          this.#isRefused = error instanceof UnsupportedVersionError;
        },
      },
      now,
    );
  }

  #answered(results: DescribeConfigsResponseView['results']): void {
    this.#isRefused = true;
    if (results.length === 0) {
      this.#whyUnknown = 'their answer is empty';
      return;
    }
    const { errorCode, errorMessage, configs } = results.at(0);
    if (errorCode !== codes.none) {
      this.#whyUnknown = errorMessage ?? errorFor(errorCode)!.message;
      return;
    }
    const value = [...configs].find(({ name }) => name === sessionKey)?.value ?? '';
    // An int32 in brokers. Anything else, such as Infinity, would be a wait without end.
    const sessionMs = /^\d+$/.test(value) ? Number(value) : 0;
    if (sessionMs > 0 && sessionMs <= maxInt32) this.#sessionMs = sessionMs;
    else this.#whyUnknown = `it is '${value}' in their answer`;
  }
}
