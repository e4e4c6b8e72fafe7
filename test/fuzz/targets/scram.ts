// Gives changed messages of a server to SCRAM. A login succeeds only when the server has proved that it knows the password.

import { Scram } from '../../../src/worker/sasl/scram.ts';
import { ScramServer } from '../../helpers/sasl-server.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const none = Buffer.alloc(0);
const password = 'a password';
/** Salting is slow on purpose, and what is salted is not what is tested here. */
const salted = async (): Promise<Buffer> => Buffer.alloc(32, 7);

export const scram: FuzzTarget = {
  name: 'scram',
  share: 20,

  async prepare() {},

  async run(random, input) {
    const mechanism = new Scram({ hash: 'sha256', username: 'alice', password, isDelegationToken: false, salted });
    const clientFirst = (await mechanism.respond(none))!.toString();
    const server = new ScramServer('sha256', clientFirst);
    const first = mutated(Buffer.from(server.first), random);
    input.note('server-first', first);
    if ((await mechanism.respond(first)) === null)
      throw new BrokenRule('the login ended before the server proved itself');
    const final = mutated(Buffer.from(`v=${Buffer.alloc(32, random.below(256)).toString('base64')}`), random);
    input.note('server-final', final);
    await mechanism.respond(final);
    throw new BrokenRule('the login succeeded without proof');
  },
};
