/**
 * Roles of access tokens, from the fewest to the most permissions. Each role includes the
 * permissions of the roles before it.
 */
export const ROLES = ['observer', 'operator', 'host'] as const;
export type Role = (typeof ROLES)[number];

/**
 * The calls and files that roles below `host` may use. Each name is listed only under the lowest
 * role that may use it.
 */
const LESSER: Readonly<Record<Exclude<Role, 'host'>, readonly string[]>> = {
  observer: ['state', 'gallery', 'statistics', 'picture', 'sign', 'wallFrame', 'logo'],
  operator: [
    ...['pause', 'act', 'presence', 'spotlight', 'farewell', 'stopFarewell', 'reseed'],
    ...['openRoom', 'closeRoom', 'snapshots', 'takeSnapshot', 'snapshotPicture'],
    ...['removeOrganism', 'clearArea'],
    ...['timelapse', 'stopJob', 'job', 'frame', 'showFilm', 'showRoom'],
  ],
};

/**
 * Returns the lowest role that may use a call or file.
 *
 * @param name key of `CALLS` or `FILES`
 */
export const roleOf = (name: string): Role =>
  ROLES.find((role) => role !== 'host' && LESSER[role].includes(name)) ?? 'host';
