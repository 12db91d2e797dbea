/**
 * Two hundred emoji that no gallery model is trained on: all of fifteen kinds. They measure what a
 * model makes of pictures that it has never seen.
 */
import list from './unseen.json' with { type: 'json' };

/** Code points of the emoji, in hexadecimal with "-" between, by the package's `subcategory`. */
export const UNSEEN: Readonly<Record<string, readonly string[]>> = list;

const codes = new Set(Object.values(UNSEEN).flat());

/** Whether an emoji is one of the two hundred. */
export const isUnseen = ({ image }: { readonly image: string }): boolean =>
  codes.has(image.replace(/\.png$/, ''));

/**
 * Whether an emoji is of one of the fifteen kinds, also in other skin tones and later releases: leave
 * these out of training.
 */
export const isOfUnseenKind = ({ subcategory }: { readonly subcategory: string }): boolean =>
  Object.hasOwn(UNSEEN, subcategory);
