// Owns administration calls about SCRAM users. Network thread. Source: KIP-554, RFC 5802

import { randomBytes } from 'node:crypto';
import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { ScramCredential, ScramMechanism } from '../../../common/admin/security.ts';
import { AlterUserScramCredentials, DescribeUserScramCredentials } from '../../../protocol/flat/generated/apis.ts';
import { type Call, someBroker } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { codesOf } from '../named-codes.ts';
import { atController } from '../routes.ts';
import { askAnyBroker } from '../whole.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

const mechanisms = codesOf<ScramMechanism>({ 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 });
const hashes = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const;
/** The least number that brokers accept. */
const defaultIterations = 4096;
const saltBytes = 24;

/** @returns the credentials of each user that has any; with `users`, also the error for a user without credentials */
export async function describeUserScramCredentials(
  call: Call,
  { users }: Args<'describeUserScramCredentials'>,
): Promise<PlainResults<string, readonly ScramCredential[]>> {
  const answers = async (names: readonly string[] | null): Promise<Map<string, Answer<readonly ScramCredential[]>>> => {
    const request = { users: names === null ? null : names.map((name) => ({ name })) };
    const { response } = await askAnyBroker(call, DescribeUserScramCredentials, request);
    return new Map(
      response.results.map((result) => {
        const readCredentials = (): readonly ScramCredential[] =>
          result.credentialInfos.map(({ mechanism, iterations }) => ({
            mechanism: mechanisms.name(mechanism),
            iterations,
          }));
        return [result.user, answerOf(result, readCredentials)];
      }),
    );
  };
  const known = users ?? [...(await answers(null)).keys()];
  return askForItems(call, known, {
    target: 'any',
    isChange: false,
    locate: async (keys) => ({ groups: [{ to: someBroker, keys }] }),
    ask: (_to, keys) => answers(keys),
  });
}

export async function alterUserScramCredentials(
  call: Call,
  { alterations }: Args<'alterUserScramCredentials'>,
): Promise<PlainResults<string, null>> {
  const upsertions = await Promise.all(
    alterations.flatMap((alteration) => ('password' in alteration ? [salted(call, alteration)] : [])),
  );
  const deletions = alterations.flatMap((alteration) =>
    'password' in alteration ? [] : [{ name: alteration.user, mechanism: mechanisms.code(alteration.mechanism) }],
  );
  const users = [...new Set(alterations.map(({ user }) => user))];
  return askForItems<string, null>(call, users, {
    target: 'controller',
    isChange: true,
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const names = new Set(keys);
      const isWanted = ({ name }: { readonly name: string }): boolean => names.has(name);
      const request = { deletions: deletions.filter(isWanted), upsertions: upsertions.filter(isWanted) };
      const { response } = await call.send(to, AlterUserScramCredentials, request);
      return new Map(response.results.map((result) => [result.user, answerOf(result, () => null)]));
    },
  });
}

interface Upsertion {
  readonly user: string;
  readonly mechanism: ScramMechanism;
  readonly password: string;
  readonly iterations?: number;
}

async function salted({ settings }: Call, { user, mechanism, password, iterations = defaultIterations }: Upsertion) {
  const salt = randomBytes(saltBytes);
  const saltedPassword = await settings.saltPassword({ hash: hashes[mechanism], password, salt, iterations });
  return { name: user, mechanism: mechanisms.code(mechanism), iterations, salt, saltedPassword };
}
