/**
 * Reads the options in the address of a wall page, such as
 * `/wall/garden?columns=2&column=1&overlay=off`. Invalid values are replaced by the defaults.
 */
import {
  isLanguage,
  LANGUAGE_CODES,
  LANGUAGES,
  type LanguageCode,
} from '../../shared/languages.ts';

/** Returns the text if it is an HTTP address, which phones can open; otherwise ''. */
function webAddress(text: string | null): string {
  if (text === null || !URL.canParse(text)) return '';
  return /^https?:$/.test(new URL(text).protocol) ? text : '';
}

/**
 * Reads the options of a wall page from its address. The HTML is the same for all walls.
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
  /** Reads an option that is one of several words. The default is the first word. */
  const oneOf = <T extends string>(name: string, words: readonly [T, ...T[]]): T =>
    words.find((word) => word === query.get(name)) ?? words[0];
  const columns = whole('columns', 1, 16);
  const rows = whole('rows', 1, 16);
  const column = whole('column', 0, columns - 1);
  const row = whole('row', 0, rows - 1);
  // The strip of texts is at the side or, on upright screens, at the bottom. The lower left screen is
  // at both edges, so it shows the texts.
  const isFirst = column === 0 && row === rows - 1;
  const overlay = oneOf('overlay', isFirst ? ['on', 'off'] : ['off', 'on']) === 'on';
  // Do not move the camera on a video wall, because its screens have different clocks and would drift
  // apart.
  const still = columns * rows > 1;
  const frame = oneOf('frame', ['drift', 'fixed', 'fill']);
  return {
    room: pathname.match(/^\/wall\/([a-z0-9-]+)/)?.[1] ?? 'garden',
    /**
     * How the camera frames the room: whole with a slow drift, whole and fixed, or filling the screen.
     */
    frame: still && frame === 'drift' ? 'fixed' : frame,
    /** Number of screens of the video wall, and the position of this screen among them, from 0. */
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
     * Whether the camera keeps an area free for the QR code, the names and the captions, even if
     * another screen shows them.
     */
    strip: query.get('overlay') !== 'off',
    /** Address for the QR code, used instead of the server's own; '' to use the server's. */
    url: webAddress(query.get('url')),
    /** Whether the resolution may be lowered on a slow machine (`auto`). */
    resolution: oneOf('resolution', ['auto', 'full']),
    /** Secret that claims the seat which the host reserved for this wall; '' for none. */
    pass: query.get('pass')?.slice(0, 64) ?? '',
    /** Languages of the captions, shown in turn. */
    languages: (query.get('languages') ?? '').split(',').filter(isLanguage),
  };
}

export type WallOptions = Readonly<ReturnType<typeof readOptions>>;

/** A code point without a character. Browsers draw a placeholder for it, as for missing glyphs. */
const UNASSIGNED = '\u0378';
/** Side of the canvas on which a character is drawn, in pixels. */
const SIDE = 32;

/**
 * Returns the languages whose own names this browser cannot display, because the fonts lack glyphs.
 * A missing glyph is recognised by its placeholder. In Firefox, the result is always empty, because
 * the placeholder differs for each missing glyph.
 *
 * @param fonts a CSS `font-family` value
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
