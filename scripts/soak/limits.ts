// Owns the limits that both processes of a soak know.

/**
 * Of both groups. A member whose leave was lost keeps its partitions for so long: readers fall behind by that time at least, and must have
 * caught up within a rest.
 */
export const sessionTimeoutMs = 15_000;
