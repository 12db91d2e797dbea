/**
 * Reads the options in the address of a wall page, such as
 * `/wall/garden?columns=2&column=1&overlay=off`. If the value of an option is invalid, the default
 * is used.
 */
import {
  isLanguage,
  LANGUAGE_CODES,
  LANGUAGES,
  type LanguageCode,
} from '../../shared/languages.ts';

/**
 * Returns a text unchanged if it is an HTTP(S) address, so that phones can open it; otherwise
 * returns ''.
 */
function webAddress(text: string | null): string {
  if (text === null || !URL.canParse(text)) return '';
  return /^https?:$/.test(new URL(text).protocol) ? text : '';
}

/**
 * Reads the options of a wall page from its address. They must be in the address, because all walls
 * load the same HTML.
 *
 * @param location `window.location` of the page
 */
export function readOptions({ pathname, search }: Pick<Location, 'pathname' | 'search'>) {
  const query = new URLSearchParams(search);
  /** Reads an integer option. The default is the minimum. */
  const whole = (name: string, min: number, max: number): number => {
    const n = Number(query.get(name) || Number.NaN);
    return Number.isInteger(n) && n >= min && n <= max ? n : min;
  };
  /** Reads an option whose value is one of several words. The first word is the default. */
  const oneOf = <T extends string>(name: string, words: readonly [T, ...T[]]): T =>
    words.find((word) => word === query.get(name)) ?? words[0];
  const columns = whole('columns', 1, 16);
  const rows = whole('rows', 1, 16);
  const column = whole('column', 0, columns - 1);
  const row = whole('row', 0, rows - 1);
  // On a video wall, one screen shows the strip of texts. The strip is at the side or, if the wall
  // is upright, at the bottom. The lower left screen is suitable in both cases.
  const isFirst = column === 0 && row === rows - 1;
  const overlay = oneOf('overlay', isFirst ? ['on', 'off'] : ['off', 'on']) === 'on';
  // On a video wall, the camera must not drift: its position depends on the clock, and the clocks
  // of the screens differ, so the screens would show different positions.
  const still = columns * rows > 1;
  const frame = oneOf('frame', ['drift', 'fixed', 'fill']);
  return {
    room: pathname.match(/^\/wall\/([a-z0-9-]+)/)?.[1] ?? 'garden',
    /**
     * How the camera shows the room: 'drift': as a whole, with slow movement; 'fixed': as a whole,
     * without movement; 'fill': filling the screen.
     */
    frame: still && frame === 'drift' ? 'fixed' : frame,
    /**
     * Number of columns and rows of screens in the video wall, and the column and row of this
     * screen, counted from 0.
     */
    ...{ columns, rows, column, row },
    /** Gap between two neighbouring screens, in CSS pixels. */
    bezel: whole('bezel', 0, 10_000),
    /** Mirroring of the page, for example for rear projection. */
    flip: oneOf('flip', ['none', 'x', 'y', 'xy']),
    /** Rotation of the page, in degrees clockwise. */
    rotate: Number(oneOf('rotate', ['0', '90', '180', '270'])),
    /** Whether this screen shows the QR code, the names and the captions. */
    overlay,
    /**
     * Whether the camera leaves an area free for the QR code, the names and the captions. It does
     * so also on screens that do not show them themselves, unless the address contains
     * `overlay=off`.
     */
    strip: query.get('overlay') !== 'off',
    /**
     * Address to show as the QR code, instead of the server's address; '' to show the server's
     * address.
     */
    url: webAddress(query.get('url')),
    /** Whether the resolution may be lowered on a slow machine (`auto`). */
    resolution: oneOf('resolution', ['auto', 'full']),
    /**
     * If the host has reserved a seat for this wall: the secret with which the wall gets the seat.
     * Otherwise ''.
     */
    pass: query.get('pass')?.slice(0, 64) ?? '',
    /** Languages of the captions, shown in turn. */
    languages: (query.get('languages') ?? '').split(',').filter(isLanguage),
  };
}

export type WallOptions = Readonly<ReturnType<typeof readOptions>>;

/**
 * A code point to which no character is assigned. Browsers draw it like any character that is
 * missing from the fonts: as a placeholder.
 */
const UNASSIGNED = '\u0378';
/** Side of the canvas on which a character is drawn, in pixels. */
const SIDE = 32;

/**
 * Returns the languages whose own names this browser cannot show, because letters are missing from
 * the fonts. A letter is missing if it looks like the placeholder that is drawn for an unassigned
 * character. In Firefox, the result is always empty, because the placeholder looks different for
 * each letter.
 *
 * @param fonts the fonts of the page, as a CSS `font-family` value
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
