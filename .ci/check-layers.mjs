// @ts-check
/**
 * Fails if an import breaks the rules in `layers.json`, or if imports form a cycle:
 *
 *     node .ci/check-layers.mjs [folder of a checkout]
 *
 * Type-only imports count. For each folder, `layers.json` lists what the folder's files may import
 * in addition to the folder itself and `shared`. If a file is in several of the listed folders, the
 * rules of the innermost folder apply.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync } from '@swc/core';

const root = process.argv[2] ?? '.';
/**
 * For each folder, the folders and files that it may import, separated by spaces.
 *
 * @type {Readonly<Record<string, string>>}
 */
const LAYERS = JSON.parse(readFileSync(join(root, '.ci/layers.json'), 'utf8'));

/** @param {string} file @param {string} folder a folder or a file */
const isIn = (file, folder) => file === folder || file.startsWith(`${folder}/`);

/**
 * Returns the files that a file imports or re-exports by a relative path, including type-only and
 * dynamic imports.
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

/** The imports of each code file in the folders of `LAYERS`. @type {Map<string, string[]>} */
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
    problems.push(`${file} is in no folder of .ci/layers.json; add its folder`);
    continue;
  }
  const allowed = [folder, 'shared', ...LAYERS[folder].split(' ')];
  for (const target of targets.filter((one) => !allowed.some((other) => isIn(one, other)))) {
    problems.push(
      `${file} imports ${target}; ${folder} may import itself, shared, ${LAYERS[folder]}`,
    );
  }
}

/** Files whose import cycles have all been reported. @type {Set<string>} */
const done = new Set();
/**
 * Reports all import cycles that can be reached from a file.
 *
 * @param {string} file
 * @param {readonly string[]} way chain of imports that leads to the file
 */
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
