/** Finds languages that this screen has no letters for. */
import { LANGUAGE_CODES, LANGUAGES, type LanguageCode } from '../../shared/languages.ts';

/** Not assigned in Unicode: a browser draws its sign for missing letters. */
const UNASSIGNED = '\u0378';
/** Side of the square that a letter is drawn in, px. */
const SIDE = 32;

/**
 * Returns the languages whose own names this browser cannot write. Firefox draws another sign for
 * each missing letter, so that nothing seems to be missing there.
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
