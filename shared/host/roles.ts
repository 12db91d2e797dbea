/**
 * Roles of access tokens, beginning with the role that has the fewest permissions. Each role has
 * all permissions of the previous roles. `host` may do everything except sign in.
 */
export const ROLES = ['observer', 'operator', 'host'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Names of the calls and files for which a role below `host` is sufficient, grouped by the lowest
 * sufficient role.
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
