/**
 * Serves the built client from memory. Responses hold no file descriptors, so clients that request
 * files but do not read them cannot use up the descriptors.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';

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

/** The folder of files with a hash in their name. */
const ASSETS = 'assets';

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

async function load(path: string, compress: boolean): Promise<StaticFile> {
  const extension = extname(path);
  const [bytes, { mtime: modified }] = await Promise.all([readFile(path), stat(path)]);
  const file = { ...representation(bytes), extension, modified };
  if (!compress || !COMPRESSED.has(extension)) return file;
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
  /** The files, by URL path. */
  private readonly files = new Map<string, StaticFile>();

  private constructor() {}

  /**
   * Reads the pages in a folder and the files in its `assets` folder. Later changes on disk take
   * effect after a restart.
   *
   * @param folder the folder of the built client
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
