/**
 * Ensures that one server uses a folder: it listens on a socket there. The socket of a killed
 * server does not answer, so no process ids or file ages need to be interpreted.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { StoreError } from '../record-codec.ts';

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
  await setTimeout(RACE_DELAY);
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

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function listen(path: string, folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    await once(server.listen(path), 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw inUse(folder);
    throw new StoreError(
      'not-writable',
      `The folder ${folder} is not writable (${code ?? message}).`,
    );
  }
  if (process.platform !== 'win32') inodes.set(server, statSync(path).ino);
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
  });
}
