// Owns the drawings of the report: bars and lines, as SVG in the text of the page. Any thread. Must not read files.

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Smallest and largest of the rounds. */
  readonly low: number;
  readonly high: number;
}

export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const colours = [
  '#0b6bcb',
  '#c2410c',
  '#15803d',
  '#7c3aed',
  '#be123c',
  '#0e7490',
  '#a16207',
  '#4b5563',
  '#db2777',
  '#65a30d',
];
const width = 760;

/** Bars from left to right, with the spread of the rounds as a thin line. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const rowHeight = 22;
  const left = 300;
  const right = 110;
  const most = Math.max(...bars.map(({ high }) => high), Number.MIN_VALUE);
  const xOf = (value: number): number => left + (Math.max(0, value) / most) * (width - left - right);
  const rows = bars.map(({ label, value, low, high }, i) => {
    const y = i * rowHeight + 6;
    const colour = i === 0 ? colours[0]! : '#94a3b8';
    const middle = y + 8;
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${round(xOf(value) - left)}" height="15" fill="${colour}"/>`,
      `<line x1="${round(xOf(low))}" x2="${round(xOf(high))}" y1="${middle}" y2="${middle}" stroke="#111"/>`,
      `<text x="${round(xOf(high)) + 6}" y="${y + 12}">${short(value)}</text>`,
    ].join('');
  });
  return svg(title, unit, bars.length * rowHeight + 12, rows.join(''));
}

/** Lines over an axis whose steps are multiples, such as 1, 10, 100. Both axes are logarithmic. */
export function lineChart(title: string, unit: string, axis: string, lines: readonly Line[]): string {
  const height = 280;
  const [left, right, top, bottom] = [70, 240, 10, 40];
  const all = lines.flatMap(({ points }) => points).filter(({ x, y }) => x > 0 && y > 0);
  if (all.length === 0) return '';
  const [xs, ys] = [all.map(({ x }) => Math.log10(x)), all.map(({ y }) => Math.log10(y))];
  const [minX, maxX, minY, maxY] = [
    Math.min(...xs),
    Math.max(...xs),
    Math.floor(Math.min(...ys)),
    Math.ceil(Math.max(...ys)),
  ];
  const xOf = (x: number): number =>
    round(left + ((Math.log10(x) - minX) / (maxX - minX || 1)) * (width - left - right));
  const yOf = (y: number): number =>
    round(height - bottom - ((Math.log10(y) - minY) / (maxY - minY || 1)) * (height - top - bottom));
  const parts: string[] = [];
  for (let power = minY; power <= maxY; power++) {
    const y = yOf(10 ** power);
    parts.push(`<line x1="${left}" x2="${width - right}" y1="${y}" y2="${y}" stroke="#e2e8f0"/>`);
    parts.push(`<text x="${left - 6}" y="${y + 4}" text-anchor="end">${short(10 ** power)}</text>`);
  }
  for (const x of new Set(all.map((point) => point.x))) {
    parts.push(`<text x="${xOf(x)}" y="${height - bottom + 16}" text-anchor="middle">${short(x)}</text>`);
  }
  parts.push(`<text x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${escaped(axis)}</text>`);
  lines.forEach(({ label, points }, i) => {
    const colour = colours[i % colours.length]!;
    const drawn = points.filter(({ x, y }) => x > 0 && y > 0);
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${drawn.map(({ x, y }) => `${xOf(x)},${yOf(y)}`).join(' ')}"/>`,
      ...drawn.map(
        ({ x, y }) =>
          `<circle cx="${xOf(x)}" cy="${yOf(y)}" r="3" fill="${colour}"><title>${short(y)}</title></circle>`,
      ),
      `<text x="${width - right + 12}" y="${top + 14 + i * 18}" fill="${colour}">${escaped(label)}</text>`,
    );
  });
  return svg(title, unit, height, parts.join(''));
}

function svg(title: string, unit: string, height: number, content: string): string {
  const head = `<figcaption>${escaped(title)}, ${escaped(unit)}</figcaption>`;
  return `<figure>${head}<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img">${content}</svg></figure>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** `1.2 M` and `15 k` for large numbers. */
export function short(value: number): string {
  const steps = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const;
  for (const [size, letter] of steps) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${letter}`;
  }
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
