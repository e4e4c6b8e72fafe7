// Owns the parsing of ISO 8601 durations in the form of Java's by_duration: days, hours, minutes, seconds. Every thread.

const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i;

/** The duration in ms. Null if the text is not such a duration, or if the number would not be exact. Years and months have no fixed length. */
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
