/**
 * Builds all pages, and the client for other programs (the package's `vivarium/client`, see
 * client/CLIENT.md): `npm run build`. With `--types`, also writes the types of that client.
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

/** Lets bundled CommonJS modules load Node's own modules. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Writes `client.js` and `vivarium-room.js` for browsers, and `client.node.js`, to a folder. */
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
    // Optional native helpers of `ws`, which works without them.
    external: ['bufferutil', 'utf-8-validate'],
  });
}

/**
 * Writes the client's types to a folder: `client.d.ts` and the types that it needs, including those
 * of Valibot. Needs TypeScript, which only a clone has.
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
    // Ignore complaints about types that the client does not show. If a type that the client shows
    // is missing, copying fails.
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

/** Copies a file of types and all files that it imports. */
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
        if (!name.startsWith('.')) throw new Error(`${file} needs the types of ${name}`);
        reached.add(join(dirname(file), name).replace(/(\.d)?\.ts$/, '.d.ts'));
        return `${before}${quote}${name.replace(/\.ts$/, '.js')}${quote}`;
      }),
    );
  }
  const valibot = createRequire(import.meta.url).resolve('valibot');
  await copyFile(join(dirname(valibot), 'index.d.mts'), join(to, 'valibot.d.ts'));
}

// Tests set another value, with which pages would contain development versions of libraries.
process.env.NODE_ENV = 'production';
// Each mode of client/vite.config.ts builds one page.
for (const mode of ['wall', 'table', 'host', 'keep', 'lineage', 'visitor']) {
  await build({ root: join(root, 'client'), mode, logLevel: 'warn' });
}
const target = join(root, 'client/dist');
await buildLibrary(target);
if (process.argv.includes('--types')) await writeTypes(target);
