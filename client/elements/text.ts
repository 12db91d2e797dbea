/** The room's facts in words that a visitor reads, in the language of the page. */
import { msg, str } from '@lit/localize';
import { language, localKind } from '../locale/locale.ts';
import type { ConnectionState } from '../net/room-model.ts';

/** A number as this language writes it. */
export function number(n: number): string {
  return new Intl.NumberFormat(language()).format(n);
}

/** The one of two texts that goes with a number, by the language's own rules. */
export function plural(n: number, one: string, other: string): string {
  return new Intl.PluralRules(language()).select(n) === 'one' ? one : other;
}

/** 'hot_pepper' → 'hot pepper', or what that is called here. */
export function kindName(kind: string): string {
  if (kind === '') return msg('nameless');
  return localKind(kind) ?? kind.replaceAll(/[_-]+/g, ' ');
}

export function cellsText(n: number): string {
  return plural(n, msg(str`${number(n)} cell`), msg(str`${number(n)} cells`));
}

export function peopleText(n: number): string {
  return plural(n, msg(str`${number(n)} person here`), msg(str`${number(n)} people here`));
}

/** Where she stands in the line before a full room. */
export function lineText(ahead: number): string {
  if (ahead === 0) return msg('The room is full. You are next.');
  return plural(
    ahead,
    msg(str`The room is full. ${number(ahead)} visitor waits before you.`),
    msg(str`The room is full. ${number(ahead)} visitors wait before you.`),
  );
}

/** What a page does while it shows no living room. */
export function waitingText(connection: ConnectionState, ahead: number | undefined): string {
  if (connection === 'connecting') return msg('connecting');
  if (connection !== 'waiting') return msg('reconnecting');
  return ahead ? msg(str`room full, ${number(ahead)} before you`) : msg('room full, you are next');
}

/** Ticks a second, honest about a room that cannot keep up. */
export function paceText(pace: { tickRate: number; actual: number; slow: boolean }): string {
  const whole = (n: number): string => number(Math.round(n));
  if (pace.slow) return msg(str`slow: ${whole(pace.actual)} of ${whole(pace.tickRate)}`);
  return msg(str`${whole(pace.tickRate)} ticks/s`);
}

/** The same in the least space: '13/15'. */
export function shortPace(pace: { tickRate: number; actual: number }): string {
  return `${number(Math.round(pace.actual))}/${number(Math.round(pace.tickRate))}`;
}
