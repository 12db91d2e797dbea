/** The room's facts in words that a visitor reads. Pure. */
import type { ConnectionState } from '../net/room-model.ts';

/** 'hot_pepper' → 'hot pepper'. */
export function kindName(kind: string): string {
  return kind === '' ? 'nameless' : kind.replaceAll(/[_-]+/g, ' ');
}

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** What a page does while it shows no living room. */
export function waitingText(connection: ConnectionState, ahead: number | undefined): string {
  if (connection === 'connecting') return 'connecting';
  if (connection !== 'waiting') return 'reconnecting';
  return ahead ? `room full, ${ahead} before you` : 'room full, you are next';
}

/** Ticks a second, honest about a room that cannot keep up. */
export function paceText(pace: { tickRate: number; actual: number; slow: boolean }): string {
  const whole = (n: number): string => String(Math.round(n));
  if (pace.slow) return `slow: ${whole(pace.actual)} of ${whole(pace.tickRate)}`;
  return `${whole(pace.tickRate)} ticks/s`;
}
