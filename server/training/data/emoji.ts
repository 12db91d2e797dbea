/**
 * Loads pictures of Noto emoji, without skin-tone variants, from the npm package
 * `emoji-datasource-google`. Reads vector pictures of emoji from Iconify's npm packages.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ConfigOf, Style } from './config.ts';
import {
  type Dataset,
  type DatasetEntry,
  datasetError,
  mapInParallel,
  packageFolder,
  readSource,
  splitByShare,
  titleCase,
} from './dataset.ts';
import { isInvisible, readPicture } from './folder.ts';
import list from './unseen.json' with { type: 'json' };

/**
 * The 200 emoji reserved for evaluation, by subcategory. An emoji is written as hexadecimal code
 * points, joined by "-".
 */
export const UNSEEN: Readonly<Record<string, readonly string[]>> = list;

const codes = new Set(Object.values(UNSEEN).flat());

export const isUnseen = ({ image }: { readonly image: string }): boolean =>
  codes.has(image.replace(/\.png$/, ''));

/**
 * Returns whether an emoji belongs to a subcategory in `unseen.json`. No checkpoint of organisms
 * may be trained on emoji of these subcategories.
 */
export const isOfUnseenKind = ({ subcategory }: { readonly subcategory: string }): boolean =>
  Object.hasOwn(UNSEEN, subcategory);

const PACKAGE = 'emoji-datasource-google';
const RELEASE = '16.0.0';
const REINSTALL = `The package is damaged or from another release. Run "npm install ${PACKAGE}@${RELEASE}"`;

export interface EmojiRecord {
  readonly image: string;
  readonly name: string;
  readonly short_name: string;
  readonly category: string;
  readonly subcategory: string;
  /** Code points in hexadecimal, joined by "-". */
  readonly unified: string;
  readonly has_img_google: boolean;
  readonly obsoleted_by?: string;
}

type SetName = ConfigOf<'emoji'>['set'];

const SETS: Record<
  SetName,
  { sha256: string; what: string; has: (emoji: EmojiRecord) => boolean }
> = {
  bestiary: {
    sha256: 'bf6045403faf6072022b6e13640091a1b51eeb5a9dea8268dc92fd2eff546e49',
    what: 'animals and plants',
    has: ({ subcategory }) => /^(animal-|plant-|monkey-face$|cat-face$)/.test(subcategory),
  },
  organisms: {
    sha256: '8e0836639ea242c7673c38cad397da3729250d3ff1e9b0e77e57ec316cd44eb5',
    what: 'animals, plants, faces, food and fantasy people',
    has: ({ subcategory }) =>
      /^(animal-|plant-|monkey-face$|cat-face$|face-|food-|person-fantasy$)/.test(subcategory),
  },
  broad: {
    sha256: '693844b9f06a5db73057799beaf93623946fc690105031628cc5a65d55628a09',
    what: 'all emoji except flags and symbols',
    has: ({ category }) => !/^(Flags|Symbols|Component)$/.test(category),
  },
  unseen: {
    sha256: 'dc1a8153dbccab7791273fb687a9f474938683e35a4db49f7f79df3f3ac3e403',
    what: 'objects, drinks, hands, places and vehicles, which the default training leaves out',
    has: isUnseen,
  },
  seen: {
    sha256: 'c79044a4ec0a6b07c13fe3a9383b041f1a0796f33e51a08f5cb02d84cb59528a',
    what: 'all emoji except flags, symbols and the kinds of emoji in the set "unseen"',
    has: (emoji) => SETS.broad.has(emoji) && !isOfUnseenKind(emoji),
  },
};

/**
 * Loads a set of emoji as a data set, in the package's order. Of several identical pictures, only
 * the first is used.
 *
 * @param folder folder of the package `emoji-datasource-google`; the installed package by default
 */
export async function loadEmoji(
  config: ConfigOf<'emoji'>,
  folder = packageFolder(PACKAGE),
): Promise<Dataset> {
  const { set, side, margin, styles = [], validationShare } = config;
  const noto = await readEmoji(config, folder);
  const { drawings } = await listEmoji(config, folder);
  const more = await mapInParallel(drawings, async ({ emoji, style, svg }) => {
    return {
      emoji,
      picture: await readPicture(svg, `@iconify-json/${style}`, { side, margin }),
    };
  });
  const all = distinct([...noto, ...more.filter(({ picture }) => !isInvisible(picture))]);
  const sources = styles.map((style) => ({ ...STYLE_SOURCES[style], style }));
  return {
    name: `noto-${set}`,
    side,
    channels: 4,
    count: all.length,
    pixels: new Uint8Array(Buffer.concat(all.map(({ picture }) => picture))),
    entries: all.map(({ emoji }) => ({ name: emojiName(emoji), kind: emojiKind(emoji) })),
    splits: splitByShare(all.length, validationShare),
    source: [
      `Noto Emoji (Google) from the npm package ${PACKAGE} ${RELEASE}`,
      ...sources.map(
        ({ by, style, release }) => `${by} from the npm package @iconify-json/${style} ${release}`,
      ),
    ].join('; '),
    licence: [...new Set(['Apache-2.0', ...sources.map(({ licence }) => licence)])].join(', '),
    description:
      styles.length === 0
        ? `${all.length} Noto emoji: ${SETS[set].what}`
        : `${noto.length} Noto emoji (${SETS[set].what}) and ${all.length - noto.length} pictures of the same emoji in other styles`,
  };
}

