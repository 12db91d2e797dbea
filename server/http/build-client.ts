/**
 * Implements `npm run build`: builds all pages and the client library (`vivarium/client`, see
 * client/CLIENT.md). With `--types`, also writes the library's types.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build as bundle } from 'esbuild';
import { build } from 'vite';
import { ROOT as root } from '../platform/installation.ts';

const ENTRY = 'client/room/join';
const ELEMENT = 'client/embed/vivarium-room.ts';

/**
 * Code inserted at the start of the bundle for Node. The code defines `require`, with which bundled
 * CommonJS modules load Node's own modules.
 */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Writes the client library to a folder: `client.js` and `vivarium-room.js` for browsers, and
 * `client.node.js` for Node.
 */
async function buildLibrary(folder: string): Promise<void> {
  const common: BuildOptions = {
    ...{ absWorkingDir: root, entryPoints: [`${ENTRY}.ts`], bundle: true, minify: true },
    ...{ format: 'esm', logLevel: 'warning' },
  };
  const into = (name: string) => ({ outfile: join(folder, name) });
  const browser = { ...common, platform: 'browser', target: 'es2022' } as const;
  await bundle({ ...browser, ...into('client.js') });
  await bundle({ ...browser, ...into('vivarium-room.js'), entryPoints: [ELEMENT] });
  const banner = { js: REQUIRE };
  await bundle({
    ...{ ...common, ...into('client.node.js'), platform: 'node', target: 'node20.19', banner },
    // These native packages cannot be bundled, and `ws` does not need them.
    external: ['bufferutil', 'utf-8-validate'],
  });
}

/**
 * Writes the type declarations of the client library to a folder: `client.d.ts`, and all files that
 * it imports, including Valibot's. Requires TypeScript.
 */
async function writeTypes(folder: string): Promise<void> {
  const draft = await mkdtemp(join(root, '.cache', 'types-'));
  try {
    const project = join(draft, 'tsconfig.json');
    const compilerOptions = {
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true },
      ...{ outDir: 'out', rootDir: root, types: [] },
    };
    const entry = join(root, `${ENTRY}.ts`);
    await writeFile(
      project,
      JSON.stringify({
        ...{ extends: join(root, 'tsconfig.json'), compilerOptions },
        ...{ files: [entry], include: [], exclude: [] },
      }),
    );
    // Ignore type errors, because they may be in files that the library does not use. If a needed
    // file is missing, `copyReached` fails.
    const tsc = join(root, 'node_modules/.bin/tsc');
    await promisify(execFile)(tsc, ['-p', project]).catch(() => undefined);
    await mkdir(folder, { recursive: true });
    const types = join(folder, 'types');
    await copyReached(join(draft, 'out'), `${ENTRY}.d.ts`, types);
    await writeFile(join(folder, 'client.d.ts'), `export * from './types/${ENTRY}.js';\n`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Copies a declaration file and all files that it imports directly or indirectly. */
async function copyReached(from: string, entry: string, to: string): Promise<void> {
  const reached = new Set([entry]);
  for (const file of reached) {
    const text = await readFile(join(from, file), 'utf8');
    const target = join(to, file);
    await mkdir(dirname(target), { recursive: true });
    const valibot = relative(dirname(target), join(to, 'valibot.js'));
    await writeFile(
      target,
      text.replace(/(from |import\()(['"])([^'"]+)\2/g, (_, before, quote, name) => {
        if (name === 'valibot') return `${before}${quote}./${valibot}${quote}`;
        if (!name.startsWith('.'))
          throw new Error(`${file} imports types from the package ${name}, which is not included`);
        reached.add(join(dirname(file), name).replace(/(\.d)?\.ts$/, '.d.ts'));
        return `${before}${quote}${name.replace(/\.ts$/, '.js')}${quote}`;
      }),
    );
  }
  const valibot = createRequire(import.meta.url).resolve('valibot');
  await copyFile(join(dirname(valibot), 'index.d.mts'), join(to, 'valibot.d.ts'));
}

// Always build for production. Otherwise, pages could contain development versions of libraries.
process.env.NODE_ENV = 'production';
// Each mode of client/vite.config.ts builds one page.
for (const mode of ['wall', 'table', 'host', 'keep', 'lineage', 'visitor']) {
  await build({ root: join(root, 'client'), mode, logLevel: 'warn' });
}
const target = join(root, 'client/dist');
await buildLibrary(target);
if (process.argv.includes('--types')) await writeTypes(target);
