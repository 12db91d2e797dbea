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
 * @param urls http://host:port of each server that clients connect to, in turn
 * @param processes for those on good lines; those on bad ones, and attackers, have processes of
 * their own
 */
export function planCrowds(
  options: LoadOptions,
  urls: readonly string[],
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
    ...{ url: urls[0], room, seed: 1, clients, attacks: [], handsShare: 0 },
    ...more,
  });
  const count = Math.max(processes, urls.length);
  return [
    // A process has all its clients on one server.
    ...Array.from({ length: count }, (_, p) => {
      const url = urls[p % urls.length];
      const mine = good.filter((_client, i) => i % count === p);
      // What visitors plant and cut comes in other ticks each time: two runs would be of different
      // gardens.
      return crowd(mine, { seed: p + 1, handsShare: options.compare ? 0 : 1 / count, url });
    }),
    ...(bad.length > 0 ? [crowd(bad, { seed: 1_001 })] : []),
    ...(attacks.length > 0 ? [crowd([], { seed: 1_002, attacks })] : []),
  ];
}