/**
 * Reads the Noto pictures of a set of emoji, in the order of the set. Of several identical
 * pictures, only the first is returned.
 *
 * @returns for each emoji: its entry in emoji.json (`emoji`), its PNG file of 64×64 pixels
 *   (`file`), and its scaled picture (`picture`), [side, side, 4] premultiplied RGBA, 0…255
 * @throws TrainingError if the package is missing or damaged
 */
export async function readEmoji(
  { set, side, margin }: Omit<ConfigOf<'emoji'>, 'styles'>,
  folder = packageFolder(PACKAGE),
) {
  const files = await readImages(folder, await readList(folder, set), set);
  const pictures = await mapInParallel(files, async ({ emoji, file }) => {
    return { emoji, file, picture: await readPicture(file, emoji.image, { side, margin }) };
  });
  return distinct(pictures);
}

function distinct<T extends { readonly picture: Uint8Array }>(pictures: readonly T[]): T[] {
  const seen = new Set<string>();
  return pictures.filter(({ picture }) => {
    const pixels = Buffer.from(picture).toString('latin1');
    if (seen.has(pixels)) return false;
    seen.add(pixels);
    return true;
  });
}

/**
 * Lists the emoji of a set, and their SVG pictures in other styles.
 *
 * @throws TrainingError if a package is missing or damaged, or another release is installed
 */
export async function listEmoji(
  { set, styles = [] }: Pick<ConfigOf<'emoji'>, 'set' | 'styles'>,
  folder = packageFolder(PACKAGE),
) {
  const emoji = await readList(folder, set);
  return { emoji, drawings: await findDrawings(emoji, styles) };
}

async function readList(folder: string, set: SetName): Promise<EmojiRecord[]> {
  const file = join(folder, 'emoji.json');
  const text = `${await readSource(file, REINSTALL)}`;
  let list: EmojiRecord[];
  try {
    list = JSON.parse(text);
  } catch {
    throw datasetError('broken-list', file, 'is not JSON', REINSTALL);
  }
  const found = list.filter(
    (emoji) => emoji.has_img_google && emoji.obsoleted_by === undefined && SETS[set].has(emoji),
  );
  if (set !== 'seen') return found;
  // The first images become the checkpoint's gallery, so put the emoji of the set `organisms`
  // (animals, plants, faces, food and fantasy people) first.
  return [
    ...found.filter(SETS.organisms.has),
    ...found.filter((emoji) => !SETS.organisms.has(emoji)),
  ];
}

/**
 * Reads the PNG files of a set of emoji, and verifies all names, categories and files with one
 * checksum.
 */
async function readImages(
  folder: string,
  wanted: readonly EmojiRecord[],
  set: SetName,
): Promise<{ emoji: EmojiRecord; file: Uint8Array }[]> {
  const hash = createHash('sha256');
  const files: { emoji: EmojiRecord; file: Uint8Array }[] = [];
  for (const emoji of wanted) {
    const { image, name, short_name, category, subcategory } = emoji;
    const file = join(folder, 'img', 'google', '64', image);
    const bytes = await readSource(file, REINSTALL);
    hash.update(JSON.stringify([image, name, short_name, category, subcategory, bytes.length]));
    hash.update(bytes);
    files.push({ emoji, file: bytes });
  }
  const found = hash.digest('hex');
  const { sha256 } = SETS[set];
  if (found !== sha256) {
    const what = `has the sha256 sum ${found} for the set ${set}, instead of ${sha256}`;
    throw datasetError('checksum-mismatch', folder, what, REINSTALL);
  }
  return files;
}

/**
 * Maximum length of a Unicode name for display, in characters. If the name is longer, the emoji's
 * short name is used.
 */
const LONGEST = 24;

export function emojiName({ name, short_name }: Pick<EmojiRecord, 'name' | 'short_name'>): string {
  return titleCase(name.length <= LONGEST ? name : short_name);
}

/**
 * Patterns for the kind of an emoji, tested in order against "<subcategory> <short name>". The
 * first match decides. Without a match, the kind is `thing`.
 */
