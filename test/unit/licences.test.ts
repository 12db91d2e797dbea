/** The licences of all packages that may be installed: what asks for more than a mention is in NOTICE. */
import { readFileSync } from 'node:fs';

const read = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** Licences that ask for no more than that their text is passed on. */
const PERMISSIVE =
  /^(MIT|MIT-0|ISC|Apache-2\.0|BSD(-[23]-Clause)?|0BSD|CC0-1\.0|BlueOak-1\.0\.0|Zlib|Unlicense|Python-2\.0|WTFPL)$/;

/** Packages whose manifest names no licence, and the licence in their files. */
const UNNAMED: Readonly<Record<string, string>> = { 'xmlhttprequest-ssl': 'MIT' };

interface Locked {
  readonly license?: string;
  /** Whether it is a workspace of this repository. */
  readonly link?: boolean;
}

/** Whether one of the alternatives, or all that apply together, are permissive. */
function isPermissive(licence: string): boolean {
  const parts = (text: string, word: string): string[] => text.split(` ${word} `);
  return parts(licence.replaceAll(/[()]/g, ''), 'OR').some((choice) =>
    parts(choice, 'AND').every((one) => PERMISSIVE.test(one)),
  );
}

const notice = read('NOTICE');

/** Names in NOTICE, as written: like a, @scope/a or a-*. */
const named = [...notice.matchAll(/(?:@[\w-]+\/)?[\w-]+\*?/g)].map(([name]) => name);
const isNamed = (name: string): boolean =>
  named.some((one) =>
    one.endsWith('-*') ? name.startsWith(one.slice(0, -1)) : one.includes('-') && one === name,
  ) || notice.includes(`packages ${name} and `);

const packages = Object.entries(
  JSON.parse(read('package-lock.json')).packages as Record<string, Locked>,
)
  .filter(([folder, { link }]) => folder.startsWith('node_modules/') && !link)
  .map(([folder, { license }]) => {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return { name, licence: license ?? UNNAMED[name] ?? 'unknown' };
  });

test('every package with another licence than a permissive one is named in NOTICE', () => {
  const others = packages.filter(({ licence }) => !isPermissive(licence));
  expect(others.length).toBeGreaterThan(0);
  expect(others.filter(({ name }) => !isNamed(name))).toEqual([]);
});

test('NOTICE names the licences of these packages', () => {
  for (const licence of ['LGPL-3.0-or-later', 'MPL-2.0', 'CC-BY-4.0']) {
    expect(notice).toContain(licence);
  }
});
