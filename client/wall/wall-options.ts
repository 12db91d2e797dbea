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

/** Returns `text` if it is an HTTP(S) address, otherwise ''. */
function webAddress(text: string | null): string {
  if (text === null || !URL.canParse(text)) return '';
  return /^https?:$/.test(new URL(text).protocol) ? text : '';
}

/**
 * Reads the options of a wall page from its address.
 *
 * @param location `window.location` of the page
 */
export function readOptions({ pathname, search }: Pick<Location, 'pathname' | 'search'>) {
  const query = new URLSearchParams(search);
  /** Reads an integer option; the default is `min`. */
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
  // By default, the lower left screen of a video wall shows the texts.
  const isFirst = column === 0 && row === rows - 1;
  const overlay = oneOf('overlay', isFirst ? ['on', 'off'] : ['off', 'on']) === 'on';
  // On a video wall, use 'fixed' instead of 'drift': each screen would drift by its own clock.
  const still = columns * rows > 1;
  const frame = oneOf('frame', ['drift', 'fixed', 'fill']);
  return {
    room: pathname.match(/^\/wall\/([a-z0-9-]+)/)?.[1] ?? 'garden',
    /**
     * How the camera shows the room. 'drift': the whole room, with slow movement. 'fixed': the
     * whole room, without movement. 'fill': the room fills the wall, so parts of it may be out of
     * view.
     */
    frame: still && frame === 'drift' ? 'fixed' : frame,
    /** Number of columns and rows of the video wall, and this screen's column and row, from 0. */
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
     * Whether the camera leaves an area free for the QR code, the names and the captions. True by
     * default, even on the screens of a video wall that do not show them.
     */
    strip: query.get('overlay') !== 'off',
    /** Web address to show as the QR code; '' to show the address that the server has reported. */
    url: webAddress(query.get('url')),
    /** 'auto': the resolution is lowered if the machine is slow. 'full': it is never lowered. */
    resolution: oneOf('resolution', ['auto', 'full']),
    /** Secret for the seat that the host has reserved for this wall; '' if there is none. */
    pass: query.get('pass')?.slice(0, 64) ?? '',
    languages: (query.get('languages') ?? '').split(',').filter(isLanguage),
  };
}

export type WallOptions = Readonly<ReturnType<typeof readOptions>>;

/** An unassigned code point. Browsers draw it as the placeholder for missing characters. */
const UNASSIGNED = '\u0378';
/** Side length of the canvas on which a character is drawn, in pixels. */
const SIDE = 32;

/**
 * Returns the languages whose native name has a letter that this browser cannot show: a letter that
 * looks the same as an unassigned character when drawn. In Firefox, the result is always empty,
 * because each missing letter has a different placeholder.
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
