// Owns the picture of a soak: memory and open requests over time, as SVG. Main thread.

import type { Sample } from './memory.ts';

export interface Moment extends Sample {
  readonly open: number;
  readonly missing: number;
}

const [width, height, margin] = [900, 160, 40];

export function pictureOf(moments: readonly Moment[]): string {
  const rows = [
    plot(moments, 'RSS, MiB', (moment) => moment.rssMiB),
    plot(moments, 'heap of the main thread, MiB', (moment) => moment.heapMiB),
    plot(moments, 'requests open', (moment) => moment.open),
    plot(moments, 'records acknowledged and not read yet', (moment) => moment.missing),
  ];
  const body = rows.map((row, i) => `<g transform="translate(0 ${i * height})">${row}</g>`).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height * rows.length}" font-family="sans-serif" font-size="12">
${body}
</svg>
`;
}

function plot(moments: readonly Moment[], title: string, of: (moment: Moment) => number): string {
  const end = Math.max(1, moments.at(-1)?.seconds ?? 1);
  const top = Math.max(1, ...moments.map(of));
  const x = (seconds: number): number => margin + (seconds / end) * (width - 2 * margin);
  const y = (value: number): number => height - margin / 2 - (value / top) * (height - margin);
  const points = moments.map((moment) => `${x(moment.seconds).toFixed(1)},${y(of(moment)).toFixed(1)}`).join(' ');
  return `<text x="${margin}" y="14">${title}: 0 to ${Math.round(top)}, ${Math.round(end)} s</text><polyline fill="none" stroke="#2a6" points="${points}"/>`;
}
