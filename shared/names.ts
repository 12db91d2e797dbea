/** Maximum length of visitors' names, and the names of planters that are not people. */

/** Maximum length of a name, in code points. */
export const MAX_NAME_LENGTH = 24;

/** Name of the gardener (an automatic participant) as the planter of organisms. */
export const GARDENER_NAME = 'The gardener';

/** Name of the planter of all seeds that OSC messages plant. */
export const OSC_NAME = 'The house';

/**
 * Names of planters that are not people. Visitors cannot take these names. They can therefore be
 * shown even while visitors' names are hidden.
 */
export const BUILT_IN_NAMES: readonly string[] = [GARDENER_NAME, OSC_NAME];
