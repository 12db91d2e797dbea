/** What a host has decided in a room, and what waits for them: made, and found again later. */
import { setTimeout as pause } from 'node:timers/promises';
import { FILES, pathOf } from '../../shared/host/api.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { HostClient } from './host-client.ts';
import type { Visitor } from './visitor.ts';

/** A visitor who comes in by a resume token, or new. */
export type Enter = (resume?: string) => Promise<Visitor>;

/** What is found again. */
export interface HostDecisions {
  readonly token: string;
  /** Who has an approved drawing in hand, whose drawing waits, and who is muted, by resume token. */
  readonly people: readonly string[];
  /** Id of the seed in the first one's hand. */
  readonly seed: number;
  readonly lists: unknown;
  readonly picture: Buffer;
}

const PIXELS = new Uint8Array(32 * 32 * 4).fill(200);

/** The lists of the host's page, but for their times. */
async function listsOf(host: HostClient): Promise<unknown> {
  const { drawings, reports } = await host.call('room');
  return [...drawings, ...reports].map(({ waited: _, ...one }) => one);
}

async function pictureOf(host: HostClient, organism: number): Promise<Buffer> {
  const answer = await host.fetch(pathOf(FILES.organism, { room: 'garden', organism }));
  return Buffer.from(await answer.arrayBuffer());
}

/** A drawing approved, another one that waits, a visitor muted, and their organism reported. */
export async function decideAsHost(
  port: number,
  token: string,
  enter: Enter,
): Promise<HostDecisions> {
  const host = await HostClient.login(port, token);
  const people = [await enter(), await enter(), await enter()];
  const [ada, bo, cy] = people;
  await host.call('changeSettings', { drawings: 'ask' });
  const waiting = async (): Promise<number> => {
    const [first] = (await host.call('room')).drawings;
    if (first) return first.id;
    await pause(20);
    return waiting();
  };
  const drawn = ada.ask('draw', { pixels: PIXELS });
  await host.call('decideDrawing', { approve: true }, { drawing: await waiting() });
  const { seed } = (await drawn) as Event<'accepted'>;
  void bo.ask('draw', { pixels: PIXELS });
  await waiting();
  const organism = await cy.grow(30, 30);
  const reported = await bo.ask('report', { organism });
  if ('reason' in reported) throw new Error(`a report was refused: ${reported.reason}`);
  await host.call('mute', { participant: cy.welcome!.you.id, muted: true });
  const [lists, picture] = [await listsOf(host), await pictureOf(host, organism)];
  for (const one of people) one.leave();
  return {
    ...{ token, lists, picture, seed: seed!.id },
    people: people.map(({ welcome }) => welcome!.resume),
  };
}

/** Proves that all of that is still so, perhaps on another server, and then undoes it. */
export async function expectDecided(
  port: number,
  { token, people, seed, lists, picture }: HostDecisions,
  enter: Enter,
): Promise<void> {
  const host = await HostClient.login(port, token);
  const [ada, bo, cy] = [await enter(people[0]), await enter(people[1]), await enter(people[2])];
  expect(await listsOf(host)).toEqual(lists);
  const { drawings, reports, visitors } = await host.call('room');
  expect(visitors.filter(({ muted }) => muted).map(({ id }) => id)).toEqual([cy.welcome!.you.id]);
  expect(await pictureOf(host, reports[0].organism)).toEqual(picture);
  const plant = (visitor: Visitor, y: number, one: object) =>
    visitor.ask('plant', { x: 70, y, seed: one });
  const fromGallery = { from: 'gallery', index: 1 };
  expect(await plant(cy, 30, fromGallery)).toMatchObject({ reason: 'muted' });
  expect(await plant(ada, 30, { from: 'hand', seed })).not.toHaveProperty('reason');

  await host.call('decideDrawing', { approve: true }, { drawing: drawings[0].id });
  const given = await bo.next(
    ({ name, message }) => name === 'accepted' && (message as Event<'accepted'>).seed !== undefined,
  );
  const { id } = (given as Event<'accepted'>).seed!;
  expect(await plant(bo, 70, { from: 'hand', seed: id })).not.toHaveProperty('reason');
  await host.call('dismissReport', { organism: reports[0].organism });
  await host.call('mute', { participant: cy.welcome!.you.id, muted: false });
  expect(await listsOf(host)).toEqual([]);
  expect(await plant(cy, 30, fromGallery)).not.toMatchObject({ reason: 'muted' });
  for (const one of [ada, bo, cy]) one.leave();
}
