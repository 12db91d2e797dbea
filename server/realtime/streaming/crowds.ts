/** Reduces the traffic of crowded rooms: fewer frames for phones, and less frequent events. */
import { isDue, TIER_NAMES, TIERS, type TierName } from '../../../shared/codec/tiers.ts';
import { CHANNEL_TIERS, type ChannelTier } from './room-encoders.ts';
import type { Viewer } from './viewer-stream.ts';

export const CROWDS = {
  /**
   * When a room reaches `halveFrom` viewers, phones are sent a frame only every second tick, until
   * there are fewer than `halveUntil` viewers.
   */
  halveFrom: 500,
  halveUntil: 400,
  /**
   * From this number of viewers on, only viewers of the tier `full` are sent events in every tick.
   * Other viewers are sent events every second tick.
   */
  eventsFrom: 100,
} as const;

/**
 * Returns whether phones are sent a frame only every second tick.
 *
 * @param isHalved result of the previous call
 */
export const mustHalve = (viewers: number, isHalved: boolean): boolean =>
  viewers >= (isHalved ? CROWDS.halveUntil : CROWDS.halveFrom);

/**
 * Returns the best tier that a viewer may have in a crowded room: `phone` is lowered to `half`
 * (half as many frames), and other tiers stay the same.
 *
 * @param best the best tier that the viewer may have in a room that is not crowded
 */
export function bestTierOfHalved(best: TierName): TierName {
  if (best === 'full') return best;
  return TIER_NAMES[Math.max(TIER_NAMES.indexOf(best), TIER_NAMES.indexOf('half'))];
}

/** Returns whether a client is sent events and cursors in this tick. */
export function hasTurn(
  client: Viewer,
  broadcaster: { readonly size: number; channelTierOf(viewer: Viewer): ChannelTier | undefined },
  tick: number,
): boolean {
  if (broadcaster.size < CROWDS.eventsFrom) return true;
  const tier = broadcaster.channelTierOf(client);
  if (!tier || tier === 'full') return true;
  return isDue({ every: TIERS.half.every, after: CHANNEL_TIERS[tier].after }, tick);
}
