/** Names of the keys in Valkey. */

const PREFIX = 'vivarium:';

/**
 * A hash of a room: `epoch`, `renewals`, number of its `last` write, epoch that was `released`, `bytes`.
 */
export const fenceKey = (room: string): string => `${PREFIX}fence:${room}`;
/** Who has a room's lease; it expires. */
export const leaseKey = (room: string): string => `${PREFIX}lease:${room}`;
/** Who a room has been given to; it expires. */
export const heirKey = (room: string): string => `${PREFIX}heir:${room}`;
/** A set of the processes. */
export const NODES_KEY = `${PREFIX}nodes`;
/** What precedes the name of a process that has reported lately; it expires. */
export const NODE_PREFIX = `${PREFIX}node:`;
/** A sorted set of the records' keys. */
export const INDEX_KEY = `${PREFIX}index`;
/** What precedes a record's key. */
export const RECORD_PREFIX = `${PREFIX}record:`;
/** The same for what is kept apart from the records. */
export const APART_PREFIX = `${PREFIX}apart:`;
/** What precedes the name of a part that nobody reads yet; it expires. */
export const PART_PREFIX = `${PREFIX}part:`;
/** Bytes of all records. */
export const BYTES_KEY = `${PREFIX}bytes`;
/** The largest number that has been reserved for the items of a list. */
export const numbersKey = (list: string): string => `${PREFIX}numbers:${list}`;
/** Signs the resume tokens of all processes. */
export const SECRET_KEY = `${PREFIX}secret`;
