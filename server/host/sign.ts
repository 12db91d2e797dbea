/** A sign to hang beside a wall: what one can do here in one plain sentence, a code to scan, an address to type. SVG, in millimetres. */
import { generate } from 'lean-qr';
import type { Paper } from '../../shared/host/calls.ts';
import type { Language } from '../../shared/host/settings.ts';

export interface Sign {
  readonly paper: Paper;
  readonly language: Language;
  /** Where the code leads. */
  readonly url: string;
}

/** Sides, mm. */
const SIZES: Readonly<Record<Paper, readonly [number, number]>> = {
  A4: [210, 297],
  A3: [297, 420],
};

interface Words {
  /** Lines of the headline. */
  readonly headline: readonly string[];
  readonly sentence: readonly string[];
  /** Before the address. */
  readonly or: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    headline: ['Plant something', 'that lives'],
    sentence: ['Scan the code with your phone', 'and watch your seed grow on the wall.'],
    or: 'or type',
  },
  da: {
    headline: ['Plant noget,', 'der lever'],
    sentence: ['Scan koden med din telefon,', 'og se dit frø vokse på væggen.'],
    or: 'eller skriv',
  },
  de: {
    headline: ['Pflanz etwas,', 'das lebt'],
    sentence: ['Scanne den Code mit dem Handy', 'und sieh deinen Samen an der Wand wachsen.'],
    or: 'oder tippe',
  },
  es: {
    headline: ['Planta algo', 'que vive'],
    sentence: ['Escanea el código con el móvil', 'y mira crecer tu semilla en la pared.'],
    or: 'o escribe',
  },
  ja: {
    headline: ['生きているものを', '植えてみよう'],
    sentence: ['スマホでコードを読みとると、', 'あなたの種が壁で育ちはじめます。'],
    or: 'または',
  },
};

const INK = '#14181c';
const QUIET = '#5b6670';
const FONTS =
  "'Inter','Helvetica Neue',Helvetica,Arial,'Hiragino Sans','Noto Sans JP','Noto Sans CJK JP',sans-serif";

/** Text as XML has it; what XML cannot hold is left out. */
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

/** The address without what people need not type. */
const typed = (url: string): string => url.replace(/^https?:\/\//, '').replace(/\/$/, '');

/**
 * Draws it, black on white, to be printed without scaling.
 *
 * @returns an SVG document
 */
export function drawSign({ paper, language, url }: Sign): string {
  const [width, height] = SIZES[paper];
  const words = WORDS[language];
  const unit = width / 210;
  const mm = (n: number): string => (n * unit).toFixed(3).replace(/\.?0+$/, '');
  const margin = 22;
  const side = 118;
  const left = (210 - side) / 2;
  const top = 128;
  const head = Math.min(21, fitting(words.headline, 210 - 2 * margin, language === 'ja' ? 1 : 0.6));
  const body = Math.min(
    7.6,
    fitting(words.sentence, 210 - 2 * margin, language === 'ja' ? 1 : 0.52),
  );
  const address = Math.min(10, fitting([typed(url)], 210 - 2 * margin, 0.62));
  const line = (text: string, y: number, size: number, more = ''): string =>
    `<text x="${mm(105)}" y="${mm(y)}" font-size="${mm(size)}" text-anchor="middle" ${more}>${escaped(text)}</text>`;
  const headline = words.headline.map((text, i) =>
    line(
      text,
      52 + i * head * 1.12,
      head,
      `font-weight="700" letter-spacing="${mm(-0.012 * head)}"`,
    ),
  );
  const sentenceAt = 52 + head * 1.12 + 19;
  const sentence = words.sentence.map((text, i) =>
    line(text, sentenceAt + i * body * 1.45, body, `fill="${QUIET}"`),
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}" lang="${language}">`,
    `<title>${escaped(words.headline.join(' '))}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g font-family="${FONTS}" fill="${INK}">`,
    cells(mm),
    ...headline,
    ...sentence,
    `<g transform="translate(${mm(left)} ${mm(top)})">${code(url, side * unit)}</g>`,
    line(words.or, top + side + 15, 5.2, `fill="${QUIET}"`),
    line(typed(url), top + side + 15 + 5 + address, address, 'font-weight="600"'),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The largest size at which lines fit. @param em how wide a letter is, of its size, on average */
function fitting(lines: readonly string[], width: number, em: number): number {
  return width / (em * Math.max(...lines.map((line) => [...line].length)));
}

/** The code as one path; each dark module is a square that overlaps none. */
function code(text: string, side: number): string {
  const qr = generate(text);
  const step = side / qr.size;
  let path = '';
  for (let y = 0; y < qr.size; y++) {
    for (let x = 0; x < qr.size; x++) {
      if (!qr.get(x, y)) continue;
      let run = 1;
      while (qr.get(x + run, y)) run++;
      path += `M${x} ${y}h${run}v1h-${run}z`;
      x += run;
    }
  }
  return `<path transform="scale(${step.toFixed(5)})" d="${path}" fill="${INK}" shape-rendering="crispEdges"/>`;
}

/** A few cells that divide, along the upper edge. */
function cells(mm: (n: number) => string): string {
  const row: readonly (readonly [number, number, string])[] = [
    [92, 1.5, '#2f7d5b'],
    [97.6, 2.1, '#3d8f6a'],
    [104.6, 2.9, '#58a77f'],
    [112, 2.5, '#7dbb8f'],
    [118.6, 1.9, '#a5cf9f'],
  ];
  return row
    .map(([x, r, fill]) => `<circle cx="${mm(x)}" cy="${mm(24)}" r="${mm(r)}" fill="${fill}"/>`)
    .join('');
}
