// @ts-check
/**
 * Counts the lines of code in this repository, so that two versions of it can be compared:
 *
 *     node .ci/count-lines.mjs [--json] [folder of a checkout]
 *
 * Lines that contain only white space or comments do not count. Lines inside string and template
 * literals count. Translations, fixtures, pictures, JSON, documents and files that git ignores do
 * not count.
 *
 * The row `product` sums the lines of `client`, `server` and `shared`, without the names of gallery
 * entries. These names have their own row, `kinds`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseSync } from '@swc/core';

const CODE = /\.(ts|mts|cts|js|mjs|cjs|css|html|py|c|h)$/;
const SCRIPT = /\.[mc]?[tj]s$/;
const DATA = /^client\/(.*\/)?locale\/(.*\/)?(words|xliff)\/|^test\/fixtures\//;
/** Files that contain the names of gallery entries in one language. */
const KINDS = /^client\/(.*\/)?locale\/(.*\/)?kinds\//;
const PRODUCT = ['client', 'server', 'shared'];
const LONGEST_FILE = 600;

/** Matches code after which a slash begins a regular expression instead of dividing. */
const BEFORE_REGEX =
  /(^|[=([{,;:&|?+*%<>~^-]|(?<![\w)\]])!|\b(return|typeof|case|in|of|do|else|void|yield|await))$/;

/**
 * Removes the comments of a script, but keeps the line breaks.
 *
 * @param {string} text
 */
function withoutComments(text) {
  let code = '';
  /** Number of open braces in each enclosing template expression. @type {number[]} */
  const templates = [];
  let i = 0;
  const take = (/** @type {number} */ end) => {
    code += text.slice(i, end);
    i = end;
  };
  /** @param {string} quote */
  const endOfString = (quote) => {
    for (let at = i + 1; ; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === quote || at >= text.length) return at + 1;
    }
  };
  /** Copies a template literal up to its end or its next `${`. */
  const takeTemplate = () => {
    for (let at = i + 1; ; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '`' || at >= text.length) return take(at + 1);
      else if (text[at] === '$' && text[at + 1] === '{') {
        templates.push(0);
        return take(at + 2);
      }
    }
  };
  const endOfRegex = () => {
    let inClass = false;
    for (let at = i + 1; ; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '[') inClass = true;
      else if (text[at] === ']') inClass = false;
      else if ((text[at] === '/' && !inClass) || at >= text.length) return at + 1;
    }
  };
  while (i < text.length) {
    const char = text[i];
    const pair = text.slice(i, i + 2);
    if (pair === '//') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
    } else if (pair === '/*') {
      const end = text.indexOf('*/', i + 2);
      const comment = text.slice(i, end < 0 ? text.length : end + 2);
      code += comment.replace(/[^\n]/g, '');
      i += comment.length;
    } else if (char === "'" || char === '"') take(endOfString(char));
    else if (char === '`') takeTemplate();
    else if (char === '/' && BEFORE_REGEX.test(code.slice(-20).trimEnd())) take(endOfRegex());
    else if (char === '}' && templates.at(-1) === 0) {
      templates.pop();
      takeTemplate();
    } else {
      const last = templates.length - 1;
      if (last >= 0 && char === '{') templates[last]++;
      if (last >= 0 && char === '}') templates[last]--;
      take(i + 1);
    }
  }
  return code;
}

/** @type {Readonly<Record<string, (text: string) => string>>} */
const STRIP = {
  css: (text) => text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, '')),
  html: (text) => text.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, '')),
  py: (text) => text.replace(/^\s*#.*$/gm, ''),
};

/**
 * @param {string} file
 * @param {string} text
 */
function codeLines(file, text) {
  const strip = STRIP[file.slice(file.lastIndexOf('.') + 1)] ?? withoutComments;
  return strip(text)
    .split('\n')
    .filter((line) => line.trim() !== '').length;
}

/**
 * Returns the length of the longest parameter list in a script.
 *
 * @param {string} file
 * @param {string} text
 */
function longestParameters(file, text) {
  const syntax = /\.[mc]?ts$/.test(file) ? 'typescript' : 'ecmascript';
  let longest = 0;
  const visit = (/** @type {any} */ node, name = '') => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one, name);
      return;
    }
    if (!node || typeof node !== 'object') return;
    const own = node.identifier?.value ?? node.key?.value ?? node.id?.value ?? name;
    const list = node.params ?? node.parameters;
    const isFunction = /Function|Method|Constructor|Arrow/.test(node.type ?? '');
    if (Array.isArray(list) && (isFunction || node.body)) longest = Math.max(longest, list.length);
    for (const [key, value] of Object.entries(node)) if (key !== 'span') visit(value, own);
  };
  visit(parseSync(text, { syntax, decorators: true, target: 'es2022' }).body);
  return longest;
}

