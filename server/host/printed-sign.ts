/**
 * Draws a printed sign for a room, as an SVG in millimetres. The sign shows creatures,
 * instructions, the room's address with a QR code, and a logo. A second QR code can join phones to
 * the Wi-Fi.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import * as v from 'valibot';
import type { Rect } from '../../shared/geometry.ts';
import type { Paper } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Wifi } from '../../shared/host/room-settings.ts';
import {
  isTranslated,
  LANGUAGES,
  type LanguageCode,
  type TranslatedLanguage,
} from '../../shared/languages.ts';
import { MAX_LOGO_BYTES } from '../../shared/limits.ts';
import type { PaintedGenomes } from '../../shared/painter/genome-map.ts';
import { inSlices, LARGEST_SCALE, paintStill } from '../../shared/painter/still.ts';
import { addressLines, codeOf, readable, wifiCode } from '../../shared/printed-address.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';
import { grownOf } from '../previews/growth-previews.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { Store } from '../storage/store.ts';
import { featuredOf, type Species } from '../world/species.ts';
import words from './sign-words.json' with { type: 'json' };

/** Names of the creatures that a sign shows if the gallery has all of them. */
const CREATURES = ['Tropical Fish', 'Cactus', 'Fox Face', 'Octopus', 'Butterfly'];
/** Maximum time to wait for the sign's creatures to grow, in ms. */
const GROWING = 4_000;
/** How long painting may block the thread at a time, in ms. */
const SLICE = 4;
/** Pictures of creatures by checkpoint, reused for signs in other sizes and languages. */
const paintedBefore = new WeakMap<LoadedCheckpoint, Promise<readonly Buffer[]>>();

/** A grown creature. `rgba` is [side, side, 4] with straight (not premultiplied) alpha. */
interface Creature {
  readonly side: number;
  readonly rgba: Uint8Array;
  readonly genomes?: PaintedGenomes;
}

/**
 * Grows and paints the sign's creatures.
 *
 * @returns a JPEG of each creature; an empty list if growing fails or takes too long
 */
