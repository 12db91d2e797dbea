import { type AlertMessage, raised } from '../../../../server/operations/alerts/alert.ts';
import {
  MAX_WAITING,
  type PostResult,
  Webhook,
} from '../../../../server/operations/alerts/open-alerts.ts';
import { silentLog } from '../../../../server/platform/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const message = (room: string): AlertMessage => raised({ alert: 'slow', room, text: 'slow' }, 1e12);

/** A webhook whose receiver gives the answers one after the other, and the last of them for ever. */
function hook(...answers: PostResult[]) {
  const clock = new FakeClock();
  const posts: { at: number; room: string | undefined; id: string }[] = [];
  const warnings: string[] = [];
  const webhook = new Webhook({
    ...{ url: 'http://receiver.example/secret', clock, onChange: () => {} },
    log: { ...silentLog, warn: (event, text) => warnings.push(`${event} ${text}`) },
    post: async (_, body) => {
      const { room, id } = JSON.parse(body) as AlertMessage;
      posts.push({ at: clock.now(), room, id });
      return answers.length > 1 ? answers.shift()! : answers[0];
    },
  });
  return { clock, posts, warnings, webhook };
}

test('a message is repeated with growing pauses, the same each time, and those after it wait', async () => {
  const { clock, posts, warnings, webhook } = hook('ECONNREFUSED', 500, 429, 204);
  webhook.send(message('garden'));
  webhook.send(message('attic'));
  await clock.advance(60_000);
  expect(posts.map(({ room }) => room)).toEqual(['garden', 'garden', 'garden', 'garden', 'attic']);
  expect(new Set(posts.slice(0, 4).map(({ id }) => id)).size).toBe(1);
  expect(posts.slice(1, 4).map(({ at }, i) => at - posts[i].at)).toEqual([1_000, 2_000, 4_000]);
  expect(webhook.waiting).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).not.toContain('secret');
});

test('a receiver that is away for a weekend is asked every five minutes, and then gets all that fits', async () => {
  const { clock, posts, warnings, webhook } = hook('ECONNREFUSED');
  for (let i = 0; i < MAX_WAITING + 3; i++) webhook.send(message(`room-${i}`));
  await clock.advance(3_600_000);
  const asked = posts.length;
  await clock.advance(3_600_000);
  expect(posts.length - asked).toBe(12);
  expect(webhook.waiting).toHaveLength(MAX_WAITING);
  expect(webhook.waiting[0].room).toBe('room-3');
  expect(warnings.filter((line) => line.startsWith('alert-dropped'))).toHaveLength(3);
});

test.each([302, 400, 404])('an answer of %i is final: the next message is sent', async (status) => {
  const { clock, posts, warnings, webhook } = hook(status, 200);
  webhook.send(message('garden'));
  webhook.send(message('attic'));
  await clock.advance(0);
  expect(posts.map(({ room }) => room)).toEqual(['garden', 'attic']);
  expect(warnings).toEqual([expect.stringContaining(`${status}`)]);
});

test('stopped, it asks no more, and what waits remains for the next process', async () => {
  const { clock, posts, webhook } = hook('ECONNREFUSED');
  webhook.send(message('garden'));
  await clock.advance(2_000);
  webhook.stop();
  const asked = posts.length;
  await clock.advance(3_600_000);
  expect(posts).toHaveLength(asked);
  expect(webhook.waiting).toHaveLength(1);
  expect(clock.waiting).toBe(0);
});