const KINDS: readonly [RegExp, DatasetEntry['kind']][] = [
  // The first three patterns are exceptions to the later patterns.
  [
    / (feather|spider_web|feet|wing|empty_nest|nest_with_eggs|hankey|skull_and_crossbones)$/,
    'thing',
  ],
  [/^face-costume (ghost|alien|space_invader)$/, 'animal'],
  [/^person-fantasy mer/, 'animal'],
  [/^(animal-|cat-face|monkey-face)/, 'animal'],
  [/^plant-/, 'plant'],
  [/^(food-|drink)/, 'food'],
  [/^(face-|person|family)/, 'face'],
];

export function emojiKind({
  subcategory,
  short_name,
}: Pick<EmojiRecord, 'subcategory' | 'short_name'>): DatasetEntry['kind'] {
  const key = `${subcategory} ${short_name}`;
  return KINDS.find(([pattern]) => pattern.test(key))?.[1] ?? 'thing';
}

type VectorPackage = `@iconify-json/${'noto' | 'noto-v1' | 'twemoji' | 'fluent-emoji-flat'}`;

/** If a package has no list of code points: another package, whose list is used instead. */
const LISTS: Partial<Record<VectorPackage, VectorPackage>> = {
  '@iconify-json/noto-v1': '@iconify-json/noto',
};

/**
 * Reads the SVG pictures of an npm package.
 *
 * @throws TrainingError 'missing-package' if the package is not installed; 'missing-file' if a file
 *   of the package cannot be read
 */
export async function openVectors(name: VectorPackage) {
  const { version } = await read(name, 'package.json');
  const chars: Record<string, string> = await read(LISTS[name] ?? name, 'chars.json');
  const { icons, aliases, width = 16, height = 16 } = await read(name, 'icons.json');
  const names = new Map(Object.entries(chars).map(([key, icon]) => [codeOf(key), icon]));
  return {
    release: version as string,
    /**
     * Returns the content of an emoji's SVG file; undefined if the package lacks the emoji.
     *
     * @param unified code points of the emoji, in hexadecimal and joined by "-"
     */
    drawing(unified: string): Uint8Array | undefined {
      const found = names.get(codeOf(unified)) ?? '';
      const icon = icons[found] ?? icons[aliases?.[found]?.parent];
      if (!icon) return undefined;
      const box = `0 0 ${icon.width ?? width} ${icon.height ?? height}`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${box}" width="256" height="256">${icon.body}</svg>`;
      return Buffer.from(svg);
    },
  };
}

async function read(name: VectorPackage, file: string) {
  const path = join(packageFolder(name), file);
  return JSON.parse(`${await readSource(path, `Run "npm install ${name}"`)}`);
}

/**
 * Normalises the code points of an emoji: lower case, without variation selectors and leading
 * zeros. For example, "0023-FE0F-20E3" becomes "23-20e3".
 */
export const codeOf = (text: string): string =>
  text
    .toLowerCase()
    .split('-')
    .filter((code) => code !== 'fe0f')
    .join('-')
    .replace(/^0+/, '');

/** Required release, author and licence of the npm package `@iconify-json/<style>`. */
const STYLE_SOURCES = {
  'noto-v1': { release: '1.2.5', by: 'Noto Emoji of 2017 (Google)', licence: 'Apache-2.0' },
  twemoji: { release: '1.2.5', by: 'Twemoji (Twitter)', licence: 'CC BY 4.0' },
  'fluent-emoji-flat': { release: '1.2.6', by: 'Fluent Emoji (Microsoft)', licence: 'MIT' },
} as const satisfies Record<Style, object>;

/**
 * Finds the SVG pictures of emoji in several styles. Omits emoji that a style lacks.
 *
 * @returns pictures in the order of the styles, then of the emoji
 * @throws TrainingError 'missing-package' if a package is not installed; 'missing-file' if a file
 *   cannot be read; 'checksum-mismatch' if another release is installed
 */
async function findDrawings<T extends { readonly unified: string }>(
  emoji: readonly T[],
  styles: readonly Style[],
): Promise<{ readonly emoji: T; readonly style: Style; readonly svg: Uint8Array }[]> {
  const found = await Promise.all(
    styles.map(async (style) => {
      const name = `@iconify-json/${style}` as const;
      const { drawing, release } = await openVectors(name);
      const { release: wanted } = STYLE_SOURCES[style];
      if (release !== wanted) {
        const what = `is release ${release} instead of ${wanted}`;
        throw datasetError('checksum-mismatch', name, what, `Run "npm install ${name}@${wanted}"`);
      }
      return emoji.flatMap((one) => {
        const svg = drawing(one.unified);
        return svg ? [{ emoji: one, style, svg }] : [];
      });
    }),
  );
  return found.flat();
}
