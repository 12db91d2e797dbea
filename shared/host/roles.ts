/**
 * What programs may do with an access token. Each role may also do what the roles before it may;
 * `host` may do everything but sign in.
 */
export const ROLES = ['observer', 'operator', 'host'] as const;
export type Role = (typeof ROLES)[number];

/** Calls and files, by name, for which a token of a lesser role than `host` is enough. */
const LESSER: Readonly<Record<Exclude<Role, 'host'>, readonly string[]>> = {
  observer: ['state', 'gallery', 'statistics', 'picture', 'sign', 'wallFrame', 'logo'],
  operator: [
    ...['pause', 'act', 'presence', 'spotlight', 'farewell', 'stopFarewell', 'reseed'],
    ...['openRoom', 'closeRoom', 'snapshots', 'takeSnapshot', 'snapshotPicture'],
    ...['removeOrganism', 'clearArea'],
    ...['timelapse', 'stopJob', 'job', 'frame', 'showFilm', 'showRoom'],
  ],
};

/** Returns the least role that may make a call or fetch a file. @param name in `CALLS` or `FILES` */
export const roleOf = (name: string): Role =>
  ROLES.find((role) => role !== 'host' && LESSER[role].includes(name)) ?? 'host';
