// Progress at terminals of any width, and where there is none.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Progress } from '../../../src/cli/io/progress.ts';

class FakeTerminal {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  text = '';

  constructor(columns: number | null) {
    this.isTTY = columns !== null;
    this.columns = columns ?? undefined;
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

async function worked(terminal: FakeTerminal): Promise<void> {
  const progress = await Progress.open(terminal as unknown as NodeJS.WriteStream);
  progress.begin('produce');
  for (let i = 0; i < 20; i++) progress.update({ share: i / 20, bytes: i * 1_000_000, records: i * 1000 });
  progress.end({ share: 1, bytes: 20_000_000, records: 20_000 });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these control the terminal
const escapes = /\u001b(\[[0-9;?]*[A-Za-z]|[78])/g;

describe('progress', () => {
  for (const columns of [10, 20, 40, 79, 80, 200]) {
    test(`stays in one line of a terminal with ${columns} columns`, async () => {
      const terminal = new FakeTerminal(columns);
      await worked(terminal);
      const drawn = terminal.text.replaceAll('\u001b[1G', '\r').replaceAll(escapes, '');
      for (const line of drawn.split(/[\r\n]/)) assert.ok(line.length < columns, `${line.length}: '${line}'`);
      assert.equal(terminal.text.split('\n').length, 2, 'one line break, at the end');
      assert.match(drawn, /produce/);
    });
  }

  test('shows everything on a wide terminal, with a bar', async () => {
    const terminal = new FakeTerminal(200);
    await worked(terminal);
    assert.match(terminal.text, /\[#+\] +100 % +20\.0 MB .*20,000 records/);
  });

  test('a line that is said meanwhile has a line of its own, and the bar goes on below it', async () => {
    const terminal = new FakeTerminal(80);
    const progress = await Progress.open(terminal as unknown as NodeJS.WriteStream);
    progress.begin('faults');
    progress.update({ share: 0.5, records: 10 });
    progress.say('rest at 60 s');
    const [, below] = terminal.text.split('\u001b[Krest at 60 s\n');
    assert.match(below!.replaceAll(escapes, ''), /^faults +\[#+-+\] +50 % +10 records/);
    progress.end({ share: 1, records: 20 });
    assert.equal(terminal.text.split('\n').length, 3);
  });

  test('bytes that nobody counts are not shown', async () => {
    const terminal = new FakeTerminal(null);
    const progress = await Progress.open(terminal as unknown as NodeJS.WriteStream);
    progress.begin('faults');
    progress.end({ share: 1, records: 20 });
    assert.match(terminal.text, /^faults +100 % +20 records +[\d,]+ records\/s\n$/);
  });

  test('is some plain lines without a terminal', async () => {
    const terminal = new FakeTerminal(null);
    await worked(terminal);
    const lines = terminal.text.split('\n').slice(0, -1);
    assert.ok(lines.length >= 3 && lines.length <= 6, terminal.text);
    assert.ok(!terminal.text.includes('\u001b') && !terminal.text.includes('\r'));
    assert.match(lines.at(-1)!, /^produce +100 %/);
  });
});
