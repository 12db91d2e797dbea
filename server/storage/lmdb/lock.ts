/**
 * Ensures that one server uses a folder: it listens on a socket there. The socket of a killed
 * server
 * does not answer, so no process ids or file ages need to be interpreted.
 */
import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StoreError } from '../store-error.ts';

/** Longest path of a Unix socket, with a margin. */
const MAX_PATH = 100;
/** Time after which a server that starts concurrently has replaced our socket, if it does; ms. */
const RACE_DELAY = 60;

/** Releases the folder. */
export type Release = () => Promise<void>;

/** Locks a folder for this server. @throws StoreError in-use, not-writable */
export async function lockFolder(folder: string): Promise<Release> {
  const path = socketPath(resolve(folder));
  if (await answers(path)) throw inUse(folder);
  if (process.platform !== 'win32') rmSync(path, { force: true });
  const server = await listen(path, folder);
  await new Promise((wake) => setTimeout(wake, RACE_DELAY));
  if (process.platform !== 'win32' && !isMine(path, server)) {
    await close(server);
    throw inUse(folder);
  }
  return () => close(server);
}

const inUse = (folder: string): StoreError =>
  new StoreError(
    'in-use',
    `Another server uses the data in ${folder}. Stop it, or choose another folder with --data.`,
  );

function socketPath(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\vivarium-${name}`;
  const inside = join(folder, 'server.sock');
  return inside.length <= MAX_PATH ? inside : join(tmpdir(), `vivarium-${name}.sock`);
}

/** Inode of each server's socket, to recognise it. */
const inodes = new WeakMap<Server, number>();

function isMine(path: string, server: Server): boolean {
  try {
    return statSync(path).ino === inodes.get(server);
  } catch {
    return false;
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((found) => {
    const socket = connect(path);
    const end = (is: boolean) => (): void => {
      socket.destroy();
      found(is);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}

function listen(path: string, folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') fail(inUse(folder));
      else {
        const why = error.code ?? error.message;
        fail(new StoreError('not-writable', `The folder ${folder} is not writable (${why}).`));
      }
    });
    server.listen(path, () => {
      if (process.platform !== 'win32') inodes.set(server, statSync(path).ino);
      done(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
  });
}