export const creaturesOf = (
  checkpoint: LoadedCheckpoint,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<readonly Buffer[]> =>
  getOrAdd(paintedBefore, checkpoint, async () => {
    const painted: Buffer[] = [];
    // Limit the waiting time: creatures grow between the ticks of rooms, so if no room is ticking,
    // they never finish.
    const none = pause(clock, GROWING).then(() => []);
    try {
      for (const creature of await Promise.race([growCreatures(checkpoint), none])) {
        painted.push(await paintCreature(creature, checkpoint.painter, clock));
      }
    } catch (error) {
      // Continue, because a sign is usable without pictures. Do not log a `Refusal`, which only
      // means that the server is busy.
      if (!(error instanceof Refusal)) log.warn('sign-not-painted', (error as Error).message);
    }
    if (painted.length === 0) paintedBefore.delete(checkpoint);
    return painted;
  });

/**
 * Chooses the sign's creatures: `CREATURES` if the gallery has all of them; otherwise, creatures at
 * regular intervals in the gallery.
 *
 * @returns gallery indices
 */
function chooseCreatures(species: Species): readonly number[] {
  const { gallery } = species;
  const named = CREATURES.map((name) => gallery.findIndex((entry) => entry.name === name));
  if (!named.includes(-1)) return named;
  const all = featuredOf(species);
  const count = Math.min(CREATURES.length, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
}

const growCreatures = ({ species, previews }: LoadedCheckpoint): Promise<Creature[]> =>
  Promise.all(
    chooseCreatures(species).map(async (index) => {
      const { latent } = species.gallery[index];
      const film = await previews.grow(species.gallery[index], 'sign');
      return { side: film.side, rgba: await grownOf(film), genomes: { latents: [latent] } };
    }),
  );

/**
 * Paints a creature on a white background, or enlarges its cells if the checkpoint has no painter.
 *
 * @returns a JPEG, which is smaller than a PNG and readable by vector graphics programs
 */
export async function paintCreature(
  { side, rgba, genomes }: Creature,
  net: LoadedCheckpoint['painter'],
  clock: Pick<Clock, 'now'>,
): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const slices = { slice: SLICE, now: () => clock.now(), pause: () => setImmediate() };
  const still = net && paintStill({ cells: rgba, side, net, genomes, scale: LARGEST_SCALE });
  const pixels = still ? await inSlices(still, slices) : rgba;
  const size = side * LARGEST_SCALE;
  const width = still ? size : side;
  return sharp(pixels, { raw: { width, height: width, channels: 4 } })
    .flatten({ background: 'white' })
    .resize(size, size, { kernel: 'nearest' })
    .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

interface PrintedSign {
  readonly paper: Paper;
  readonly language: LanguageCode;
  /** The room's web address, shown as text and as a QR code. */
  readonly url: string;
  /** The Wi-Fi network that phones join with the second QR code; null if there is only one code. */
  readonly wifi: Wifi | null;
  /** JPEGs of the creatures, shown in a row along the upper edge. */
  readonly creatures: readonly Buffer[];
  /** The host's texts about the exhibition and its makers, printed along the lower edge. */
  readonly exhibition: string;
  readonly credits: string;
  /** A PNG; undefined to show no logo. */
  readonly logo: Uint8Array | undefined;
}

/** Width and height of each paper size, in mm. */
const SIZES: Readonly<Record<Paper, readonly [number, number]>> = {
  A4: [210, 297],
  A3: [297, 420],
};

/**
 * Translations by language and English text, written by `npm run words`. TypeScript reports an
 * error if a language is missing.
 */
const TRANSLATIONS: Readonly<Record<TranslatedLanguage, Readonly<Record<string, string>>>> = words;

/** Marks an English text for `npm run words` to extract, as Lit's `msg` does on pages. */
const msg = ((text: string) => text) as typeof import('@lit/localize').msg;

/** The English texts on a sign. The character | separates lines. */
const HEADLINE = msg('Plant something | that lives', {
  desc: 'Headline of a printed sign, in two lines. The character | marks where the second line begins.',
});
const SENTENCE = msg('Scan the code with your phone | and watch your seed grow on the wall.', {
  desc: 'Shown below the headline of a printed sign. The character | marks where the second line begins.',
});
const BOTH = msg('Scan both codes with your phone | and watch your seed grow on the wall.', {
  desc: 'Shown below the headline of a printed sign with two codes. The character | marks where the second line begins.',
});
const JOIN = msg('1 · Join the Wi-Fi', {
  desc: 'Shown on a printed sign with two codes, above the code that connects a phone to the Wi-Fi.',
});
const OPEN = msg('2 · Plant your seed', {
  desc: 'Shown on a printed sign with two codes, above the code that opens the room.',
});
const OR = msg('or type', {
  desc: 'Shown on a printed sign, between the code to scan and the address to type.',
});

/** Distance from the page's upper edge to the headline's baseline, in mm on an A4 page. */
const HEADLINE_AT = 62;
const INK = '#14181c';
const QUIET = '#5b6670';
const FONTS =
  "'Inter','Helvetica Neue',Helvetica,Arial,'Hiragino Sans','Noto Sans JP','Noto Sans CJK JP','Noto Sans Arabic','Geeza Pro',sans-serif";

/** Fonts for texts that people type. In these fonts, 1 differs from l, and 0 from O. */
const TYPED_FONTS = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace";
/** Width of a letter in `TYPED_FONTS`, relative to the font size. */
const TYPED_EM = 0.605;
/** Minimum font size of the web address, in mm. If the address does not fit, it is wrapped. */
const SMALLEST = 7;

/** Escapes a text for XML, and removes characters that XML cannot contain. */
export function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot hold.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&apos;')
  );
}

/** Gap between the two QR codes, in mm on an A4 page. */
const BETWEEN = 22;
/** Side length of a creature's picture, and the gap between two pictures, in mm on an A4 page. */
const CREATURE = 30;
const APART = 4;

