/** The host's page in words: times, amounts, and what went wrong with what to do next. Pure. */
import { HOST_REASONS, HostRefusal } from '../../shared/host/reasons.ts';
import type { Language } from '../../shared/host/settings.ts';
import type { Phase } from '../../shared/vocabulary.ts';

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** How long ago, in the largest unit that fits. */
export function age(seconds: number): string {
  return seconds < 5 ? 'just now' : `${roughAge(seconds)} ago`;
}

function roughAge(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 90 ? count(whole, 'second', 'seconds') : roughSpan(1_000 * whole);
}

export function phaseText(phase: Phase, stage: number, side: number): string {
  if (phase === 'growing') return `growing, ${stage} of ${side} cells wide`;
  if (phase === 'asleep') return 'at rest';
  return phase === 'awake' ? 'awake' : 'dead';
}

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  da: 'Dansk',
  de: 'Deutsch',
  es: 'Español',
  ja: '日本語',
};

export const DAY_NAMES = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
] as const;

/** 90 → '1 minute 30 seconds'; the two largest units. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const units: [number, string, string][] = [
    [Math.floor(seconds / 86_400), 'day', 'days'],
    [Math.floor(seconds / 3_600) % 24, 'hour', 'hours'],
    [Math.floor(seconds / 60) % 60, 'minute', 'minutes'],
    [seconds % 60, 'second', 'seconds'],
  ];
  const first = units.findIndex(([n]) => n > 0);
  if (first < 0) return '0 seconds';
  return units
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, one, many]) => count(n, one, many))
    .join(' ');
}

/** 'less than a minute', '4 minutes', '2 hours'. */
export function roughSpan(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 90) return count(minutes, 'minute', 'minutes');
  const hours = Math.round(minutes / 60);
  return hours < 36 ? count(hours, 'hour', 'hours') : count(Math.round(hours / 24), 'day', 'days');
}

export function bytes(n: number): string {
  const unit = n < 1e6 ? 'kB' : n < 1e9 ? 'MB' : 'GB';
  const value = n / { kB: 1e3, MB: 1e6, GB: 1e9 }[unit];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/**
 * Time of the server's own clock, whatever zone this browser is in.
 *
 * @param at ms since 1970
 * @param zone minutes east of Greenwich
 */
export function clock(at: number, zone: number): string {
  return new Date(at + zone * 60_000).toISOString().slice(11, 16);
}

/** 'today', 'yesterday', 'Monday', '3 November'. */
export function dayName(at: number, now: number, zone: number): string {
  const dayOf = (time: number): number => Math.floor((time + zone * 60_000) / 86_400_000);
  const ago = dayOf(now) - dayOf(at);
  if (ago === 0) return 'today';
  if (ago === 1) return 'yesterday';
  if (ago === -1) return 'tomorrow';
  const date = new Date(at + zone * 60_000);
  if (Math.abs(ago) < 7) return DAY_NAMES[(date.getUTCDay() + 6) % 7]!;
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
}

export function moment(at: number, now: number, zone: number): string {
  return `${dayName(at, now, zone)}, ${clock(at, zone)}`;
}

const NEXT: Partial<Record<keyof typeof HOST_REASONS, string>> = {
  'wrong-token': 'Check that nothing is missing at its ends, and try again.',
  'wrong-origin': 'Open this page by the address that the terminal shows.',
  'no-such-room': 'Choose another room.',
  'no-such-checkpoint': 'Reload this page.',
  'too-many-rooms': 'Remove one that is not used.',
  'other-checkpoint': 'Choose a newer one.',
  'undo-too-far': 'Or bring back a saved state under “Saved”.',
};

/** What went wrong, and what to do about it. */
export function failure(error: unknown): string {
  if (!(error instanceof HostRefusal)) {
    return 'The server does not answer. Check that it runs and that this device is on its network; this page tries again by itself.';
  }
  const { reason, retryAfter } = error;
  if (reason === 'too-many-tries' && retryAfter) {
    return `Too many wrong tokens. Please wait ${span(Math.ceil(retryAfter / 1_000) * 1_000)}, then try again.`;
  }
  return [HOST_REASONS[reason], NEXT[reason]].filter(Boolean).join(' ');
}

/** What a visitor is called here: the nameless by their number. */
export function visitorName({ id, name }: { readonly id: number; readonly name: string }): string {
  return name || `visitor ${id}`;
}
