/**
 * A sign to hang beside a wall: a few creatures, one plain sentence about what visitors can do, a
 * QR code, and an address to type. A second code can join the Wi-Fi. It is an SVG in millimetres.
 */
import { setImmediate } from 'node:timers/promises';
import type { Paper } from '../../shared/host/api.ts';
import type { Wifi } from '../../shared/host/room-settings.ts';
import {
  isTranslated,
  LANGUAGES,
  type LanguageCode,
  type TranslatedLanguage,
} from '../../shared/languages.ts';
import type { PaintedGenomes } from '../../shared/painter/genome-map.ts';
import { inSlices, LARGEST_SCALE, paintStill } from '../../shared/painter/still.ts';
import { addressLines, codeOf, readable, wifiCode } from '../../shared/printed-address.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';
import { grownOf } from '../previews/growth-previews.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import { featuredOf, type Species } from '../world/species.ts';
import words from './sign-words.json' with { type: 'json' };

/** A grown creature: `side` × `side` pixels of RGBA with straight alpha. */
export interface SignCreature {
  readonly side: number;
  readonly rgba: Uint8Array;
  readonly genomes?: PaintedGenomes;
  /** JPEG of the same square on white; without it, each cell is drawn as a dot. */
  readonly painted?: Uint8Array;
}

/** Gallery names of the creatures on a sign, if the gallery has all of them. */
const CREATURES = ['Tropical Fish', 'Cactus', 'Fox Face', 'Octopus', 'Butterfly'];
/** Cells with a lower alpha (0 to 1) are not drawn. */
const FAINTEST = 0.2;
/** Diameter of a cell's dot, as a share of the cell's side. */
const CELL = 0.94;

/** How long a sign waits for its creatures to grow, in ms. */
const GROWING = 4_000;
/** Painted creatures of each checkpoint, to reuse for signs in other sizes and languages. */
const paintedBefore = new WeakMap<LoadedCheckpoint, Promise<readonly SignCreature[]>>();

/**
 * Grows and paints the creatures of a checkpoint.
 *
 * @returns an empty list if growing takes too long
 */
export const creaturesOf = (
  checkpoint: LoadedCheckpoint,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<readonly SignCreature[]> =>
  getOrAdd(paintedBefore, checkpoint, async () => {
    // Seeds do not grow while no room is awake, so do not wait indefinitely.
    const none = pause(clock, GROWING).then(() => []);
    let creatures: readonly SignCreature[] = [];
    let isPainted = false;
    try {
      creatures = await Promise.race([growCreatures(checkpoint), none]);
      creatures = await paintCreatures(creatures, checkpoint, clock);
      isPainted = creatures.length > 0;
    } catch (error) {
      // Continue, because the sign also works without pictures.
      log.warn('sign-not-painted', (error as Error).message);
    }
    if (!isPainted) paintedBefore.delete(checkpoint);
    return creatures;
  });

/**
 * Picks the sign's creatures from the gallery: those in `CREATURES`, or else some that are spread
 * over the gallery.
 *
 * @returns gallery indices
 */
function chooseCreatures(species: Species): readonly number[] {
  const { gallery } = species;
  const named = CREATURES.map((name) => gallery.findIndex((entry) => entry.name === name)).filter(
    (index) => index >= 0,
  );
  if (named.length === CREATURES.length) return named;
  const all = featuredOf(species);
  const count = Math.min(CREATURES.length, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
}

/** @returns an empty list while the room is too busy; a sign works without creatures */
async function growCreatures({ species, previews }: LoadedCheckpoint): Promise<SignCreature[]> {
  const grow = async (index: number): Promise<SignCreature> => {
    const { latent } = species.gallery[index];
    const film = await previews.grow(species.gallery[index], 'sign');
    return { side: film.side, rgba: await grownOf(film), genomes: { latents: [latent] } };
  };
  return Promise.all(chooseCreatures(species).map(grow)).catch((error: unknown) => {
    if (error instanceof Refusal) return [];
    throw error;
  });
}

/** How long painting may block the thread before it pauses for the rooms, in ms. */
const SLICE = 4;

/**
 * Paints creatures with the painter of their checkpoint. Without a painter, returns them unchanged.
 */
export async function paintCreatures(
  creatures: readonly SignCreature[],
  { painter: net }: Pick<LoadedCheckpoint, 'painter'>,
  clock: Clock,
): Promise<readonly SignCreature[]> {
  if (!net) return creatures;
  const { default: sharp } = await import('sharp');
  const slices = { slice: SLICE, now: () => clock.now(), pause: () => setImmediate() };
  const painted: SignCreature[] = [];
  for (const { side, rgba, genomes } of creatures) {
    const still = paintStill({ cells: rgba, side, net, genomes, scale: LARGEST_SCALE });
    const pixels = await inSlices(still, slices);
    const size = side * LARGEST_SCALE;
    const picture = sharp(pixels, { raw: { width: size, height: size, channels: 4 } });
    const onPaper = picture.flatten({ background: 'white' });
    // A JPEG is much smaller than a PNG, and vector programs can read it.
    const file = await onPaper.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
    painted.push({ side, rgba, painted: file });
  }
  return painted;
}

/**
 * Draws a creature on white as SVG, in a square of `side` × `side` units: its painted picture, or a
 * dot for each cell.
 */
export function drawCreature({ side, rgba, painted }: SignCreature): string {
  if (painted) {
    const data = Buffer.from(painted).toString('base64');
    return `<image width="${side}" height="${side}" href="data:image/jpeg;base64,${data}"/>`;
  }
  const dots = new Map<string, string>();
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 4 * (y * side + x);
      const alpha = rgba[at + 3] / 255;
      if (alpha < FAINTEST) continue;
      const onWhite = [0, 1, 2].map((c) =>
        Math.round((rgba[at + c] * alpha) / 17 + 15 * (1 - alpha)),
      );
      const color = `#${onWhite.map((value) => value.toString(16)).join('')}`;
      dots.set(color, `${dots.get(color) ?? ''}M${x + 0.5} ${y + 0.5}h0`);
    }
  }
  const paths = [...dots].map(([color, path]) => `<path d="${path}" stroke="${color}"/>`);
  return `<g fill="none" stroke-width="${CELL}" stroke-linecap="round">${paths.join('')}</g>`;
}

