/**
 * Builds the client if necessary, and serves it from memory, so that slow clients do not keep files
 * open.
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

/** Returns when any file in the folder was last modified, in ms. Ignores the built client. */
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
 * Builds the client if the build is missing or out of date. Does nothing in the published package.
 *
 * @param log called with a line of text when a build begins
 * @returns the folder of the built client
 */
export async function ensureClient(log: (line: string) => void): Promise<string> {
  if (isInstalled) return built;
  const index = await stat(join(built, 'index.html')).catch(() => undefined);
  // Build again if the lock file has changed, because the bundled libraries may have changed.
  const { mtimeMs: libraries } = await stat(join(ROOT, 'package-lock.json'));
  const folders = [clientSource, ...['shared', 'server/vnca'].map((folder) => join(ROOT, folder))];
  const sources = [...(await Promise.all(folders.map(newest))), libraries];
  if (index && index.mtimeMs >= Math.max(...sources)) return built;
  log('Building the pages …');
  // Build in a separate process, whose memory (250 MB) is freed at the end.
  const args = ['--import', 'tsx', fileURLToPath(new URL('./build-client.ts', import.meta.url))];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return built;
}

/** Reads the build ids of the wall page and the table page. @returns one id per line */
export async function wallBuild(folder: string): Promise<string> {
  const pages = ['wall.html', 'table.html'].map((page) =>
    readFile(join(folder, page), 'utf8').then(buildOf, () => ''),
  );
  return (await Promise.all(pages)).join('\n').trim();
}

export interface Representation {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Extensions of the files to compress. */
const COMPRESSED: ReadonlySet<string> = new Set(['.js', '.css']);

/** Returns the bytes of a response with their ETag, a hash of the bytes. */
export function representation(bytes: Buffer): Representation {
  const hash = createHash('sha256').update(bytes).digest('base64url');
  return { bytes, etag: `"${hash.slice(0, 27)}"` };
}

async function load(path: string) {
  const extension = extname(path);
  const [bytes, { mtime: modified }] = await Promise.all([readFile(path), stat(path)]);
  const level = constants.Z_BEST_COMPRESSION;
  const packed = COMPRESSED.has(extension) && (await promisify(gzip)(bytes, { level }));
  const gzipped = packed ? representation(packed) : undefined;
  return { ...representation(bytes), extension, modified, gzipped };
}
type StaticFile = Awaited<ReturnType<typeof load>>;

/** Lists the files in a folder, except hidden files. Returns [] if the folder does not exist. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  return files.map(({ name }) => name);
}

export class StaticFiles {
  /** @param files the files to serve, by URL path */
  private constructor(private readonly files: ReadonlyMap<string, StaticFile>) {}

  /**
   * Reads all pages and assets into memory. Changes on disk have no effect until the server
   * restarts.
   *
   * @param folder the folder of the built client
   * @throws Error of the file system if a file cannot be read
   */
  static async load(folder: string): Promise<StaticFiles> {
    const assets = await namesIn(join(folder, 'assets'));
    const paths = [...(await namesIn(folder)), ...assets.map((name) => `assets/${name}`)];
    const files = paths.map(async (path) => [`/${path}`, await load(join(folder, path))] as const);
    return new StaticFiles(new Map(await Promise.all(files)));
  }

  /**
   * Sends a file, gzipped if the client accepts gzip. If the client already has the file, sends
   * only status 304.
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