/**
 * Returns the name of a file's area: `kinds` for a file with names of gallery entries, otherwise
 * the file's first two folders, such as `server/world`, or the file's only folder.
 *
 * @param {string} file
 */
function areaOf(file) {
  if (KINDS.test(file)) return 'kinds';
  const parts = file.split('/');
  return parts.length > 2 ? `${parts[0]}/${parts[1]}` : parts[0];
}

/** @param {string} root */
function count(root) {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0');
  const files = [...new Set(names)].flatMap((name) => {
    const isCode = [...PRODUCT, 'test'].includes(name.split('/')[0]) && CODE.test(name);
    const there =
      isCode && !DATA.test(name) && statSync(join(root, name), { throwIfNoEntry: false });
    if (!there) return [];
    const text = readFileSync(join(root, name), 'utf8');
    const parameters = SCRIPT.test(name) ? longestParameters(name, text) : 0;
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    return [{ name, lines, code: codeLines(name, text), parameters }];
  });
  /** @type {Record<string, { files: number, code: number }>} */
  const areas = {};
  for (const { name, code } of files) {
    const area = areaOf(name);
    const total = PRODUCT.includes(name.split('/')[0]) ? 'product' : 'all tests';
    for (const one of area === 'kinds' ? [area] : [area, total]) {
      areas[one] ??= { files: 0, code: 0 };
      areas[one].files++;
      areas[one].code += code;
    }
  }
  /** @param {'lines' | 'parameters'} by @param {boolean} inTest */
  const most = (by, inTest) => {
    const some = files
      .filter(({ name }) => !KINDS.test(name))
      .filter(({ name }) => name.startsWith('test/') === inTest);
    const [{ name, [by]: value }] = some.toSorted((a, b) => b[by] - a[by]);
    return { file: name, [by]: value };
  };
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const size = (/** @type {string} */ kind) => Object.keys(manifest[kind] ?? {}).length;
  return {
    areas,
    longestFile: { product: most('lines', false), test: most('lines', true) },
    longestParameters: { product: most('parameters', false), test: most('parameters', true) },
    longParameterLists: files.filter(({ parameters }) => parameters > 4).length,
    overlongFiles: files
      .filter(({ name, lines }) => lines > LONGEST_FILE && !KINDS.test(name))
      .map(({ name, lines }) => ({ file: name, lines })),
    dependencies: {
      production: size('dependencies'),
      optional: size('optionalDependencies'),
      development: size('devDependencies'),
    },
    readmeBytes: statSync(join(root, 'README.md')).size,
  };
}

/** @param {ReturnType<typeof count>} counted */
function print({ areas, overlongFiles, ...rest }) {
  const row = (/** @type {(string | number)[]} */ [name, files, code]) =>
    `${`${name}`.padEnd(24)}${`${files}`.padStart(7)}${`${code}`.padStart(9)}`;
  console.log(row(['area', 'files', 'code']));
  const totals = ['product', 'all tests', 'kinds'];
  const parts = Object.keys(areas).filter((area) => !totals.includes(area));
  for (const area of [...parts.sort(), ...totals.filter((total) => areas[total])]) {
    console.log(row([area, areas[area].files, areas[area].code]));
  }
  const { longestFile: file, longestParameters: list, dependencies, readmeBytes } = rest;
  console.log(`
longest file              product ${file.product.lines} (${file.product.file}), test ${file.test.lines} (${file.test.file})
longest parameter list    product ${list.product.parameters} (${list.product.file}), test ${list.test.parameters} (${list.test.file})
files with a list over 4  ${rest.longParameterLists}
dependencies              ${dependencies.production} and ${dependencies.optional} optional; development ${dependencies.development}
README                    ${readmeBytes} bytes
files over ${LONGEST_FILE} lines      ${overlongFiles.length}`);
  for (const { file: name, lines } of overlongFiles) console.log(`  ${lines} ${name}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const counted = count(positionals[0] ?? '.');
if (values.json) console.log(JSON.stringify(counted, null, 2));
else print(counted);
