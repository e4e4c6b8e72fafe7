// Owns the pictures of a soak, memory and the invariant over time: as SVG, and as lines of text. Main thread.

import { type Moments, type SeriesName, series } from './moments.ts';

const [width, height, margin] = [900, 150, 40];
const textColumns = 72;
const levels = '▁▂▃▄▅▆▇█';

const rows = Object.entries(series) as [SeriesName, string][];

export function pictureOf(moments: Moments): string {
  const body = rows.map(([name, title], i) => {
    const plot = plotOf(moments.seconds, moments.values(name), title);
    return `<g transform="translate(0 ${i * height})">${plot}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height * rows.length}" font-family="sans-serif" font-size="12">
${body.join('\n')}
</svg>
`;
}

function plotOf(seconds: readonly number[], values: readonly number[], title: string): string {
  const end = Math.max(1, seconds.at(-1) ?? 1);
  const top = Math.max(1, ...values);
  const x = (second: number): number => margin + (second / end) * (width - 2 * margin);
  const y = (value: number): number => height - margin / 2 - (value / top) * (height - margin);
  const points = values.map((value, i) => `${x(seconds[i]!).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return `<text x="${margin}" y="14">${title}: 0 to ${numberText(top)}, ${Math.round(end)} s</text><polyline fill="none" stroke="#2a6" points="${points}"/>`;
}

/** One line for each, from its lowest to its highest value. A column is the highest value of its time. */
export function textPictureOf(moments: Moments): string {
  return rows.map(([name, title]) => lineOf(moments.values(name), title)).join('\n');
}

function lineOf(values: readonly number[], title: string): string {
  const columns = Math.min(textColumns, values.length);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  let line = '';
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / columns));
    const value = Math.max(...values.slice(from, to));
    line += levels[high === low ? 0 : Math.round(((value - low) / (high - low)) * (levels.length - 1))];
  }
  return `${title}: ${numberText(low)} to ${numberText(high)}\n  ${line}`;
}

const numberText = (value: number): string => String(Math.round(value * 10) / 10);
