// Owns the pictures of a soak, memory and the invariant over time: as SVG, and as lines of text. Main thread.

/** What Moments have, of any names. */
export interface Pictured {
  readonly titles: Readonly<Record<string, string>>;
  readonly seconds: readonly number[];
  values(name: never): readonly number[];
}

interface Curve {
  readonly title: string;
  readonly seconds: readonly number[];
  readonly values: readonly number[];
}

const [width, height, margin] = [900, 150, 40];
const textColumns = 72;
const levels = '▁▂▃▄▅▆▇█';

export function pictureOf(pictured: readonly Pictured[]): string {
  const curves = curvesOf(pictured);
  const body = curves.map((curve, i) => `<g transform="translate(0 ${i * height})">${plotOf(curve)}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height * curves.length}" font-family="sans-serif" font-size="12">
${body.join('\n')}
</svg>
`;
}

function curvesOf(pictured: readonly Pictured[]): Curve[] {
  return pictured.flatMap((moments) =>
    Object.entries(moments.titles).map(([name, title]) => ({
      title,
      seconds: moments.seconds,
      values: moments.values(name as never),
    })),
  );
}

function plotOf({ title, seconds, values }: Curve): string {
  const end = Math.max(1, seconds.at(-1) ?? 1);
  const top = Math.max(1, ...values);
  const x = (second: number): number => margin + (second / end) * (width - 2 * margin);
  const y = (value: number): number => height - margin / 2 - (value / top) * (height - margin);
  const points = values.map((value, i) => `${x(seconds[i]!).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return `<text x="${margin}" y="14">${title}: 0 to ${numberText(top)}, ${Math.round(end)} s</text><polyline fill="none" stroke="#2a6" points="${points}"/>`;
}

/** One line for each, from its lowest to its highest value. A column is the highest value of its time. */
export function textPictureOf(pictured: readonly Pictured[]): string {
  return curvesOf(pictured).map(lineOf).join('\n');
}

function lineOf({ title, values }: Curve): string {
  if (values.length === 0) return `${title}: never looked at`;
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
