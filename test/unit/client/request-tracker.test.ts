/** What becomes of a page's commands when their answers are lost. */
import { RequestTracker } from '../../../client/room/connection.ts';

const PLANT = { x: 8, y: 8, seed: { from: 'gallery', index: 0 } } as const;

function open() {
  const sent: string[] = [];
  const told: string[] = [];
  let now = 1e12;
  const requests = new RequestTracker(
    (name, command) => sent.push(`${name} ${(command as { id: number }).id}`),
    () => now,
  );
  requests.resume(5);
  const answers = (what: string) => ({
    accepted: () => told.push(`${what} accepted`),
    rejected: (reason: string) => told.push(`${what} ${reason}`),
  });
  return {
    ...{ requests, sent, told, answers },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('after a lost connection, unanswered commands are sent again in their order, under their ids', () => {
  const { requests, sent, told, answers } = open();
  requests.ask('plant', PLANT, answers('first'));
  requests.ask('plant', PLANT, answers('second'));
  requests.ask('damage', { radius: 1, points: [1, 1] }, answers('third'));
  requests.ask('name', { name: 'Ada' }, answers('name'));
  requests.accepted({ id: 1 });
  expect(requests.isWaiting).toBe(true);
  sent.length = 0;
  requests.resume(5);
  expect(sent).toEqual(['plant 2', 'damage 3', 'name 4']);
  for (const id of [2, 3, 4]) expect(requests.accepted({ id })).toBe(true);
  // A command that was done is answered again when it arrives again.
  expect(requests.accepted({ id: 2 })).toBe(false);
  expect(told).toEqual(['first accepted', 'second accepted', 'third accepted', 'name accepted']);
  expect(requests.isWaiting).toBe(false);
});

test.each([
  ['too old to be wanted still', 5, 30_000],
  ['of another participant', 6, 0],
])('a command that is %s is not sent again, and the visitor is told', (_, you, age) => {
  const { requests, sent, told, answers, pass } = open();
  requests.ask('plant', PLANT, answers('plant'));
  pass(age);
  sent.length = 0;
  requests.resume(you);
  expect([sent, told]).toEqual([[], ['plant elsewhere']]);
});

test('a beacon is not shown twice, and what its sender repeats is dropped silently', () => {
  const { requests, sent, told, answers } = open();
  requests.ask('beacon', { organism: 1 }, answers('beacon'));
  for (const name of ['keep', 'follow', 'preview', 'draw'] as const) {
    requests.ask(name, {} as never, answers(name));
  }
  sent.length = 0;
  requests.resume(5);
  expect([sent, told]).toEqual([[], ['beacon elsewhere']]);
});

test('a drawing that is repeated over a connection that held is not sent twice', () => {
  const { requests, sent, answers } = open();
  const asked = answers('drawing');
  const draw = () => requests.ask('draw', { pixels: new Uint8Array(4) }, asked);
  draw();
  draw();
  expect(sent).toEqual(['draw 1']);
  requests.resume(5);
  draw();
  expect(sent).toEqual(['draw 1', 'draw 2']);
});

test('of more commands than a room remembers, the oldest is given up, and the visitor is told', () => {
  const { requests, sent, told, answers } = open();
  for (let i = 1; i <= 65; i++) requests.ask('plant', PLANT, answers(`${i}`));
  expect(told).toEqual(['1 elsewhere']);
  sent.length = 0;
  requests.resume(5);
  expect(sent).toHaveLength(64);
});
