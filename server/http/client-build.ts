/**
 * Builds the client if its build is missing or older than the sources, and serves the build from
 * memory. Responses hold no file descriptors, so clients that request files but do not read them
 * cannot use up the descriptors.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { buildOf } from '../../shared/build.ts';
import { isInstalled, ROOT } from '../platform/installation.ts';

const clientSource = join(ROOT, 'client');
const built = join(clientSource, 'dist');

/** Finds the latest modification time of a file in a folder, in ms, ignoring the build output. */
async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const times = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (path === built) return 0;
    return entry.isDirectory() ? newest(path) : (await stat(path)).mtimeMs;
  });
  return Math.max(0, ...(await Promise.all(times)));
}

/**
 * Builds the client if necessary. The installed package contains a build.
 *
 * @param log called when a build begins
 * @returns the folder of the built client
 */
export async function ensureClient(log: (line: string) => void): Promise<string> {
  if (isInstalled) return built;
  const index = await stat(join(built, 'index.html')).catch(() => undefined);
  // The build also contains libraries, so check the lock file, which changes with their versions.
  const { mtimeMs: libraries } = await stat(join(ROOT, 'package-lock.json'));
  const folders = [clientSource, ...['shared', 'server/vnca'].map((folder) => join(ROOT, folder))];
  const sources = [...(await Promise.all(folders.map(newest))), libraries];
  if (index && index.mtimeMs >= Math.max(...sources)) return built;
  log('Building the pages …');
  // Build in a separate process: a build takes 250 MB, which would not be freed in this process.
  const args = ['--import', 'tsx', fileURLToPath(new URL('./build-client.ts', import.meta.url))];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return built;
}

/** Returns the build ids of the pages of walls and tables in a folder, one per line. */
export async function wallBuild(folder: string): Promise<string> {
  const pages = ['wall.html', 'table.html'].map((page) =>
    readFile(join(folder, page), 'utf8').then(buildOf, () => ''),
  );
  return (await Promise.all(pages)).join('\n').trim();
}

/** The bytes of a response, and their entity tag. */
export interface Representation {
  readonly bytes: Buffer;
  readonly etag: string;
}

interface StaticFile extends Representation {
  /** Extension with its dot; determines the content type. */
  readonly extension: string;
  readonly modified: Date;
  readonly gzipped?: Representation;
}

/**
 * Extensions of the files to compress. They take up most of the loading time on a venue's wireless
 * network.
 */
const COMPRESSED: ReadonlySet<string> = new Set(['.js', '.css']);

/** Adds an entity tag, which is a hash of the bytes. */
export function representation(bytes: Buffer): Representation {
  const hash = createHash('sha256').update(bytes).digest('base64url');
  return { bytes, etag: `"${hash.slice(0, 27)}"` };
}

async function load(path: string): Promise<StaticFile> {
  const extension = extname(path);
  const [bytes, { mtime: modified }] = await Promise.all([readFile(path), stat(path)]);
  const file = { ...representation(bytes), extension, modified };
  if (!COMPRESSED.has(extension)) return file;
  const packed = await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION });
  return { ...file, gzipped: representation(packed) };
}

/** Lists a folder's files, except hidden ones; empty if the folder does not exist. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  return files.map(({ name }) => name);
}

export class StaticFiles {
  /** @param files the files, by URL path */
  private constructor(private readonly files: ReadonlyMap<string, StaticFile>) {}

  /**
   * Reads the pages in a folder and the files in its `assets` folder. Later changes on disk take
   * effect after a restart.
   *
   * @param folder the folder of the built client
   * @throws the error of reading
   */
  static async load(folder: string): Promise<StaticFiles> {
    const assets = await namesIn(join(folder, 'assets'));
    const paths = [...(await namesIn(folder)), ...assets.map((name) => `assets/${name}`)];
    const files = paths.map(async (path) => [`/${path}`, await load(join(folder, path))] as const);
    return new StaticFiles(new Map(await Promise.all(files)));
  }

  /**
   * Sends a file, compressed if the browser accepts it, or 304 if the browser has it already.
   *
   * @param path URL path, beginning with `/`
   * @param caching value of the Cache-Control header
   * @returns whether the file exists
   */
  send(path: string, caching: string, request: Request, response: Response): boolean {
    const file = this.files.get(path);
    if (!file) return false;
    let sent: Representation = file;
    if (file.gzipped) {
      response.vary('Accept-Encoding');
      if (request.acceptsEncodings('gzip')) {
        sent = file.gzipped;
        response.set('Content-Encoding', 'gzip');
      }
    }
    response.set({
      'Cache-Control': caching,
      ETag: sent.etag,
      'Last-Modified': file.modified.toUTCString(),
    });
    response.type(file.extension || 'application/octet-stream').send(sent.bytes);
    return true;
  }
}
