/**
 * A data folder written by an earlier release, and what a server sees when it opens that folder.
 * The script
 * `make-release-store.ts` records the folder and what that release saw; `release-store.test.ts` checks that
 * the current code sees the same.
 *
 * The room runs on the `wasm` engine: WebAssembly defines every float operation, so states are
 * equal bit for bit on every x86-64 CPU and every Node version. ONNX Runtime picks kernels by CPU
 * (AVX2, AVX-512), and each sums in a different order. The `cpu` engine gives the same picture, but
 * is twenty times slower.
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, crc32 } from 'node:zlib';
import type { VivariumServer } from '../../server/app/create-server.ts';
import type { RoomEvent } from '../../server/world/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { FakeClock } from './fake-clock.ts';
import { HostClient } from './host-client.ts';
import { flagsOf } from './process.ts';
import { ALL_EQUAL, replayed } from './replay.ts';
import { startServer } from './server.ts';
import { Visitor } from './visitor.ts';

export const FIXTURE = fileURLToPath(new URL('../fixtures/release-store', import.meta.url));

/** The only room. */
export const ROOM = 'garden';

/** Server settings that the recorded room needs, as flags. */
export const SETTINGS = {
  engine: 'wasm',
  checkpoint: fileURLToPath(new URL('../../checkpoints/digits-1', import.meta.url)),
  size: '96x96',
  'trust-proxy': 1,
} as const;

/** Ticks per second, set by the host. A tick lasts a whole number of ms. */
export const TICK_RATE = 10;

/** Ticks the opened room goes on for: enough for every organism to grow and fall asleep. */
const ONWARD = 90;

/** What the recording left behind besides the data folder. */
export interface Recording {
  /** Wall clock when the server was killed; ms. */
  readonly at: number;
  readonly hostToken: string;
  /** Who joins after the restart, in this order. `address` goes into x-forwarded-for. */
  readonly callers: readonly {
    readonly name: string;
    readonly address: string;
    readonly resume?: string | undefined;
  }[];
  /** Undo the last `seconds` of this participant. */
  readonly undo: { readonly participant: number; readonly seconds: number };
}

/** Copies the fixture's data folder to a new temporary folder. @returns its path */
export function unpack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-release-'));
  cpSync(join(FIXTURE, 'data'), folder, { recursive: true });
  const packed = join(folder, 'data.mdb.br');
  writeFileSync(join(folder, 'data.mdb'), brotliDecompressSync(readFileSync(packed)));
  rmSync(packed);
  return folder;
}

/** Makes a data folder the fixture's. Sockets and locks stay behind. */
export function pack(folder: string): void {
  const data = join(FIXTURE, 'data');
  rmSync(data, { recursive: true, force: true });
  cpSync(folder, data, {
    recursive: true,
    filter: (path) => !/\.sock$|lock\.mdb$|data\.mdb$/.test(path),
  });
  const packed = brotliCompressSync(readFileSync(join(folder, 'data.mdb')));
  writeFileSync(join(data, 'data.mdb.br'), packed);
}

/** A real server whose room ticks only when told to. */
class SteppedServer {
  private ticked = (): void => {};
  /** What the journal has been told since. */
  readonly journalled: RoomEvent[] = [];

  private constructor(
    private readonly clock: FakeClock,
    private server: VivariumServer | undefined,
  ) {}

  static async open(data: string, at: number): Promise<SteppedServer> {
    const stepped = new SteppedServer(new FakeClock(), undefined);
    const onTick = (): void => stepped.ticked();
    const { clock } = stepped;
    const settings = { ...SETTINGS, data };
    // Snapshot retention, bans and the reach of an undo depend on the date, so it is fixed too.
    const date = () => at + 1_000;
    stepped.server = await startServer(settings, { clock, onTick, date });
    const { world } = stepped.server;
    const { journal } = world;
    world.journal = async (ticks) => {
      stepped.journalled.push(...ticks.flatMap(({ events }) => events));
      await journal?.(ticks);
    };
    return stepped;
  }

  get port(): number {
    return this.server!.port;
  }

  get room() {
    return this.server!.world.rooms.get(ROOM)!;
  }

  async tick(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const done = new Promise<void>((resolve) => {
        this.ticked = resolve;
      });
      void this.clock.advance(1_000 / TICK_RATE);
      await done;
    }
  }

  /** The room's state, with arrays as CRC-32 sums. */
  async look() {
    const { room } = this;
    const { tick, organisms, planes, random, hands, energy, nextOrganism, lastParticipant } =
      room.export();
    const patches = organisms.map(({ id }) => room.patchOf(id)!);
    const cells = await this.server!.world.engine.exportStates(patches);
    return {
      tick,
      planes: { rgba: sumOf(planes.rgba), owner: sumOf(planes.owner) },
      organisms: room.organisms,
      latents: organisms.map(({ latent }) => sumOf(latent)),
      cells: cells.map(sumOf),
      hands: hands.held.map(({ participant, seeds }) => ({
        participant,
        seeds: seeds.map(({ latent, ...seed }) => ({ ...seed, latent: sumOf(latent) })),
      })),
      energy,
      random,
      next: { organism: nextOrganism, participant: lastParticipant + 1 },
    };
  }

  close(): Promise<void> {
    return this.server!.close();
  }
}

const sumOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): number =>
  crc32(new Uint8Array(buffer, byteOffset, byteLength));

/** Tries to join. The answer comes at once, without a tick. */
async function knock(port: number, { name, address, resume }: Recording['callers'][number]) {
  const visitor = new Visitor(port, { 'x-forwarded-for': address });
  const room = { room: ROOM, name, ...(resume && { resume }) };
  visitor.send('join', { protocol: PROTOCOL_VERSION, ...room });
  await visitor.until(() =>
    visitor.heard.some((one) => one.name === 'welcome' || one.name === 'rejected'),
  );
  const { welcome } = visitor;
  const answer = welcome
    ? { you: welcome.you, energy: welcome.energy, hand: welcome.hand }
    : visitor.heard.find((one) => one.name === 'rejected')!.message;
  return { visitor, answer: { name, answer } };
}

/** Replays everything in a data folder. */
async function replayOf(data: string) {
  const { engine, checkpoint } = SETTINGS;
  const args = flagsOf({ data, engine, checkpoint });
  const { code, output } = await replayed(ROOM, ...args);
  const [, checksums, ticks] = ALL_EQUAL.exec(output) ?? [];
  return { code, checksums: Number(checksums), ticks: Number(ticks) };
}

/**
 * Replays a copy of the fixture, runs `work` with a server on it, and replays what the server left.
 */
async function withServer<T>({ at }: Recording, work: (server: SteppedServer) => Promise<T>) {
  const data = unpack();
  try {
    const replay = await replayOf(data);
    const server = await SteppedServer.open(data, at);
    const seen = await work(server).finally(() => server.close());
    return { replay, ...seen, replayAfter: (await replayOf(data)).code };
  } finally {
    rmSync(data, { recursive: true });
  }
}

/** Opens the room, lets visitors come back, goes on, and replays it all. */
export function observeOpening(recording: Recording) {
  return withServer(recording, async (server) => {
    const opened = await server.look();
    const host = await HostClient.login(server.port, recording.hostToken);
    const { bans, rooms } = await host.call('state');
    const snapshots = await host.call('snapshots', {}, { room: ROOM });
    const knocks = [];
    for (const caller of recording.callers) knocks.push(await knock(server.port, caller));
    await server.tick(ONWARD);
    const onward = await server.look();
    await host.call('changeSettings', { maxOrganisms: 5 }, { room: ROOM });
    const planted = await plantFromHand(server, knocks[0].visitor);
    for (const { visitor } of knocks) visitor.leave();
    return {
      ...{ opened, bans, settings: rooms[0].settings, snapshots },
      knocks: knocks.map(({ answer }) => answer),
      ...{ onward, planted, jump: jumpOf(server) },
    };
  });
}

/** How the room has come to live by the rules of now: what its journal says, and its state. */
function jumpOf({ room, journalled }: SteppedServer) {
  const { rules, life } = room.export();
  return [...journalled.filter(({ what }) => what === 'rules'), { rules, life }];
}

/** Plants a seed that a visitor has held since before the restart. */
async function plantFromHand(server: SteppedServer, visitor: Visitor) {
  const seed = visitor.welcome?.hand[0]?.id ?? 1;
  const planting = visitor.ask('plant', { x: 16, y: 80, seed: { from: 'hand', seed } });
  let answer: unknown;
  void planting.then((one) => {
    answer = one;
  });
  while (!answer) {
    await server.tick(1);
    await new Promise(setImmediate);
  }
  const { id, origin, parents, planter } = server.room.organisms.at(-1)!;
  return { id, origin, parents, planter };
}

/** Opens the room, undoes what one visitor did last, and goes on. */
export function observeUndo(recording: Recording) {
  return withServer(recording, async (server) => {
    const host = await HostClient.login(server.port, recording.hostToken);
    const answer = await host.call('undo', recording.undo, { room: ROOM });
    const undone = await server.look();
    await server.tick(ONWARD);
    const { rules } = server.room.export();
    return { answer, undone, onward: await server.look(), rules };
  });
}

/** Settings that the recording release did not have; they have their defaults. */
const LATER_SETTINGS: readonly string[] = ['wake'];

/** Round-trips through JSON, to compare with expected.json. */
export const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, inner) => (LATER_SETTINGS.includes(key) ? undefined : inner)),
  );

export const EXPECTED = join(FIXTURE, 'expected.json');

export function readExpected(): {
  readonly recording: Recording;
  readonly opening: { readonly settings: object };
  readonly undo: unknown;
} {
  return JSON.parse(readFileSync(EXPECTED, 'utf8'));
}