export interface PrintedSign {
  readonly paper: Paper;
  readonly language: LanguageCode;
  /** The address in the QR code. */
  readonly url: string;
  /** The network that the second code joins; null if there is no second code. */
  readonly wifi: Wifi | null;
  /** Creatures to draw in a row along the upper edge. */
  readonly creatures: readonly SignCreature[];
  /** What the host says about the exhibition, printed along the lower edge. */
  readonly about: SignFooter;
}

export interface SignFooter {
  readonly exhibition: string;
  readonly credits: string;
  /** PNG of the logo; undefined without one. */
  readonly logo: Uint8Array | undefined;
}

/** Width and height of each paper size, in mm. */
const SIZES: Readonly<Record<Paper, readonly [number, number]>> = {
  A4: [210, 297],
  A3: [297, 420],
};

/**
 * The translations, indexed by language, then by English text. `npm run words` writes them.
 * TypeScript reports a missing language.
 */
const TRANSLATIONS: Readonly<Record<TranslatedLanguage, Readonly<Record<string, string>>>> = words;

/** Marks a text for `npm run words`, like the `msg` that pages use, but without loading Lit. */
const msg = ((text: string) => text) as typeof import('@lit/localize').msg;

/** The printed texts in English. A | begins a new line. */
const HEADLINE = msg('Plant something | that lives', {
  desc: 'Headline of a printed sign, in two lines. The stroke | is where the second line begins.',
});
const SENTENCE = msg('Scan the code with your phone | and watch your seed grow on the wall.', {
  desc: 'Below the headline of a printed sign. The stroke | is where the second line begins.',
});
const BOTH = msg('Scan both codes with your phone | and watch your seed grow on the wall.', {
  desc: 'Below the headline of a printed sign with two codes. The stroke | is where the second line begins.',
});
const JOIN = msg('1 · Join the Wi-Fi', {
  desc: 'On a printed sign with two codes, above the code that connects a phone to the Wi-Fi.',
});
const OPEN = msg('2 · Plant your seed', {
  desc: 'On a printed sign with two codes, above the code that opens the room.',
});
const OR = msg('or type', {
  desc: 'On a printed sign, between the code to scan and the address to type.',
});

/** Distance of the headline's baseline from the upper edge, in mm on an A4 page. */
const HEADLINE_AT = 62;
const INK = '#14181c';
const QUIET = '#5b6670';
const FONTS =
  "'Inter','Helvetica Neue',Helvetica,Arial,'Hiragino Sans','Noto Sans JP','Noto Sans CJK JP','Noto Sans Arabic','Geeza Pro',sans-serif";

/** Fonts for the address, in which readers can tell 1 from l and 0 from O. */
const TYPED_FONTS = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace";
/** Width of a letter in `TYPED_FONTS`, relative to the font size. */
const TYPED_EM = 0.605;
/** Smallest readable font size of the address, in mm. A longer address is broken into lines. */
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

/** A code with its caption, and lines of text below it that can be typed. */
interface CodeColumn {
  readonly caption?: string;
  readonly text: string;
  readonly typed: readonly string[];
}

/** Gap between two codes, in mm on an A4 page. */
const BETWEEN = 22;

/**
 * Draws a sign, black on white, to be printed without scaling.
 *
 * @returns an SVG document
 */
