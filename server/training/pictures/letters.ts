/** Letters of 3×5 pixels for captions, so that pictures need no fonts of the machine they are made on. */

/** Rows from the top, three bits each, the leftmost pixel highest; written as five octal digits. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '25755',
  B: '65656',
  C: '34443',
  D: '65556',
  E: '74647',
  F: '74644',
  G: '34553',
  H: '55755',
  I: '72227',
  J: '11152',
  K: '55655',
  L: '44447',
  M: '57755',
  N: '65555',
  O: '25552',
  P: '65644',
  Q: '25563',
  R: '65655',
  S: '34216',
  T: '72222',
  U: '55557',
  V: '55552',
  W: '55775',
  X: '55255',
  Y: '55222',
  Z: '71247',
  0: '75557',
  1: '26227',
  2: '61247',
  3: '61216',
  4: '55711',
  5: '74616',
  6: '34757',
  7: '71122',
  8: '75757',
  9: '75716',
  '.': '00002',
  ',': '00024',
  '%': '51245',
  '+': '02720',
  '-': '00700',
  '/': '11244',
  ':': '02020',
  '×': '05250',
  '(': '12221',
  ')': '42224',
  '=': '07070',
  "'": '22000',
  ' ': '00000',
};

export const LETTER_WIDTH = 3;
export const LETTER_HEIGHT = 5;
const ADVANCE = LETTER_WIDTH + 1;

/** Pixels a text takes in width; its height is LETTER_HEIGHT. */
export const widthOfText = (text: string): number => Math.max(0, ADVANCE * text.length - 1);

/**
 * Calls `dot` for every pixel of a text that has ink, x and y from the upper left. Lower case is written as upper case,
 * and what has no glyph as a space.
 */
export function writeText(text: string, dot: (x: number, y: number) => void): void {
  [...text.toUpperCase()].forEach((letter, i) => {
    const rows = GLYPHS[letter] ?? GLYPHS[' '];
    for (let y = 0; y < LETTER_HEIGHT; y++) {
      for (let x = 0; x < LETTER_WIDTH; x++) {
        if ((Number(rows[y]) >> (LETTER_WIDTH - 1 - x)) & 1) dot(ADVANCE * i + x, y);
      }
    }
  });
}
