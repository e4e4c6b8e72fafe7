// Owns the reading of a CPU profile that Node has written: the time of each function itself. Any thread.

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * Lines of the dearest functions: share of the thread's busy time, name, place.
 * @param lastMs  of the profile. What was before, such as the start, does not count
 */
export function dearestFunctions(text: string, count: number, lastMs: number): string {
  const { nodes, samples, timeDeltas } = JSON.parse(text) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  let all = 0;
  let leftUs = timeDeltas.reduce((sum, us) => sum + us, 0);
  samples.forEach((id, i) => {
    const name = names.get(id)!;
    const us = timeDeltas[i]!;
    leftUs -= us;
    if (leftUs > lastMs * 1000) return;
    all += us;
    if (name === '(idle)') return;
    busy += us;
    times.set(name, (times.get(name) ?? 0) + us);
  });
  const sorted = [...times].sort((a, b) => b[1] - a[1]).slice(0, count);
  const lines = sorted.map(([name, us]) => `${((us / busy) * 100).toFixed(1).padStart(5)} %  ${name}`);
  return [`busy ${(busy / 1000).toFixed(0)} ms of ${(all / 1000).toFixed(0)} ms`, ...lines, ''].join('\n');
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  // Idle, garbage collector, program.
  if (url === '' && functionName.startsWith('(')) return functionName;
  const file = url.replace(/^.*\/(build\/)?(src|bench|dist|node_modules)\//, '$2/');
  return `${functionName === '' ? '(anonymous)' : functionName}  ${file}${url === '' ? '' : `:${lineNumber + 1}`}`;
}
