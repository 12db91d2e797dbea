/** Counts rejections by reason, without any content, for the host's page and the metrics. */
import { REASONS, type Reason } from '../../../shared/protocol/reasons.ts';

/** Reasons that are not sent to the client, because it could not or would not read them. */
const SILENT = [
  /** Not a valid packet; the connection was closed. */
  'malformed',
  /** A message over `maxMessageBytes`; the connection was closed. */
  'too-large',
  /** More bytes a second than allowed; the connection was closed. */
  'too-much-data',
  /** The client did not read what it was sent; the connection was closed. */
  'does-not-read',
  /** A silent or idle HTTP connection was closed to make room for another one. */
  'idle-connection',
  /** Too many unfinished responses on one HTTP connection; it was closed. */
  'too-many-requests',
  /** More pings, pongs and fragments a second than allowed; the connection was closed. */
  'too-many-frames',
  /**
   * A message of more fragments, or a frame of more pieces, than allowed; the connection was
   * closed.
   */
  'too-many-fragments',
  /** Too many HTTP requests from one address; answered with status 429. */
  'too-many-fetches',
  /** Invalid HTTP, or an invalid upgrade. */
  'bad-handshake',
  /** For a host that is not allowed; answered with status 421. */
  'wrong-host',
  /** The handshake took too long. */
  'slow-handshake',
  /** OSC from an address that is not allowed. */
  'wrong-sender',
] as const;

/** All reasons that are counted. */
export type RejectionReason = Reason | (typeof SILENT)[number];

/** The rejections since the start of the server. */
export class RejectionCounts {
  private readonly counts = Object.fromEntries(
    [...REASONS, ...SILENT].map((reason) => [reason, 0]),
  ) as Record<RejectionReason, number>;

  /** Counts one rejection. */
  count(reason: RejectionReason): void {
    this.counts[reason]++;
  }

  /** A copy of the counts, with an entry for every reason. */
  totals(): Readonly<Record<RejectionReason, number>> {
    return { ...this.counts };
  }
}
