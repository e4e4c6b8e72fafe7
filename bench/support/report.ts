// Owns the report of a run: one page of HTML with all figures, which needs nothing else to be shown. Main thread. Must not measure.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import { figure, type MissingLine, type SavedRow, type WorkloadFigures, workloadsOf } from './figures.ts';
import { type GoalResult, goalResults } from './goals.ts';
import { type Bar, barChart, escaped, lineChart, short } from './plots.ts';

/** Writes `bench/results/report.html` from lines of JSON. Returns its path. */
export function writeReport(lines: readonly string[]): string {
  const parsed = lines.map((line) => JSON.parse(line) as SavedRow | MissingLine);
  const rows = parsed.filter((row): row is SavedRow => !('missing' in row));
  const missing = parsed.filter((row): row is MissingLine => 'missing' in row);
  const folder = join(projectFolder, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'report.html');
  writeFileSync(file, reportPage(rows, missing));
  return file;
}

export function reportPage(rows: readonly SavedRow[], missing: readonly MissingLine[]): string {
  const workloads = workloadsOf(rows);
  const plain = workloads.filter(({ scale }) => scale === null);
  const environment = rows[0]?.environment ?? {};
  const compared = new Set(plain.flatMap(({ rows: own }) => own));
  const others = rows.filter((row) => !compared.has(row) && row.parameters.scale === undefined);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>offthread-kafka beside other clients</title>
<style>
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; color: #111; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; } td, th { border-bottom: 1px solid #ddd; padding: 2px 8px; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } figure { margin: 1em 0; } figcaption { font-weight: 600; }
svg { font: 12px system-ui, sans-serif; } .no { color: #b91c1c; } .yes { color: #15803d; } .noisy { color: #b45309; }
</style></head><body>
<h1>offthread-kafka beside other clients</h1>
<p>${Object.entries(environment)
    .map(([key, value]) => `${escaped(key)}: ${escaped(String(value))}`)
    .join(' &middot; ')}</p>
<p>Figures are medians of rounds in which every client ran once, each in a process of its own. A ratio is ours divided by theirs, the median of the
ratios of each round. Thin lines in the bars go from the smallest to the largest round.</p>
${missingTable(missing)}
<h2>Goals</h2>
${goalsTable(goalResults(rows))}
<h2>Workloads</h2>
${plain.map(workloadSection).join('\n')}
<h2>Growth</h2>
${scalePlots(workloads)}
<h2>Other figures</h2>
${othersTable(others)}
</body></html>
`;
}

function missingTable(missing: readonly MissingLine[]): string {
  if (missing.length === 0) return '<p>Every client was measured.</p>';
  const reasons = new Map<string, string[]>();
  for (const { missing: client, reason, name } of missing) {
    const key = `${client}\n${reason}`;
    reasons.set(key, [...(reasons.get(key) ?? []), name]);
  }
  const lines = [...reasons].map(([key, names]) => {
    const [client, ...reason] = key.split('\n');
    return `<tr><td>${escaped(client!)}</td><td>${escaped(names.slice(0, 3).join('; '))}${names.length > 3 ? ` and ${names.length - 3} more` : ''}</td><td><details><summary>${escaped(reason[0] ?? '')}</summary><pre>${escaped(reason.join('\n'))}</pre></details></td></tr>`;
  });
  return `<h2>Not measured</h2><table><tr><th>client</th><th>in</th><th>why</th></tr>${lines.join('')}</table>`;
}

function goalsTable(goals: readonly GoalResult[]): string {
  const lines = goals.map(({ what, goal, measured, verdict }) => {
    const cells = [what, goal, measured].map((text) => `<td>${escaped(text)}</td>`).join('');
    return `<tr>${cells}<td class="${verdict === 'yes' ? 'yes' : 'no'}">${escaped(verdict)}</td></tr>`;
  });
  return `<table><tr><th>what</th><th>goal</th><th>measured</th><th>met</th></tr>${lines.join('')}</table>`;
}

function workloadSection({ benchmark, name, clients, rows }: WorkloadFigures): string {
  const metrics = [...new Set([...clients.values()].flatMap((figures) => [...figures.keys()]))];
  const noisy = new Set(rows.flatMap(({ parameters }) => (parameters.noisyRounds as number[] | undefined) ?? [])).size;
  const first = metrics[0]!;
  const bars: Bar[] = [...clients].flatMap(([label, figures]) => {
    const found = figures.get(first);
    if (found === undefined) return [];
    const { value, spread } = found;
    return [{ label, value, low: spread?.[0] ?? value, high: spread?.[2] ?? value }];
  });
  const unit = [...clients.values()][0]!.get(first)!.unit;
  const head = metrics.map((metric) => `<th>${escaped(metric)}</th>`).join('');
  const lines = [...clients].map(([client, figures]) => {
    const cells = metrics.map((metric) => {
      const found = figures.get(metric);
      if (found === undefined) return '<td></td>';
      const { value, ratio, spread } = found;
      const title = spread === null ? '' : ` title="${spread.map(figure).join(' / ')}"`;
      const beside = ratio === 1 ? '' : ` <small>x${figure(ratio)}</small>`;
      return `<td class="number"${title}>${short(value)}${beside}</td>`;
    });
    return `<tr><td>${escaped(client)}</td>${cells.join('')}</tr>`;
  });
  const marked = noisy === 0 ? '' : `<p class="noisy">Other programs were busy in ${noisy} of the rounds.</p>`;
  return `<h3>${escaped(name)} <small>(${escaped(benchmark)})</small></h3>${marked}${barChart(first, unit, bars)}
<details><summary>all figures; the small ratio is ours / theirs</summary><table><tr><th>client</th>${head}</tr>${lines.join('')}</table></details>`;
}

/** One plot for each axis, kind of work and metric. */
function scalePlots(workloads: readonly WorkloadFigures[]): string {
  const plots = new Map<string, { axis: string; unit: string; lines: Map<string, { x: number; y: number }[]> }>();
  const wanted = [
    'recordsPerSecond',
    'megabytesPerSecond',
    'mainThreadMicrosecondsPerRecord',
    'cpuMicrosecondsPerRecord',
    'medianUs',
    'peakMiB',
  ];
  for (const { scale, clients, name } of workloads) {
    if (scale === null) continue;
    for (const [client, figures] of clients) {
      for (const metric of wanted) {
        const found = figures.get(metric);
        if (found === undefined) continue;
        const title = `${name.split(',', 1)[0]}, ${scale.axis}: ${metric}`;
        const plot = plots.get(title) ?? { axis: scale.axis, unit: found.unit, lines: new Map() };
        plots.set(title, plot);
        const points = plot.lines.get(client) ?? [];
        points.push({ x: scale.x, y: found.value });
        plot.lines.set(client, points);
      }
    }
  }
  return [...plots]
    .map(([title, { axis, unit, lines }]) =>
      lineChart(
        title,
        unit,
        axis,
        [...lines].map(([label, points]) => ({ label, points: points.sort((a, b) => a.x - b.x) })),
      ),
    )
    .join('\n');
}

function othersTable(rows: readonly SavedRow[]): string {
  const lines = rows.map(({ benchmark, name, ours, unit, comparison, theirs, ratio }) => {
    const texts = [benchmark, name, `${short(ours)} ${unit}`, comparison, `${short(theirs)} ${unit}`, figure(ratio)];
    return `<tr>${texts.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`;
  });
  return `<table><tr><th>benchmark</th><th>row</th><th>ours</th><th>beside</th><th>theirs</th><th>ratio</th></tr>${lines.join('')}</table>`;
}
