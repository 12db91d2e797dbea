/**
 * Options in the address of a wall page: `/wall/garden?columns=2&column=1&overlay=off`. Invalid
 * values are ignored.
 */
import { isLanguage, type LanguageCode } from '../../shared/languages.ts';

export interface WallOptions {
  readonly room: string;
  /** How the dish is shown: whole with a slow drift, whole and still, or filling the screen. */
  readonly frame: 'drift' | 'fixed' | 'fill';
  /** Size of the video wall in screens, and this screen's position in it, counted from 0. */
  readonly columns: number;
  readonly rows: number;
  readonly column: number;
  readonly row: number;
  /** Gap between two neighbouring screens, in pixels of the picture. */
  readonly bezel: number;
  /** Mirroring, for example for rear projection. */
  readonly flip: 'none' | 'x' | 'y' | 'xy';
  /** Rotation of the screen, degrees clockwise. */
  readonly rotate: 0 | 90 | 180 | 270;
  /** Whether this wall shows the QR code, names and captions. */
  readonly overlay: boolean;
  /** Address for the QR code instead of the one from the server; '' for none. */
  readonly url: string;
  /** Whether the resolution may drop on a slow machine. */
  readonly resolution: 'auto' | 'full';
  /** Opens the place that the host has given to this wall; '' for none. */
  readonly pass: string;
  /** Languages of the captions, shown in turn. */
  readonly languages: readonly LanguageCode[];
}

const MAX_SIDE = 16;
const MAX_BEZEL = 10_000;
const MAX_PASS = 64;

function whole(text: string | null, min: number, max: number, otherwise: number): number {
  const n = Number(text ?? Number.NaN);
  return text !== '' && Number.isInteger(n) && n >= min && n <= max ? n : otherwise;
}

function oneOf<T extends string>(text: string | null, words: readonly T[], otherwise: T): T {
  return words.find((word) => word === text) ?? otherwise;
}

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
export function readOptions({
  pathname,
  search,
}: {
  pathname: string;
  search: string;
}): WallOptions {
  const query = new URLSearchParams(search);
  const columns = whole(query.get('columns'), 1, MAX_SIDE, 1);
  const rows = whole(query.get('rows'), 1, MAX_SIDE, 1);
  const column = whole(query.get('column'), 0, columns - 1, 0);
  const row = whole(query.get('row'), 0, rows - 1, 0);
  const isFirst = column === 0 && row === 0;
  // Screens of one video wall stay still: each would drift by its own clock.
  const still = columns * rows > 1;
  const frame = oneOf(query.get('frame'), ['drift', 'fixed', 'fill'], 'drift');
  return {
    room: pathname.match(/^\/wall\/([a-z0-9-]+)/)?.[1] ?? 'garden',
    frame: still && frame === 'drift' ? 'fixed' : frame,
    columns,
    rows,
    column,
    row,
    bezel: whole(query.get('bezel'), 0, MAX_BEZEL, 0),
    flip: oneOf(query.get('flip'), ['none', 'x', 'y', 'xy'], 'none'),
    rotate: Number(
      oneOf(query.get('rotate'), ['0', '90', '180', '270'], '0'),
    ) as WallOptions['rotate'],
    overlay: oneOf(query.get('overlay'), ['on', 'off'], isFirst ? 'on' : 'off') === 'on',
    url: webAddress(query.get('url')),
    resolution: oneOf(query.get('resolution'), ['auto', 'full'], 'auto'),
    pass: query.get('pass')?.slice(0, MAX_PASS) ?? '',
    languages: (query.get('languages') ?? '').split(',').filter(isLanguage),
  };
}
