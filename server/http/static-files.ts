/**
 * The built pages and their files, in memory: what is sent to a visitor holds no file descriptor, so that nobody can use them
 * up by asking and not reading.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';

/** Bytes as they are sent, and what tells caches that they are the same as before. */
export interface Representation {
  readonly bytes: Buffer;
  readonly etag: string;
}

interface StaticFile extends Representation {
  /** Extension with its dot, from which the content type follows. */
  readonly extension: string;
  readonly modified: Date;
  readonly gzipped?: Representation;
}

/** Folder of files whose names carry their hash. */
const ASSETS = 'assets';

/** These are most of what a visitor waits for over a venue's wireless. */
const COMPRESSED: ReadonlySet<string> = new Set(['.js', '.css']);

export function representation(bytes: Buffer): Representation {
  const hash = createHash('sha256').update(bytes).digest('base64url');
  return { bytes, etag: `"${hash.slice(0, 27)}"` };
}

async function load(path: string, compress: boolean): Promise<StaticFile> {
  const extension = extname(path);
  const [bytes, { mtime: modified }] = await Promise.all([readFile(path), stat(path)]);
  const file = { ...representation(bytes), extension, modified };
  if (!compress || !COMPRESSED.has(extension)) return file;
  const packed = await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION });
  return { ...file, gzipped: representation(packed) };
}

/** Names of the files of a folder, hidden ones left out; none where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  return files.map(({ name }) => name);
}

export class StaticFiles {
  /** By their path in an address. */
  private readonly files = new Map<string, StaticFile>();

  private constructor() {}

  /**
   * Reads the pages of a folder and the files of its `assets`.
   *
   * @param folder of the built client; what is built there later is served after a restart
   * @throws the error of reading
   */
  static async load(folder: string): Promise<StaticFiles> {
    const all = new StaticFiles();
    const [pages, assets] = await Promise.all([namesIn(folder), namesIn(join(folder, ASSETS))]);
    const wanted = [
      ...pages.map((name) => ({ path: `/${name}`, compress: false })),
      ...assets.map((name) => ({ path: `/${ASSETS}/${name}`, compress: true })),
    ];
    await Promise.all(
      wanted.map(async ({ path, compress }) => {
        all.files.set(path, await load(join(folder, path), compress));
      }),
    );
    return all;
  }

  /**
   * Sends a file, compressed where that is known and the browser takes it; 304 where it has it already.
   *
   * @param path as in an address, beginning with `/`
   * @param caching the Cache-Control header
   * @returns whether there is such a file
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
