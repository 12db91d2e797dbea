// @ts-check
/**
 * Fails when a file imports what `layers.json` does not let its folder import, or when files import
 * one another in a circle, types included:
 *
 *     node .ci/check-layers.mjs [folder of a checkout]
 *
 * The table says what each folder may import besides itself and `shared`: folders or files. For a
 * file the longest folder of the table counts that it is in.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync } from '@swc/core';

const root = process.argv[2] ?? '.';
/** What each folder may import, separated by spaces. @type {Readonly<Record<string, string>>} */
const LAYERS = JSON.parse(readFileSync(join(root, '.ci/layers.json'), 'utf8'));

/** @param {string} file @param {string} folder or one file */
const isIn = (file, folder) => file === folder || file.startsWith(`${folder}/`);

/**
 * The relative paths that a file imports or re-exports, in whatever way.
 *
 * @param {string} file
 */
function importsOf(file) {
  const syntax = file.endsWith('.ts') ? 'typescript' : 'ecmascript';
  /** @type {Set<string>} */
  const found = new Set();
  const visit = (/** @type {any} */ node) => {
    if (!node || typeof node !== 'object') return;
    const argument = node.callee?.type === 'Import' && node.arguments[0].expression;
    const named = node.source ?? (node.type === 'TsImportType' ? node.argument : argument);
    if (named?.type === 'StringLiteral' && named.value.startsWith('.')) {
      found.add(posix.join(posix.dirname(file), named.value.replace(/\?.*/, '')));
    }
    for (const child of Object.values(node)) visit(child);
  };
  const text = readFileSync(join(root, file), 'utf8');
  visit(parseSync(text, { syntax, decorators: true, target: 'es2022' }).body);
  return [...found];
}

/** Files with code, of the top folders of the table. @type {Map<string, string[]>} */
const imports = new Map();
for (const top of new Set(Object.keys(LAYERS).map((folder) => folder.split('/')[0]))) {
  const entries = readdirSync(join(root, top), { recursive: true, encoding: 'utf8' });
  for (const entry of entries.map((name) => `${top}/${name.replaceAll('\\', '/')}`)) {
    if (/\.(ts|mjs)$/.test(entry) && !isIn(entry, 'client/dist'))
      imports.set(entry, importsOf(entry));
  }
}

/** @type {string[]} */
const problems = [];

const folders = Object.keys(LAYERS).sort((a, b) => b.length - a.length);
for (const [file, targets] of imports) {
  const folder = folders.find((one) => isIn(file, one));
  if (folder === undefined) {
    problems.push(`${file} is in no folder of .ci/layers.json`);
    continue;
  }
  const allowed = [folder, 'shared', ...LAYERS[folder].split(' ')];
  for (const target of targets.filter((one) => !allowed.some((other) => isIn(one, other)))) {
    problems.push(
      `${file} imports ${target}; ${folder} may import itself, shared, ${LAYERS[folder]}`,
    );
  }
}

/** @type {Set<string>} that lead into no circle that is not reported yet */
const done = new Set();
/** @param {string} file @param {readonly string[]} way the files that led to it */
function findCircle(file, way) {
  if (way.includes(file)) {
    problems.push(`a circle: ${[...way.slice(way.indexOf(file)), file].join(' → ')}`);
  } else if (!done.has(file)) {
    for (const target of imports.get(file) ?? []) findCircle(target, [...way, file]);
    done.add(file);
  }
}
for (const file of imports.keys()) findCircle(file, []);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
