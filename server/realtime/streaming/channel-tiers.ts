/** The tiers that are encoded, which are more than a viewer knows of. */
import { TIERS, type Tier, type TierName } from '../../../shared/codec/tiers.ts';

/**
 * What is encoded. The viewers of `half` are served by two: some in even ticks, the others in odd
 * ones, so that a crowd is not served all at once.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

/** The tier that viewers of a channel have. */
export const tierOfChannel = (tier: ChannelTier): TierName => (tier === 'halfOdd' ? 'half' : tier);
