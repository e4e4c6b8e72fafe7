// Owns the reading of ISO 8601 durations as Java's by_duration takes them: days, hours, minutes, seconds. Every thread.

const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i;

/** ms; null for what is no such duration, or one beyond exact numbers. Years, months and weeks have no fixed length. */
export function parseDuration(text: string): number | null {
  const parts = pattern.exec(text);
  if (parts === null || !/\d/.test(text) || /T$/i.test(text)) return null;
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  const ms = Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
  return Number.isSafeInteger(ms) ? ms : null;
}
