// Owns the limits and the pace that both processes of a soak know.

/**
 * Of both groups. A member whose leave was lost keeps its partitions for so long: readers fall behind by that time at least, and must have
 * caught up within a rest.
 */
export const sessionTimeoutMs = 15_000;

/** The first part of a soak, which no slope is measured of. */
export const warmUpShare = 1 / 3;

/** Faults come so many times as often in the warm-up, and so do clients: V8 compiles what runs rarely only after it ran often. */
export const warmUpSpeed = 4;