export function drawSign(sign: PrintedSign): string {
  const { paper, language, url, wifi, creatures, about } = sign;
  const [width, height] = SIZES[paper];
  const say = (text: string): string =>
    isTranslated(language) ? (TRANSLATIONS[language][text] ?? text) : text;
  const [headline, sentence] = [linesOf(say(HEADLINE)), linesOf(say(wifi ? BOTH : SENTENCE))];
  const unit = width / 210;
  const mm = (n: number): string => (n * unit).toFixed(3).replace(/\.?0+$/, '');
  const margin = 22;
  const footer = footerLines(about, 210 - 2 * margin);
  const footerTop = LAST_LINE + 1 - footer.length * FOOTER_LINE;
  const head = Math.min(21, fitting(headline, 210 - 2 * margin, 0.6));
  const body = Math.min(7.6, fitting(sentence, 210 - 2 * margin, 0.52));
  const typing = `font-weight="600" direction="ltr" font-family="${TYPED_FONTS}"`;
  const line = (text: string, y: number, size: number, more = '', x = 105): string =>
    `<text x="${mm(x)}" y="${mm(y)}" font-size="${mm(size)}" text-anchor="middle" ${more}>${escaped(text)}</text>`;
  const { direction } = LANGUAGES[language];
  // Arabic letters join, so letter spacing would break them.
  const spacing = direction === 'rtl' ? '' : `letter-spacing="${mm(-0.012 * head)}"`;
  const bold = `font-weight="700" ${spacing}`;
  const headlineText = headline.map((text, i) =>
    line(text, HEADLINE_AT + i * head * 1.12, head, bold),
  );
  const sentenceAt = HEADLINE_AT + head * 1.12 + 17;
  const sentenceText = sentence.map((text, i) =>
    line(text, sentenceAt + i * body * 1.45, body, `fill="${QUIET}"`),
  );

  /** @param most maximum side of the code, and width of the text below it @param x of the centre */
  const column = ({ caption, text, typed }: CodeColumn, most: number, x: number): string => {
    const top = caption ? 134 : 128;
    const space = caption ? most : 210 - 2 * margin;
    const fits = (lines: readonly string[]): number =>
      Math.min(caption ? 6.4 : 10, fitting(lines, space, TYPED_EM));
    const broken = fits(typed) < SMALLEST ? typed.flatMap(addressLines) : typed;
    const size = fits(broken);
    // The code becomes smaller if otherwise its text would stand on the logo or the footer.
    const below = 26 + size * (1 + 1.25 * (broken.length - 1));
    const foot = footerTop - (about.logo ? LOGO_HEIGHT + 3 : 0);
    const isFree = footer.length === 0 && !about.logo;
    const side = isFree ? most : Math.min(most, foot - top - below);
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
    const side = (210 - 2 * margin - BETWEEN) / 2;
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
    creatureRow(creatures, mm),
    ...headlineText,
    ...sentenceText,
    codes,
    ...footer.map((text, i) =>
      line(text, LAST_LINE - FOOTER_LINE * (footer.length - 1 - i), FOOTER_SIZE, `fill="${QUIET}"`),
    ),
    about.logo ? logoImage(about.logo, footerTop - 3, mm) : '',
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Characters as wide as they are high: Chinese, Japanese and Korean. */
const FULL_WIDTH = /[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uff60]/u;

/** Along the lower edge, in mm on an A4 page: baseline of the last line, sizes and distances. */
const LAST_LINE = 289;
const FOOTER_SIZE = 3.9;
const FOOTER_LINE = 5.2;
const LOGO_HEIGHT = 13;

/** Where a line may end. Chinese and Japanese have no spaces. */
const BREAKS = new RegExp(`(?<=\\s|${FULL_WIDTH.source})|(?=${FULL_WIDTH.source})`, 'u');

/** Breaks the texts along the lower edge into lines. @param width of a line, in mm */
function footerLines({ exhibition, credits }: SignFooter, width: number): string[] {
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

/** @param y of the lower edge, in mm */
function logoImage(logo: Uint8Array, y: number, mm: (n: number) => string): string {
  const data = Buffer.from(logo).toString('base64');
  return `<image x="${mm(22)}" y="${mm(y - LOGO_HEIGHT)}" width="${mm(166)}" height="${mm(LOGO_HEIGHT)}" href="data:image/png;base64,${data}"/>`;
}

const linesOf = (text: string): readonly string[] => text.split('|').map((line) => line.trim());

/**
 * Computes the largest font size at which all lines fit.
 *
 * @param em average width of a letter, relative to the font size
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

/** Side of a creature and the space between two creatures, in mm on an A4 page. */
const CREATURE = 30;
const APART = 4;

function creatureRow(creatures: readonly SignCreature[], mm: (n: number) => string): string {
  const width = creatures.length * (CREATURE + APART) - APART;
  return creatures
    .map((creature, i) => {
      const x = (210 - width) / 2 + i * (CREATURE + APART);
      const size = `width="${mm(CREATURE)}" height="${mm(CREATURE)}"`;
      const box = `viewBox="0 0 ${creature.side} ${creature.side}"`;
      return `<svg x="${mm(x)}" y="${mm(10)}" ${size} ${box}>${drawCreature(creature)}</svg>`;
    })
    .join('');
}