/** Draws a sign. @returns an SVG document in the size of the paper */
export function drawSign(sign: PrintedSign): string {
  const { paper, language, url, wifi, creatures, logo } = sign;
  const [width, height] = SIZES[paper];
  const say = (text: string): string =>
    isTranslated(language) ? (TRANSLATIONS[language][text] ?? text) : text;
  const [headline, sentence] = [linesOf(say(HEADLINE)), linesOf(say(wifi ? BOTH : SENTENCE))];
  const unit = width / 210;
  const mm = (n: number): string => (n * unit).toFixed(3).replace(/\.?0+$/, '');
  const margin = 22;
  const inner = 210 - 2 * margin;
  const footer = footerLines(sign, inner);
  const footerTop = LAST_LINE + 1 - footer.length * FOOTER_LINE;
  const logoTop = footerTop - 3 - LOGO_HEIGHT;
  const step = CREATURE + APART;
  const left = 105 + APART / 2 - (creatures.length * step) / 2;
  const head = Math.min(21, fitting(headline, inner, 0.6));
  const body = Math.min(7.6, fitting(sentence, inner, 0.52));
  const typing = `font-weight="600" direction="ltr" font-family="${TYPED_FONTS}"`;
  const line = (text: string, y: number, size: number, more = '', x = 105): string =>
    `<text x="${mm(x)}" y="${mm(y)}" font-size="${mm(size)}" text-anchor="middle" ${more}>${escaped(text)}</text>`;
  const image = (type: string, file: Uint8Array, { x, y, ...size }: Rect): string => {
    const data = Buffer.from(file).toString('base64');
    const box = `x="${mm(x)}" y="${mm(y)}" width="${mm(size.width)}" height="${mm(size.height)}"`;
    return `<image ${box} href="data:image/${type};base64,${data}"/>`;
  };
  const { direction } = LANGUAGES[language];
  // Do not set letter spacing for Arabic, because it would separate letters that must join.
  const spacing = direction === 'rtl' ? '' : `letter-spacing="${mm(-0.012 * head)}"`;
  const bold = `font-weight="700" ${spacing}`;
  const headlineText = headline.map((text, i) =>
    line(text, HEADLINE_AT + i * head * 1.12, head, bold),
  );
  const sentenceAt = HEADLINE_AT + head * 1.12 + 17;
  const sentenceText = sentence.map((text, i) =>
    line(text, sentenceAt + i * body * 1.45, body, `fill="${QUIET}"`),
  );

  /**
   * Draws a QR code. Above the code is the caption, if any; below is the text to type instead of
   * scanning the code.
   *
   * @param most maximum width of the code and, if there is a caption, of the text to type; in mm
   * @param x horizontal centre of the code, in mm
   */
  const column = (
    { caption, text, typed }: { caption?: string; text: string; typed: readonly string[] },
    most: number,
    x: number,
  ): string => {
    const top = caption ? 134 : 128;
    const space = caption ? most : inner;
    const fits = (lines: readonly string[]): number =>
      Math.min(caption ? 6.4 : 10, fitting(lines, space, TYPED_EM));
    const broken = fits(typed) < SMALLEST ? typed.flatMap(addressLines) : typed;
    const size = fits(broken);
    // Shrink the code if the text below the code would overlap the logo or the footer.
    const below = 26 + size * (1 + 1.25 * (broken.length - 1));
    const isFree = footer.length === 0 && !logo;
    const side = isFree ? most : Math.min(most, (logo ? logoTop : footerTop) - top - below);
    return [
      caption ? line(caption, top - 6, 6.4, 'font-weight="700"', x) : '',
      `<g transform="translate(${mm(x - side / 2)} ${mm(top)})">${code(text, side * unit)}</g>`,
      line(say(OR), top + side + 13, 5.2, `fill="${QUIET}"`, x),
      ...broken.map((each, i) =>
        line(each, top + side + 18 + size * (1 + 1.25 * i), size, typing, x),
      ),
    ].join('\n');
  };
  const room = { text: url, typed: [readable(url)] };
  let codes = column(room, 118, 105);
  if (wifi) {
    const { name, password } = wifi;
    const join = {
      caption: say(JOIN),
      text: wifiCode(wifi),
      typed: [name, password].filter(Boolean),
    };
    const side = (inner - BETWEEN) / 2;
    const apart = ((direction === 'rtl' ? -1 : 1) * (side + BETWEEN)) / 2;
    codes =
      column(join, side, 105 - apart) + column({ ...room, caption: say(OPEN) }, side, 105 + apart);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}" lang="${language}" direction="${direction}">`,
    `<title>${escaped(headline.join(' '))}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g font-family="${FONTS}" fill="${INK}">`,
    ...creatures.map((file, i) =>
      image('jpeg', file, { x: left + i * step, y: 10, width: CREATURE, height: CREATURE }),
    ),
    ...headlineText,
    ...sentenceText,
    codes,
    ...footer.map((text, i) =>
      line(text, LAST_LINE - FOOTER_LINE * (footer.length - 1 - i), FOOTER_SIZE, `fill="${QUIET}"`),
    ),
    logo ? image('png', logo, { x: margin, y: logoTop, width: inner, height: LOGO_HEIGHT }) : '',
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Matches Chinese, Japanese and Korean characters, which are as wide as they are high. */
const FULL_WIDTH = /[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uff60]/u;

/**
 * Layout of the footer, in mm on an A4 page: baseline of the last line (from the page's upper
 * edge), font size, line height, and height of the logo.
 */
const LAST_LINE = 289;
const FOOTER_SIZE = 3.9;
const FOOTER_LINE = 5.2;
const LOGO_HEIGHT = 13;

/**
 * Matches where a line may be broken: after a space, and on either side of a Chinese, Japanese or
 * Korean character.
 */
const BREAKS = new RegExp(`(?<=\\s|${FULL_WIDTH.source})|(?=${FULL_WIDTH.source})`, 'u');

/** Breaks the footer's texts into lines. @param width maximum width of a line, in mm */
function footerLines({ exhibition, credits }: PrintedSign, width: number): string[] {
  return [exhibition, credits].filter(Boolean).flatMap((text) => {
    const lines = [''];
    for (const word of text.split(BREAKS)) {
      const longer = `${lines.at(-1)}${word}`;
      if (fitting([longer.trim()], width, 0.52) >= FOOTER_SIZE) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.map((line) => line.trim());
  });
}

const linesOf = (text: string): readonly string[] => text.split('|').map((line) => line.trim());

/**
 * Computes the largest font size, in the unit of `width`, at which every line fits into `width`.
 *
 * @param em average width of a letter, as a multiple of the font size
 */
function fitting(lines: readonly string[], width: number, em: number): number {
  const widths = lines.map((line) =>
    [...line].reduce((sum, letter) => sum + (FULL_WIDTH.test(letter) ? 1 : em), 0),
  );
  return width / Math.max(...widths);
}

function code(text: string, side: number): string {
  const { side: modules, path } = codeOf(text, 0);
  return `<path transform="scale(${(side / modules).toFixed(5)})" d="${path}" fill="${INK}" shape-rendering="crispEdges"/>`;
}

const logoRecord = v.object({ id: v.string(), png: v.instance(Uint8Array) });

/** Maximum size of a stored logo, in pixels. */
const SIZE = { width: 640, height: 320 } as const;
/**
 * Maximum number of pixels of an uploaded logo. A small file can decompress to a picture that would
 * fill the memory.
 */
const MAX_PIXELS = 25_000_000;
const FORMATS: readonly (string | undefined)[] = ['png', 'jpeg', 'webp'];

/**
 * Stores a room's logo. Re-encodes the picture, so that metadata in the host's file is not
 * published.
 *
 * @returns an id that identifies the picture
 * @throws HostRefusal 'not-a-picture' or 'too-large'
 */
export async function storeLogo(store: Store, room: string, file: Buffer): Promise<string> {
  if (file.length > MAX_LOGO_BYTES) throw new HostRefusal('too-large');
  const { default: sharp } = await import('sharp');
  const picture = sharp(file, { limitInputPixels: MAX_PIXELS });
  const { format } = await picture.metadata().catch(() => ({ format: undefined }));
  if (!FORMATS.includes(format)) throw new HostRefusal('not-a-picture');
  const fitted = picture.autoOrient().resize({ ...SIZE, fit: 'inside', withoutEnlargement: true });
  const png = await fitted
    .png({ palette: true })
    .toBuffer()
    .catch(() => {
      throw new HostRefusal('not-a-picture');
    });
  const id = createHash('sha256').update(png).digest('hex').slice(0, 16);
  await store.putServerRecord(`logo/${room}`, { id, png });
  return id;
}

/** Reads a room's logo; undefined if the room has none. */
export const readLogo = (store: Store, room: string) =>
  store.serverRecord(`logo/${room}`, logoRecord);
