/** Distributes the visitors of a profile over processes. */

import {
  ATTACKS,
  type Attack,
  type ClientPlan,
  type CrowdPlan,
  type LineKind,
} from './messages.ts';
import type { LoadOptions } from './options.ts';

const MOST_WALLS = 4;
/** One of so many phones is active. */
const ACTIVE_EVERY = 5;
/** Joins per second. */
const JOIN_RATE = 50;

/** Who comes on lines of one kind. */
function clientsOf(options: LoadOptions, line: LineKind, count: number): ClientPlan[] {
  const { profile, verifyEvery } = options;
  const walls = profile === 'wall' ? count : profile === 'mixed' ? Math.min(MOST_WALLS, count) : 0;
  return Array.from({ length: count }, (_, i) => {
    const isWall = line === 'good' && i < walls;
    return {
      line,
      // The first of each kind always: at least one is checked.
      best: isWall ? 'full' : 'phone',
      verify: isWall || i % verifyEvery === 0,
      active: !isWall && line === 'good' && i % ACTIVE_EVERY === 1,
      joinsAfter: (i * 1000) / JOIN_RATE,
    };
  });
}

/** @returns attackers of a profile, each kind in turn */
function attacksOf({ profile, clients }: LoadOptions): Attack[] {
  if (profile !== 'hostile') return [];
  const count = Math.floor(clients / 2);
  return Array.from({ length: count }, (_, i) => ATTACKS[i % ATTACKS.length]);
}

/**
 * @param url http://host:port
 * @param processes for those on good lines; those on bad ones, and attackers, have processes of
 * their own
 */
export function planCrowds(
  options: LoadOptions,
  url: string,
  room: string,
  processes: number,
): CrowdPlan[] {
  const attacks = attacksOf(options);
  const good = clientsOf(options, 'good', options.clients - attacks.length);
  const bad = [
    ...clientsOf(options, 'slow', options.slow),
    ...clientsOf(options, 'stalled', options.stalled),
  ];
  const crowd = (clients: ClientPlan[], more: Partial<CrowdPlan> = {}): CrowdPlan => ({
    ...{ url, room, seed: 1, clients, attacks: [], handsShare: 0 },
    ...more,
  });
  return [
    ...Array.from({ length: processes }, (_, p) => {
      const mine = good.filter((_client, i) => i % processes === p);
      // What visitors plant and cut comes in other ticks each time: two runs would be of different
      // gardens.
      return crowd(mine, { seed: p + 1, handsShare: options.compare ? 0 : 1 / processes });
    }),
    ...(bad.length > 0 ? [crowd(bad, { seed: 1_001 })] : []),
    ...(attacks.length > 0 ? [crowd([], { seed: 1_002, attacks })] : []),
  ];
}
