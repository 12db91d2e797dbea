/**
 * Options in the address of a wall page: `/wall/garden?columns=2&column=1&overlay=off`. Invalid
 * values are ignored.
 */
import {
  isLanguage,
  LANGUAGE_CODES,
  LANGUAGES,
  type LanguageCode,
} from '../../shared/languages.ts';

/** Accepts only addresses that a phone can open. */
function webAddress(text: string | null): string {
  if (text === null || !URL.canParse(text)) return '';
  return /^https?:$/.test(new URL(text).protocol) ? text : '';
}

/**
 * Reads the options.
 *
 * @param location of the page
 */
export function readOptions({ pathname, search }: Pick<Location, 'pathname' | 'search'>) {
  const query = new URLSearchParams(search);
  /** Reads a whole number; the least is the default. */
  const whole = (name: string, min: number, max: number): number => {
    const n = Number(query.get(name) || Number.NaN);
    return Number.isInteger(n) && n >= min && n <= max ? n : min;
  };
  /** Reads one of several words; the first is the default. */
  const oneOf = <T extends string>(name: string, words: readonly [T, ...T[]]): T =>
    words.find((word) => word === query.get(name)) ?? words[0];
  const columns = whole('columns', 1, 16);
  const rows = whole('rows', 1, 16);
  const column = whole('column', 0, columns - 1);
  const row = whole('row', 0, rows - 1);
  // The strip is at the side, or at the bottom of upright screens, so the lower left screen has it.
  const isFirst = column === 0 && row === rows - 1;
  const overlay = oneOf('overlay', isFirst ? ['on', 'off'] : ['off', 'on']) === 'on';
  // Keep the picture still on screens of a video wall, because each screen would drift by its own
  // clock.
  const still = columns * rows > 1;
  const frame = oneOf('frame', ['drift', 'fixed', 'fill']);
  return {
    room: pathname.match(/^\/wall\/([a-z0-9-]+)/)?.[1] ?? 'garden',
    /** Framing of the dish: whole with a slow drift, whole and still, or filling the screen. */
    frame: still && frame === 'drift' ? 'fixed' : frame,
    /** Size of the video wall in screens, and this screen's position in it, counted from 0. */
    ...{ columns, rows, column, row },
    /** Gap between two neighbouring screens, in pixels of the picture. */
    bezel: whole('bezel', 0, 10_000),
    /** Mirroring, for example for rear projection. */
    flip: oneOf('flip', ['none', 'x', 'y', 'xy']),
    /** Rotation of the screen, in degrees clockwise. */
    rotate: Number(oneOf('rotate', ['0', '90', '180', '270'])),
    /** Whether this wall shows the QR code, names and captions. */
    overlay,
    /** Whether the picture leaves a strip free for these texts, on whichever screen they are. */
    strip: query.get('overlay') !== 'off',
    /** Address for the QR code, replacing the server's address; '' for none. */
    url: webAddress(query.get('url')),
    /** Whether the resolution may drop on a slow machine. */
    resolution: oneOf('resolution', ['auto', 'full']),
    /** Key to the seat that the host reserved for this wall; '' for none. */
    pass: query.get('pass')?.slice(0, 64) ?? '',
    /** Languages of the captions, shown in turn. */
    languages: (query.get('languages') ?? '').split(',').filter(isLanguage),
  };
}

export type WallOptions = Readonly<ReturnType<typeof readOptions>>;

/** A code point without a character, for which browsers draw their sign for missing letters. */
const UNASSIGNED = '\u0378';
/** Side of the square in which a letter is drawn, in px. */
const SIDE = 32;

/**
 * Returns the languages whose own names this browser cannot write. In Firefox it finds none,
 * because Firefox draws a different sign for each missing letter.
 *
 * @param fonts as in CSS
 */
export function languagesWithoutGlyphs(fonts: string): LanguageCode[] {
  const context = new OffscreenCanvas(SIDE, SIDE).getContext('2d', { willReadFrequently: true });
  if (!context) return [];
  context.font = `${SIDE / 2}px ${fonts}`;
  const drawn = (letter: string): string => {
    context.clearRect(0, 0, SIDE, SIDE);
    context.fillText(letter, SIDE / 8, (3 * SIDE) / 4);
    return context.getImageData(0, 0, SIDE, SIDE).data.join();
  };
  const missing = drawn(UNASSIGNED);
  const lacks = (letter: string): boolean => drawn(letter) === missing;
  return LANGUAGE_CODES.filter((code) => Array.from(LANGUAGES[code].name).some(lacks));
}
