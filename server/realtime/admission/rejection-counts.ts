/** Counts everything that was turned away, by reason: what a host sees of who misbehaves, without what they sent. */
import { REASONS, type Reason } from '../../../shared/protocol/reasons.ts';

/** Turned away without a word, since who sent it would not read one. */
const SILENT = [
  /** No packet of ours; the connection was closed. */
  'malformed',
  /** A message over `maxMessageBytes`; the connection was closed. */
  'too-large',
  /** More bytes a second than allowed; the connection was closed. */
  'too-much-data',
  /** More waited to be read than may; the connection was closed. */
  'does-not-read',
  /** More responses of one HTTP connection were unfinished than may be; it was closed. */
  'too-many-requests',
  /** More pings, pongs and fragments a second than allowed; the connection was closed. */
  'too-many-frames',
  /** A message of more fragments, or a frame of more pieces, than allowed; the connection was closed. */
  'too-many-fragments',
  /** More pages and pictures than an address may fetch; HTTP says so. */
  'too-many-fetches',
  /** No HTTP, or an upgrade that is none. */
  'bad-handshake',
  /** Who would not say in time what was wanted. */
  'slow-handshake',
  /** OSC from an address that may not send any. */
  'wrong-sender',
] as const;

export type RejectionReason = Reason | (typeof SILENT)[number];

export class RejectionCounts {
  private readonly counts = Object.fromEntries(
    [...Object.keys(REASONS), ...SILENT].map((reason) => [reason, 0]),
  ) as Record<RejectionReason, number>;

  count(reason: RejectionReason): void {
    this.counts[reason]++;
  }

  /** How many since the start, by reason; every reason is there. */
  totals(): Readonly<Record<RejectionReason, number>> {
    return { ...this.counts };
  }
}
