/** What a phone has to fetch before it shows a room, and all it may fetch later. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { ensureClient } from '../../server/http/serve-client.ts';
import { TRANSLATED_LANGUAGES } from '../../shared/languages.ts';

/** Bytes, compressed: what the visitor's page may be in all, but for what paints. */
const LIMIT = 134_500;
/** What paints, which comes after the first picture and only to who has a GPU for it. */
const PAINTING = 'render/paint/painting.ts';
const PAINTING_LIMIT = 8_600;

/** An entry of Vite's manifest. */
interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly css?: readonly string[];
}

let folder: string;
let chunks: Readonly<Record<string, Chunk>>;

/** Bytes of a file as the server sends it. */
const compressed = (file: string): number =>
  gzipSync(readFileSync(join(folder, file)), { level: constants.Z_BEST_COMPRESSION }).length;

/**
 * All that is loaded with a part of the page, by the names of the manifest, and unless it says
 * otherwise what may be loaded later too.
 *
 * @param without a part that is left out, with all that only it brings
 */
function reach(name: string, without = '', isLater = true, found = new Set<string>()): Set<string> {
  if (found.has(name) || name === without) return found;
  found.add(name);
  const { imports = [], dynamicImports = [] } = chunks[name];
  const all = isLater ? [...imports, ...dynamicImports] : imports;
  for (const next of all) reach(next, without, isLater, found);
  return found;
}

/** Which language a chunk is of, if it is of one. */
const languageOf = (name: string): string | undefined =>
  name.match(/^locale\/(?:kinds|words\/visitor)\/([\w-]+)\.(?:json|ts)$/)?.[1];

const sum = (sizes: Iterable<number>): number => [...sizes].reduce((all, size) => all + size, 0);

beforeAll(async () => {
  folder = await ensureClient(() => {});
  chunks = JSON.parse(readFileSync(join(folder, '.vite/visitor.json'), 'utf8'));
});

test(`the visitor's page, with all it loads later, without paint, and its largest language, is at most ${LIMIT} bytes`, () => {
  const names = [...reach('index.html', PAINTING)];
  const files = (of: string[]): string[] => [
    ...new Set(of.flatMap((name) => [chunks[name].file, ...(chunks[name].css ?? [])])),
  ];
  const common = names.filter((name) => languageOf(name) === undefined);
  const languages = TRANSLATED_LANGUAGES.map((language) =>
    sum(files(names.filter((name) => languageOf(name) === language)).map(compressed)),
  );
  const page = compressed('index.html') + sum(files(common).map(compressed));
  // A page without its code or its languages would pass as well.
  expect(page).toBeGreaterThan(50_000);
  expect(Math.min(...languages)).toBeGreaterThan(1_000);
  expect(page + Math.max(...languages)).toBeLessThanOrEqual(LIMIT);
});

test(`what paints is at most ${PAINTING_LIMIT} bytes, and no part of the page needs it`, () => {
  const needed = new Set(
    [...reach('index.html', PAINTING)].flatMap((name) => [...reach(name, '', false)]),
  );
  expect(reach('index.html')).toContain(PAINTING);
  expect(needed).not.toContain(PAINTING);
  const added = [...reach('index.html')].filter((name) => !needed.has(name));
  const size = sum(added.map((name) => compressed(chunks[name].file)));
  expect(size).toBeGreaterThan(1_000);
  expect(size).toBeLessThanOrEqual(PAINTING_LIMIT);
});

test('what only the wall or the host need is not loaded by a visitor', () => {
  const names = [...reach('index.html')];
  expect(names.filter((name) => /^(locale\/words\/)?(wall|host)[./]/.test(name))).toEqual([]);
});

test('nothing of a page comes from elsewhere', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pages = files.filter((file) => /\.(html|css)$/.test(file));
  expect(pages).toEqual(
    expect.arrayContaining(['index.html', 'wall.html', 'host.html', 'keep.html']),
  );
  for (const file of pages) {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text.match(/(?:src|href)=["'](?:https?:)?\/\/|url\(["']?(?:https?:)?\/\//g)).toBeNull();
  }
});
